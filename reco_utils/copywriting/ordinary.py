"""Ordinary words, by class: words that claim nothing about a product where they stand in its copy.

Written from general knowledge of how copy is written: moods, times and places, people and what they do with things.
"""

from reco_utils.copywriting.lexicon import COMMON, EVERYDAY
from reco_utils.copywriting.quantities import UNIT
from reco_utils.copywriting.words import stem

CLASSES = {
    "moods and manners": """
allure allured amazing ambience amiable ample aplomb appealing ardour assured astonishing attentive audacious
authentic awe bashful bliss blissful bravado breezy brisk calm candour carefree charisma cheeky chic civilised coaxing
coherent commanding compelling composed composure considered content contentment conviction cool couth covet coveted
curiosity dapper daring dashing dazzle dazzling debonair decorum defiant deft delectable delight demure dependable
devoted dignified dignity diligent discreet distinct distinctive distinguished dogged drama dramatic eager earnest
ease easygoing eccentric effortless elation eloquent enchanting enchantment enduring energetic enigmatic enthusiasm
enviable esteemed ethereal evocative exacting exhilarating expressive exuberant faultless fearless fervent festive
fierce finesse flamboyant flattering flourish folksy forgiving formidable fragile frank friendly frivolous frugal fuss
gallant generous genial glamorous glamour glee gleeful glorious graceful gracious grand grandeur grateful gravitas
gusto gutsy harmony heartfelt hearty heroic homely homey humble humour hushed iconic idyllic immaculate impeccable
imposing indulgence infectious ingenious inimitable innocence intense intent intimate intrigue intuitive inventive
invigorating jaunty jolly jovial joy joyous keen laidback languid lasting laudable leisurely levity lighthearted lofty
longing lure lush magnetic magnificent majestic marvellous masterful measured meditative melancholy mellow memorable
meticulous mighty mindful minimal minimalist mischief mischievous modesty moody moreish muted mystery nonchalance
nonsense nostalgia nostalgic notable obedient obliging optimistic opulence outgoing painless pampering panache passion
peace peaceful perky pizzazz playful pleased pluck poetic poise poised polite pomp pragmatic pride pristine profound
punchy purpose quaint quirk quirky radiant rambunctious rebellious refreshing regal relentless remarkable repose
resolute restful restless restorative restraint reverence reverent rewarding robust romantic rousing rugged rustic
sane sass sassy satisfying scrappy seductive serene serenity sheer shrewd shyness sleek smug snappy sober solace
solemn soothing soulful spirited splendid splendour spontaneous sporty stately steadfast stealthy stirring stoic
striking stubborn stunning stylish suave sultry sunny swagger swanky sweeping swish tact tactile temperament tempting
tenacious tenderness thrill timid tireless touching tough tranquil trendy triumphant trusty unabashed unapologetic
unassuming unbothered undeniable understated unfazed unflappable unfussy unhurried unpretentious unruly unspoken
untamed upbeat urbane vibrant vigour vim vivacious vivid warmth whim whimsy wholehearted wholesome willing winsome
wistful wit witty wondrous worthy yearning youthful zeal zen zest zesty zing zippy
""",
    "time and season": """
advent afternoons age ages annual april autumnal centuries century daily dawns daybreak daylight decade december dusk
dusky equinox era eternity evenings eventually forthcoming fortnight friday frosty fullness future halloween
henceforth hitherto hour hourly instant intermittently interval january lately later lifetime lunchtimes meantime
midday midsummer midweek midwinter millennium moment momentary monthly nightfall nightly noon nowadays occasional
overnight past period present previous prompt quarter recent season seasonal seldom semester simultaneously solstice
someday springtime subsequently summery sundown teatime temporarily term thereafter tuesday twilight valentine
wednesday weekday weekly while wintry yearly yesteryear yuletide
""",
    "weather and nature": """
acorn avalanche blizzard bloom blossom breeze brook bumblebee canyon cascade clearing cliff cloud cloudless coastline
countryside cove creek dew downpour drizzle dune earth easterly eclipse equator fern field flurry fog foliage gale
garden glacier glade gloom gust hail haze heatwave hedge hedgehog hillside horizon hurricane jungle lagoon landscape
lawn lightning mist moonlight moonlit moor nature nightingale ocean orchard outdoors petal pond prairie puddle rainbow
raindrop ravine reef ridge river riverbank sapling seaside shade shadow shore shoreline shower sleet slope snowfall
snowflake soil solar squall starlight stream sunbeam sunlight sunlit sunny swamp thicket thunder thunderstorm tide
tundra twig undergrowth valley vista volcano waterfall wave weather wilderness wildlife willow wind woodland woods
""",
    "places and rooms": """
abroad address aisle alcove alley apartment arena attic avenue backyard bakery balcony bank bar barn basement bathroom
beach bedroom bedside bistro boardroom bookshelf boulevard bridge bungalow cabin cafe campsite canteen cathedral
cellar chalet chapel city classroom cloakroom closet clubhouse conservatory corner corridor cottage counter countertop
courtyard cubicle den desk desktop dining dormitory dresser driveway entrance estate everywhere farm farmhouse
fireplace fireside flat foyer galaxy gallery gate gateway greenhouse gym hall hallway harbour hearth hideaway highway
home hotel house household island jetty junction kennel kitchen landing lane laundry lecture lobby loft lounge mansion
mantelpiece marina market marketplace metropolis mudroom museum neighbourhood nightstand nook nursery oasis office
outback palace pantry parade park parlour patio pavement pavilion pier playground playroom porch queue railway
reception restaurant retreat rink roadside rooftop runway sanctuary sauna seaside shed shelf sideboard spa square
stable stadium stage staircase station street studio suburb sunroom supermarket tabletop terrace theatre threshold
town trailhead underfoot universe university venue veranda villa village ward warehouse waterfront windowsill
workbench workplace workspace worktop world yard zoo
""",
    "people and animals": """
admirer adventurer amateur ancestor angler apprentice architect artist athlete aunt author baker barber beloved
bookworm bride bridesmaid builder businessman camper carpenter cat colleague collector comedian commuter companion
connoisseur cook couple cousin creature crew crowd cyclist dancer darling daydreamer devotee diner doer dreamer driver
dweller early elder electrician enthusiast everyman explorer family fan feline fellow foodie forager friend gadabout
gang gardener genius gourmet graduate granddad grandparent groom grownup guardian guest gymgoer handyman hiker
hobbyist homeowner host hostess household housemate human husband infant insomniac inventor juggler kitten knitter
learner listener lodger loner lover maestro maker maverick minimalist muse musician nan neighbour newcomer newlywed
nibbler nomad novice onlooker outdoorsman owner painter partner passenger pedant pensioner perfectionist person pet
photographer pilgrim pioneer pirate player poet puppy purist purr rambler rascal realist rider rival romantic roommate
runner sailor sceptic scholar scientist sibling sidekick sister sleeper snorer soul spectator spouse stargazer
stranger student surfer swimmer teacher teenager thinker tinkerer toddler tourist traveller trekker tribe tutor twin
vagabond visitor walker wanderer warrior weekender wife wizard worrier writer yogi youngster
""",
    "body and senses": """
ankle appetite arm armpit aroma back belly bite bitter blood bone brain breath brow cheek chest chin complexion
crackle crunch ear earthy elbow eyelid face feet fiery finger fingers fingertip fist flavourful foot forehead frame
fruity fullbodied glance gleam glimmer glint glisten glow gut hair hand head heady heart heel hint hip hue instinct
jaw juicy kneecap knuckle lap leg limb lip lung luscious mellow memory mind mouth murmur muscle nape neck nerve nose
nutty palatable palate palm peppery piquant pulse rich ripple rumble rustle savour scalp scent senses sheen shimmer
shin shoulder sight silhouette sizzle skin sleep smile smoky snap sole spice spicy spine squelch stomach stride
succulent sweetness tang tangy tastebud temple throat thumb tinge tiptoe toasty toe tongue tooth torso touch tummy
twinkle undertone velvety voice waist whiff whirr wrist zesty
""",
    "occasions": """
eve anniversaries weekends
anniversary baptism barbecue bash birthday brunch buffet carnival celebration ceremony christening christmas commute
concert course dinner diploma easter engagement errand evening event excursion expedition feast festival festivity
fiesta funeral gala getaway graduation hanukkah holiday homecoming honeymoon housewarming interview jamboree journey
lecture lunch marathon meeting milestone occasion outing parade party picnic pilgrimage playdate presentation
promotion quest race recital rehearsal reunion rite ritual roadtrip seminar show sleepover soiree spree staycation
stroll sunday supper tournament trek trip vacation visit voyage walkies wedding weekend weeknight workout
""",
    "doing things": """
abandon abide absorbed accelerate accept acclaim accustom ache achieve acknowledge acquaint act adapt address adhere
adjourn adjust adopt adorn afford agree aim allow alter amaze amble amuse anchor announce anticipate applaud
appreciate approach approve argue arise arrange aspire assemble assure attend attract awaken banish banter bask bathe
beckon befriend beg begin behold belie belong bestow bet beware bicker blame bless blink bloom blossom blur blush
boast bother bow brag braid brave breathe brighten bring broaden bubble budge bundle burst bustle caress catapult
cater caution cease celebrate challenge champion channel charm chart chat chatter cherish chill chime chuckle circle
claim clamour clatter cling clink coax coil collapse collide combat comfort commence commission commit communicate
compete complement compliment conceal concentrate concern conclude conduct confess confide conjure connect conquer
consider consign consist consists console consume contain contains contemplate contend contrive convey convince cope
cost covet cradle cram craving creep crown cruise crumble cultivate curate cure curl dabble daily damage dance dangle
dart dawdle daydream dazzle debate declare decline decorate dedicate deem defeat defend defy delay delegate delve
demand depart descend deserve desire devote devour dine disagree disarm discard discover discuss disguise dissolve
distract ditch divide dodge donate doodle doubt doze drape drench drift dwell echo elevate elope embark embellish
embody embrace emerge empower enable enchant encounter encourage endure engage enhance enjoy enlist enliven ensure
entail enter entertain entice entrust envelop envision envy escape establish evoke evolve exceed excel excite exclaim
excuse exhale exist expand experiment explore exude fascinate fathom feast feed fend fiddle fidget flatter flaunt
flavour flicker flip flirt flit flock flop flourish flutter forage forget forgo fret frolic frown fulfil fumble gallop
gamble gasp gather gaze giggle glide gloat glow gobble gossip graduate grapple grasp graze greet grieve groan grumble
grunt guarantee guard guess guide gulp guzzle hail hails handed handle happen harness hasten hatch haunt heed hesitate
hibernate hinder hint hitch hog holler honour hoover hop hover huddle hum hunch hurl hush hustle ignite ignore
illuminate imagine immerse impart imply impress inch indulge infuse inhale inherit insist inspect inspire intend
interfere interrupt intrigue introduce invest invite invoke involve itch jangle jazz jingle jog jolt jostle jot juggle
keep kindle kneel labour lag laid lament land languish lather laugh launch lavish laze lead lend level liberate lick
linger linked listen litter loaf loiter loll long loom lounge lull lurk manage marinate marvel masquerade master mean
meander measure meddle melt mention merge mind mingle misplace moan mourn mumble murmur muse muster nag navigate
nestle nibble nourished nudge nurture obey oblige observe occupy occur omit ooze orbit outdo outlive outshine outsmart
outwit overhear overlook overthink overwhelm owe own pace paddle paint pamper pander parade part peek peel peer
penetrate perceive perch persevere persist persuade peruse pine plan play plead please plod plough plunge ponder
possess postpone potter pounce pout practise praise prance preach precede predict prefer preserve preside prevail
proclaim procrastinate prolong promise promote prompt propel propose prosper proves provoke prowl prune pucker purr
pursue puzzle quench quibble quieten quit quiver ramble rattle ravage reappear reassure reclaim recline recommend
reconsider recover rediscover reflect refresh refuel regain regret reign reimagine rejoice rejoin rekindle relish
relive remind reminisce render renew require requires reset resist resolve respect respond rest resume retell retire
retrace retreat return reunite reveal revel revisit revive revolve rewind rival roam roar romp rouse rove ruffle ruin
rumble rummage rustle sample satisfy saunter scamper scatter scold scour scramble scream scribble scroll seal seize
sense sent settle shed shimmy shine showcase shriek shrink shrug shuffle sigh signal simmer sketch skim skimp slam
slay sling slip slouch slump smother smuggle snap snatch sniff snooze snore soar socialise soothe sort sow spark
specification specifications specify spin splurge spoil sprawl sprint sprout squabble squander squash squint squirm
stagger stall startle stash steal step stride strike strive strut stumble submit succumb suffice sulk summon surpass
surprise surrender surround survey swagger swallow swarm sway swear sweat swerve swirl swoop tackle tamper tantalise
taunt teach tear tell tempt tend testify thank thaw thread threaten thrill thrive throb throng thrust thud tilt tinker
toil tolerate toss tour tousle tower trade trample transport travel treasure tremble trick trickle trot trudge tuck
tumble tussle twist unbox unearth unfold unfurl unite unleash unlock unplug unroll untie unveil unwind unwrap uplift
urge vanquish venture verge vote vow wait wallow wander wane warble warm wash waste weave welcome wend whisk whisper
whistle whizz whoop wield wiggle win wince wish witness wobble woo worship wrangle wrap yank yearn yell yield zigzag
zoom
""",
    "thought and talk": """
adage advice agenda allowance alphabet anecdote announcement answer apology applause approval argument aspect attempt
attitude average background basics benefit biography blessing bonus boredom bounty brain burden business caption
career cause caution chance chaos chapter characteristic charm checklist choice chord circumstance claim clarity clash
cliche clue coincidence comfort commitment comparison complaint compliment compromise concept concern conclusion
condition confession confidence confusion connection conscience consequence consideration contemplation context
contrast contribution convenience conviction countdown courage craving creativity criterion culture cure custom
darkness data deadline debate debut decision decoration deed defeat definition degree demand democracy description
destination destiny detail detour devotion dialogue difficulty dilemma direction discipline discovery discussion
disguise distance distraction diversity dose doubt drawback drop duty dynamic education effect effort element
emergency emotion emphasis encore endeavour energy enjoyment equation error essence evidence example exception excess
exchange excitement excuse exercise existence expectation expense experience experiment expertise explanation
expression extent fact factor facts faith fame fantasy fate feat fiction figure figures folklore footnote force
formality formula fortune foundation fraction freedom frenzy frustration future gap generation geometry gesture glory
goal goodness gossip greatness grief guidance guilt habit happiness hassle headache heaven hesitation history hobby
honesty honour hunch hypothesis idea identity illusion image imagination impact importance improvement impulse
incident inclination influence information initiative innovation insight inspiration instance instruction intelligence
intention interaction interest interlude intervention introduction invitation irony item jealousy joke judgement
junction justice knack knowledge language laughter lesson liberty likelihood list literature logic logistics loss
loyalty luck lullaby luxury lyric maintenance majority manner mantra masterpiece math mathematics maths meaning melody
mention mercy merit message metaphor method miracle mission mistake moderation momentum monologue monotony morale
motivation motive motto multitude muscle mystery myth narrative necessity negotiation news nickname norm notion
novelty nuance objection objective obligation obsession obstacle opinion opportunity opposite optimism option orbit
outcome outlook overview paradise paradox paragraph patience perception perfection performance permission perspective
phase phenomenon philosophy phrase plot poetry policy politics possession potential poverty power practice praise
precaution precision preference preparation presence pressure principle priority privacy privilege procedure process
procrastination progress proof prospect proverb punctuation purchase pursuit question quotation rating reaction
reality rebellion recognition recollection recommendation record reference reflection refuge refusal rehearsal
relationship relaxation relevance relief reluctance reminder reputation rescue resolution resort resource respect
response responsibility result revelation revenge revolution rhyme rhythm riddle risk rivalry role romance rumour
sacrifice saga sake sarcasm scale scenario scene schedule scheme score script security selection sensation sentence
sentiment sequel series session setting shame signal signature significance silence simplicity situation slogan
solitude solution somersault sophistication source spec specs spectacle speculation speech spell spontaneity standards
standstill statistics stats strategy struggle substance success suggestion sum summary superstition surrender survival
suspense symbol sympathy symphony syndrome synonym system tactic tale talent task temptation tendency tension
territory test text theme theory tip title topic total tradition transition trend triumph trouble truce trust truth
turmoil twist upside vanity variation variety vengeance verdict verse vibe victory vision vocabulary volume wealth
wellness wisdom wording wrath
""",
    "things around": """
alarm apron armful arrow bagel ballot banknote banner basin basket batch beacon beaker bell bench bicycle binder
blackboard boat body bookcase bouquet bowl boxes brochure bucket bunch bundle cabinet calculator candle candlelight
canoe card carriage cart castle chalk chandelier chimney clock coat coin collection column commode compost couch
crayon crib crockery crumb cube cupboard curtain cutlery dice document doorbell doormat dustpan engine envelope
errands fence ferry file flag folder fork fountain furnishing furniture gadget gear gift glasses globe grid grill
groceries guitar hamper handful haystack headline helmet highway hook horn iceberg jacket jigsaw jug kayak kettle key
keyboard keystroke ladder lantern laptop laundry lawnmower ledger letterbox lineup lunchbox mailbag map mask
masterpiece menu mirror mitten mortgage mosaic motorbike mouthful napkin necklace newspaper notebook notepad oar
ornament page paintbrush painting pair parachute parcel pebble pedestal pedestrian penny phone piano pile plate
playlist pocketful podcast portrait postcard poster pram purse puzzle quilt raft range ribbon rocket row rows rucksack
saddle satchel saucepan saucer scooter screenplay scribble sculpture sheet sheets shelf shell shells shovel shrine
signpost sink skateboard sled sleigh snack sock souvenir spaceship spoonful stack statue stove submarine suitcase
surfboard swing tablecloth tablet taxi teacup teapot telescope television tent ticket toast toaster toolbox tractor
trailer train tram tray treadmill trolley trophy truck tub tunnel typewriter umbrella utensil vase vehicle violin
wagon wallet wardrobe washing wheel wheelbarrow whiteboard wok wreath yacht
""",
    "food and drink at table": """
americano appetiser apple avocado bacon bagel baguette banana batter biscuit bowlful bread breadcrumb brew broccoli
broth brownie burger cabbage cake cappuccino carrot casserole celery cereal cider cinema cocktail cookie croissant
crouton crumble crust cucumber cupcake cuppa curry custard dessert dip dish dough doughnut dressing dumpling egg
espresso fondue fruit gravy greens gulp hummus jam jelly juice kebab ketchup ladle lasagne latte leftovers lemonade
lentil lettuce lunch macchiato marinade marmalade mayonnaise meal meatball melon meringue mocha mocktail muesli muffin
mushroom nightcap noodle omelette onion pancake parsley pasta pastry pea peach pear pickle pie pizza platter popcorn
porridge potato pudding radish ramen ravioli recipe risotto roast roll salad salsa sandwich sauce scone seafood shake
sherry sip smoothie snack soda sorbet soup spaghetti spinach starter steak stew stirfry sushi taco takeaway tart
tartlet tomato topping vegetable veggies waffle whisky wine yoghurt zucchini
""",
    "work and leisure": """
admin aerobics afterwards agenda archery assignment ballet baseball bedtime bookkeeping bowling boxing briefing
browsing calculus camping career carpentry chess choir chore cinema climbing cooking crafting cricket crochet
crossword cycling decorating diary draughts drawing driving email essay exam fencing fishing football gaming gardening
golf hike hobby hockey homework inbox jogging journaling knitting lecture meditation memo napping netflix orchestra
origami overtime parenting photography pilates podcast poker pottery project reading research revision rowing rugby
sailing scrapbooking sewing shift shopping skating skiing soccer spend spending spends spreadsheet studying surfing
swimming tasks tennis timetable trekking typing upkeep video volleyball walk walking weeding woodwork workday workload
workout writing yoga zoom
""",
    "plain adjectives": """
heavy light bright dark big small large tall short long thin thick wide narrow deep shallow round flat square
straight curved
soft hard firm smooth rough sharp blunt clean dirty wet dry hot cold warm cool quiet loud fast slow strong weak old
new young
rich poor full empty open closed safe simple plain fresh ripe raw crisp steady sturdy solid stable bold pale faint
clear
""",
    "how and how much": """
against amid unlike onto despite via upon without within beyond behind opposite versus concerning regarding
throughout minus
abundance abundant additional adequate afar aloft alongside altogether amid amidst amongst apart aplenty arguably
aside astoundingly atop backwards barely beneath bountiful brand briefly brimming broad casual certain chiefly chunky
collectively comparatively considerable constant copious countless crucial current customary decent deceptively
decidedly definite deliberate delightfully dense diverse double downright downward dual due duly entire equal equally
equivalent essential evenly evident excess extensive extra extreme fairly familiar farther few fewer firm former forth
fortunate forwards frankly frequent fundamental general genuine gigantic gradual handful handily heaps hearty hence
huge hugely immense impressive incredible individual infinite initial instantly intact intricate invariably inward
joint key lengthy lesser literal little loads long major manifold marginal mere mild minor minute moderate modest
multiple mutual narrow negligible neither nicely nominal normal notably numerous obvious onboard onwards optional
outward overall overboard par partial particular peculiar permanent plain plentiful plenty portion possible potential
precise precisely predictable primary prime prolonged prominent proportion quantity rarely rather readily regular
relative repeated respective roomy rough scant scarce separate severe sheer short sideways significant similar slender
slight small sole solely spacious sparing sparse specific splendidly spotless squarely standalone staple steady
substantial subtle sudden sufficient sundry surplus swift tad temporary thorough thus tidy tight tightly titanic
toward trifle trivial typical ultimate unending uniform unique unlikely upright upward usual utmost utter vast virtual
visible vital wee weighty well whereby wherein whole wide widely width widthwise zillion
""",
    "shopping": """
aisle available basket bill browse budget buy cash cashier catalogue cent change checkout cheque coin collection cost
customer deal discover earn edition euro expense explore find gift hamper inspect introducing invoice item label line
lineup magazine mailbox meet merchandise money newsletter online order pack packet pamper pay penny pick pocket pound
present presenting price priced product purchase range receipt retail reward save select selection shop shopper spend
stockist store style tag till trade treat trolley unwrap upgrade value wallet wishlist worth
""",
}

HEAD_WORDS = """
with include includes including featuring features contains containing plus comes equipped supplied filled enriched
infused
lined fitted topped finished trimmed packed wrapped offers blended flavoured boasts incorporates made crafted
"""
NUMBER_WORDS = """
two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen
nineteen
twenty thirty forty fifty sixty seventy eighty ninety minus half quarter third dozen pair trio hundred thousand
"""

HEADS = {stem(w) for w in HEAD_WORDS.split()}  # what follows is part of the product
NUMBERISH = {stem(w) for w in NUMBER_WORDS.split()} | {stem(unit) for unit in UNIT if unit.isalpha()}
COMMON_STEMS = frozenset(stem(w) for w in COMMON.split())
GENERAL_STEMS = COMMON_STEMS | {stem(w) for words in (EVERYDAY, *CLASSES.values()) for w in words.split()}
SCENES = """
sky skies sea day days night nights morning mornings afternoon afternoons evening evenings weekend week monday
mondays sunday sundays
november december january february thumb thumbs eyes lie lies mood side tie belt light horizon hour hours
"""
SCENE_STEMS = frozenset(
    stem(w) for words in (SCENES, CLASSES["time and season"], CLASSES["weather and nature"]) for w in words.split()
) | {stem("moment")}
