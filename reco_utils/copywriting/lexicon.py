"""Words that make claims, words that make none, and words that mean the same. Text only; the rules are in `claims.py`.

Spaces separate words, commas separate phrases. The lists were written from general knowledge of shops, kind by kind.
"""

SAME = """
adjust adjustable; adult grown grownup; almond almonds; aluminium aluminum; automatic automatically automated
baby babies infant; bag pouch; box boxed; button buttons buttoned; caffeine caffeinated; camomile chamomile
camp camping; carat karat; cat cats; certified certification certificate certificated certify
charge charging charged recharge rechargeable; child children kid kids; chocolate cocoa cacao; climb climbing
coast coastal; colour color coloured colored; cordless wireless; crust crunchy crunch; cushion cushioned cushioning
cycle bike bicycle; delivery deliver delivered shipping ship shipped postage; depth deep; diameter; dim dimmable
dog dogs; dot dotted; enamel enamelled enameled; fat; fibre fiber; fibreglass fiberglass; flower floral flowers
fold foldable foldaway; forge forged; fragrance scent scented perfume fragranced perfumed; freeze freezer frozen
garden gardening; gold golden; grey gray; guarantee guaranteed warranty; hand hands manual
handle grip; harvest harvested
height high tall; herb herbal; hike hiking; hob cooktop; hood hooded; hoover vacuum; include inclusive included
insulate insulated insulation; iron ironing; jewellery jewelry; jumper sweater pullover; kilo kilogram
knit knitted knitwear; lacquer lacquered; laptop notebook; leak leakproof; length long; lid cap; lined lining
machine; magnet magnetic; man men men's; mat matt matte; mould mold; non-slip anti-slip nonslip slipproof; oil oiled
pack packet; pattern patterned print printed; person people; photo photograph picture
playback play plays; player players; press pressed; protein; quilt quilted; rate rating rated; recommend recommended
refill refillable; reflect reflective; remove removable; repellent repel repels; resistant resistance resist
reuse reusable; review reviews; rib ribbed; roast roasted; run running runner; sand sandy; silicone; smoke smoked
sofa couch; spoon spoonful; spring sprung; star starry; steam steamed; stitched stitch; stock; strap straps
stripe striped; suede; teen teenager; thickness thick; torch flashlight; trainers sneakers; tumble; tv television
tyre tire; vanilla; vegetarian veggie; velcro hook-and-loop; wash washable; water waters; wax waxed
weight weigh weighs weighted; width wide broad; woman women women's ladies; wood wooden timber; wool woollen woolen
"""

IMPLIES = """
elastane: stretch elastic; spandex: stretch elastic; lycra: stretch elastic
shade: colour; hue: colour; tint: colour; picture: photo; snap: photo; shoe: pair; socket: port
slot: port; chapter: part
abs: plastic; acacia: wood; acrylic: plastic; alentejo: portugal; almond: nut; alpaca: wool; aluminium: metal
andalusia: spain spanish; android: phone; anthracite: grey; armchair: seat chair; ash: wood; assam: india indian
atlas: map book; aubergine: purple; azure: blue; bamboo: wood; bavaria: germany german; beans: bean
beech: wood hardwood; beef: meat; beginner: beginners; bench: seat; birch: wood; bluetooth: wireless
bordeaux: france; borosilicate: glass; bottle: flask; brass: metal; breathable: breath; burgundy: red; cashew: nut
cashmere: wool; cat: pet; catalonia: spain spanish; cedar: wood; ceylon: sri lanka; chair: seat; charcoal: grey
cherry: red; chestnut: brown; chicken: poultry meat; cobalt: blue; cod: fish; cookbook: recipe book; copper: metal
corduroy: cotton; cornwall: england; cotton: cottony; crete: greece greek; crimson: red; crystal: glass
darjeeling: india indian; decaf: caffeine; denim: cotton; dog: pet; down: feather; drill: tool; earthenware: ceramic
emerald: green; england: britain; espresso: coffee; flannel: cotton; florence: italy italian; gluten: wheat
gots: organic; guide: book; hammer: tool; handmade: hand made; handwoven: hand; hardback: hardcover book
hardcover: book; hardcover: hardback; hazelnut: nut; hypoallergenic: allergy; indigo: blue; induction: hob
iphone: phone; ipx7: waterproof; ipx8: waterproof; iron: metal; ivory: white; jigsaw: puzzle; kid: child
kyoto: japan; lamb: meat; lambswool: wool; lavender: purple; leather: skin; lilac: purple; limoges: france
london: england; loose: leaf; lumbar: back; mango: wood; maple: wood; matcha: tea; merino: wool; mesh: breath
milan: italy italian; mint: green; mohair: wool; moss: green; muslin: cotton; mustard: yellow; navy: blue
normandy: france french; novel: book; nubuck: leather; nylon: synthetic; oak: wood hardwood; oats: oat cereal
olive: green; paperback: book; pecan: nut; pine: wood; pistachio: nut; plum: purple; plush: soft; plywood: wood
polycarbonate: plastic; polyester: synthetic; polyethylene: plastic; polypropylene: plastic; poplin: cotton
porcelain: ceramic; porto: portugal; provence: france french; puglia: italy italian; pvc: plastic
rechargeable: battery; sage: green; salmon: fish; scarlet: red; scotland: britain; sencha: tea; sheffield: england
shizuoka: japan japanese; sicily: italy italian; silk: silky; slate: grey; sofa: seat; solid: bar
solingen: germany german; stainless: steel metal; steel: metal; stoneware: ceramic; stool: seat; suede: leather
tan: brown; taupe: brown; teak: wood; teal: blue green; terracotta: clay ceramic; titanium: metal; tube: tube
tuna: fish; turquoise: blue; tuscany: italy italian; uji: japan japanese; usb: cable; vegan: vegetarian plant
violet: purple; wales: britain; walnut: nut; walnut: wood; waterproof: water resist; wi: wifi; yorkshire: england
zinc: metal
"""

COUNTRIES = """
africa african; albania albanian; alpine alps; amalfi; amazon amazonian; america american americas; andalusian
arctic; argentina argentine argentinian; asia asian; atlantic; australia australian; austria austrian; baltic
bavarian; belgium belgian; berlin; black forest; bolivia bolivian; brazil brazilian; britain british uk
bulgaria bulgarian; cambodia cambodian; canada canadian; chile chilean; china chinese; colombia colombian; copenhagen
cornish; croatia croatian; cuba cuban; cyprus cypriot; czech czechia; denmark danish; ecuador ecuadorian
egypt egyptian; england english; estonia estonian; ethiopia ethiopian; europe european; finland finnish
florence florentine; france french; germany german; ghana ghanaian; greece greek; guatemala guatemalan
highland highlands; himalaya himalayan; honduras honduran; hungary hungarian; iceland icelandic; india indian
indonesia indonesian; iran iranian persian; ireland irish; israel israeli; italy italian; jamaica jamaican
japan japanese; kenya kenyan; korea korean; latvia latvian; limoges; lithuania lithuanian; london; luxembourg
madagascar; malaysia malaysian; mediterranean; mexico mexican; milan milanese; morocco moroccan; murano
nepal nepalese; netherlands dutch holland; norway norwegian; pacific; pakistan pakistani; panama; parisian paris
peru peruvian; poland polish; portugal portuguese; provencal provence; romania romanian; russia russian
rwanda rwandan; scandinavia scandinavian nordic; scotland scottish; serbia serbian; sicilian; slovakia slovak
slovenia slovenian; spain spanish; sweden swedish; switzerland swiss; taiwan taiwanese; tanzania; thailand thai
tokyo; tunisia tunisian; turkey turkish; tuscan; uganda ugandan; ukraine ukrainian; usa; vietnam vietnamese
wales welsh; yorkshire
"""

SAME_CLAIMS = """
made in, made by, crafted in, produced in, manufactured in, manufactured by, built in, manufactured, manufacture
fair trade, fairtrade, fairly traded, fair-trade
handmade, hand made, hand-made, made by hand, handcrafted, hand crafted, hand-crafted, crafted by hand, by hand
machine washable, machine-washable, machine wash, machine-wash, washing machine
dishwasher safe, dishwasher-safe, dishwasher proof, dishwasher-proof, dishwasher
non slip, non-slip, anti-slip, slip-resistant, anti slip, slip resistant
leak proof, leakproof, leak-proof
water repellent, water-repellent, repels water, showerproof, water-resistant, water resistant
hands free, hands-free
hardwearing, hard wearing, hard-wearing
one size, one-size
gift box, gift-boxed, gift boxed, presentation box
hypoallergenic, hypo-allergenic
recycled, upcycled
made to measure, tailored
"""  # phrases that say the same: one is supported where the facts say another of its line

FUNCTION_WORDS = """
a an the of for and or to in on at by with from as is are be it its this that these your you our we up per each than
then so but if into onto over under about just only up very more most all any both every has have had will can may not
no one out between across through behind against after before among around near along within during until since when
while where because though although also too even still yet there here beside above below beneath inside outside off
"""

CLAIMS = {
    "material": """
baby alpaca, aluminum, woollen, woolen, wooden, timber, fiberglass, fiber, enameled, enamelled, =plated, 14 carat, abs
acrylic, alabaster, alpaca, aluminium, angora, bakelite, bamboo, beech, beeswax, birch, birchwood, bonded, bone china
borosilicate, boucle, bpa, brass, bronze, buckwheat, calfskin, canvas, carat, carbon, carbon fibre, cardboard
cashmere, cast iron, cedar, ceramic, chambray, chenille, cherrywood, chiffon, chrome, chrome plated, chromium, clay
coconut fibre, coir, concrete, copper, corduroy, cork, cotton, cowhide, crepe, crystal, damask, denim
down and feathers, down feathers, down filled, down jacket, duck down, duckdown, earthenware, egyptian cotton
eider down, elastane, enamel, eucalyptus, eva, faux, faux fur, faux leather, feather, felt, fibreglass, flannel, flax
fleece, foam, full grain, fur, gabardine, gauze, gel, genuine, glass, goatskin, gold plated, goose down, gore tex
granite, graphite, hardshell, hardwood, hdpe, hemp, hickory, hollow fibre, horn, horsehair, imitation, iron, ivory
jacquard, jersey, jute, kapok, kevlar, lambswool, larch, latex, leather, leatherette, linen, lycra, lyocell, mahogany
mango wood, maple, marble, mdf, melamine, memory foam, merino, mesh, metal, microfibre, modal, mohair, mother of pearl
mulberry, muslin, nappa, neoprene, nickel, nubuck, nylon, oak, onyx, organic cotton, organza, oxford cloth, papier
paraffin, particle board, patent leather, pearl, percale, pewter, pima, pine, plaster, plastic, platinum, plexiglass
plywood, polyamide, polycarbonate, polyester, polyethylene, polypropylene, polyurethane, poplin, porcelain, pvc
quartz, raffia, ramie, rapeseed wax, rattan, rayon, redwood, resin, rhinestone, ripstop, rope, rosewood, rubber
sandstone, sateen, satin, seagrass, seersucker, shearling, sheepskin, sherpa, silicone, silk, silver plated, sisal
slate, softshell, softwood, solid, solid wood, soy wax, spandex, spruce, stainless, stainless steel, steel, sterling
sterling silver, stoneware, straw, suede, sustainable cork, synthetic, tarpaulin, teak, tempered, tencel, terracotta
terry, thermoplastic, tin, titanium, top grain, tpe, travertine, tungsten, tweed, twill, vegan leather, velour, velvet
veneer, vinyl, viscose, walnut, walnut wood, wax, wicker, willow, wire, wood, wool, woven, zinc
""",
    "colour": """
gray, golden, striped, amber, anthracite, apricot, aqua, aquamarine, aubergine, azure, beige, black, blonde, blue
bordeaux, brown, burgundy, camouflage, cerise, champagne, charcoal, chequered, cobalt, colourless, copper, coral
crimson, cyan, ecru, emerald, floral, fluorescent, fuchsia, gingham, gold, green, grey, indigo, iridescent, ivory
khaki, lavender, leopard, lilac, lime, magenta, maroon, mauve, metallic gold, mink, monochrome, multicolour
multicoloured, mustard, navy, neon, nude, oatmeal, ochre, off white, olive, orange, pastel, peach, petrol, pink
pistachio, plum, polka dot, purple, rainbow, red, rose gold, ruby, rust, sage, salmon, sapphire, scarlet, sepia
sienna, silver, tartan, taupe, teal, terracotta, tortoiseshell, transparent, turquoise, umber, vermilion, violet
white, yellow
""",
    "certification": """
highest standards, eu standards, industry standards, international standards, accreditation, accredited, antimicrobial
approved, asc, b corp, baby safe, bci, biodegradable, biodynamic, blue angel, bluesign, carbon, carbon neutral, ce
ce mark, certification, certified, child safe, climate neutral, climate positive, clinically, co2, compliant, complies
compostable, conform, cosmos, cruelty, demeter, der blaue engel, dermatologically, dermatologist, doc, docg, eco
eco friendly, ecocert, ecolabel, ecological, en71, energy class, energy efficient, energy star, environment
environmental, ethical, fair trade, fairtrade, fda, food grade, free range, fsc, gmo, gots, grass fed, grs, halal
hygienic, ip67, ip68, ipx4, ipx7, iso, kosher, lab tested, laboratory, leaping bunny, licensed, line caught
medical grade, military grade, mit, msc, mulesing, natrue, nhs, non gmo, non toxic, nontoxic, nordic swan, nsf, oeko
oeko tex, official, ophthalmologist, organic, organically, paediatrician, patent pending, patented, pdo, pediatrician
pefc, pgi, pole caught, professional grade, protected designation, rainforest alliance, rds, recyclable, recycled
regulation size, responsibly, rohs, rws, sanitised, seal of approval, single estate, single origin, sterile
sustainability, sustainable, sustainably, tested, tournament, traceable, tuv, ul listed, upcycled, usda, vegan
vegetarian, wild caught, zero waste
""",
    "warranty": """
guarantee, guaranteed, insurance, insured, life time, lifetime, money back, no questions asked, refund, refundable
refunded, repair service, return policy, right of return, send it back, spare parts, trial period, try it at home
warranty
""",
    "price": """
bargain, best price, black friday, bogo, bonus, cashback, cheapest, clearance, complimentary, coupon, cyber monday
discount, discounted, down from, free gift, free of charge, get one free, gift with purchase, gratis, half price
half the price, installments, instalment, introductory, lower price, lowest price, marked down, member price
no  extra charge, no extra cost, pay in, pay later, price drop, price match, promo, promotional, rebate, reduced, rrp
sale, special  special price, subscription, three for two, two for one, voucher
""",
    "urgency": """
overnight delivery, overnight shipping, act fast, act now, almost gone, arrives tomorrow, available again
available now, back in stock, before it is gone, before it s gone, before midnight, before they are gone
before they re gone, buy now, by tomorrow, click and collect, countdown, dispatch, dispatched, don t miss, ends at
ends friday, ends soon, ends sunday, ends today, ends tomorrow, ends tonight, exclusive, expire, express, few left
final call, final day, final hours, final stock, first come, flash sale, free delivery, free postage, free returns
free shipping, going fast, going quickly, gone soon, home delivery, hours only, hurry, immediately available, in stock
in store, just arrived, last chance, last few, last in stock, last pairs, last pieces, limited edition, limited offer
limited quantities, limited run, limited stock, limited time, low stock, miss out, nearly gone, new arrival, next day
now or never, offer ends, one day only, online only, only today, order before, order by, order now, order today
order tonight, pick up in store, pre order, preorder, ready to ship, restock, =running low, =running out, sale ends
same day, sell out, selling fast, ships today, shop only, snapped up, sold out, this week only, this weekend only
tonight only, until midnight, while stock lasts, while supplies last, within 24 hours, won t be back, won t last
""",
    "health": """
shinier coat, shiny coat, glossy coat, silky coat, whiter teeth, joint relief, aches, acne, allergen, allergies
anti ageing, anti aging, anti bacterial, anti inflammatory, anti stress, antibacterial, antioxidant, anxiety
arthritis, asleep faster, asthma, backache, bacteria, better sleep, blemishes, bloating, blood pressure, blood sugar
blue light, boost, brightening, burn fat, calms nerves, calories, cellulite, cholesterol, circulation, clinical, colic
collagen, cramp, cure, dandruff, dental, depression, detox, detoxifies, detoxifying, diabetes, diabetic, dietitian
digestion, digestive, doctor, eczema, eliminates, energising, energizing, eye strain, fall asleep, fat burning
fatigue, fever, fine lines, firming, flu, germs, hair growth, hair loss, hangover, headache, healing, heals, health
healthier, hyaluronic, hydrates, hydrating, hydration, hypoallergenic, immune, immunity, infection, inflammation
insomnia, kills, lose weight, medical, medicinal, medicine, menopause, metabolism, migraine, mineral, moisturises
moisturising, moisturizing, muscle recovery, nausea, nourishes, nutritionist, nutritious, omega, orthopaedic
orthopedic, paediatricians, pain, pharmacist, physician, physiotherapist, plumping, posture, prebiotic, pregnancy
prevent, probiotic, protects against, proven, psoriasis, purifies, purifying, reduces, regenerates, rejuvenates
rejuvenating, relieve, retinol, scientifically, sensitive, skin tone, sleep better, slimming, soothes, soreness, spf
strengthens, stress relief, sun protection, superfood, teething, therapeutic, tiredness, toxins, uv, virus, vitamin
weight loss, wellbeing, wrinkle, youthful
""",
    "social-proof": """
prize =winning, =winning, best rated, top rated, 5 star, acclaimed, as seen, athletes, award, baristas, best loved
best seller, best selling, bestseller, bestselling, celebrities, champions, chefs, chosen by, critically acclaimed
critics, crowd favourite, cult, customer favourite, dermatologists, editor, endorsed, everybody loves
everyone is talking, everyone loves, experts, famous, fan favourite, favourite among, favourite choice, favourite of
favourite with, featured in, five star, happy customers, highly rated, hundreds of, iconic, influencer, instagram
legendary, medal, michelin, midwives, most gifted, most loved, most wanted, must have of the year, new york times
number one, olympic, our customers, customers love, parents love, parents trust, people love, popular
prize winning, professional
recommended, recommends, relied on, renowned, repeat customers, review, reviewers, sold worldwide, swear by
testimonials, tiktok, trainers choose, trusted by, used by, veterinarians, veterinary, vets, viral, voted
""",
    "superlative": """
leading brand, leading manufacturer, bar none, barista quality, beats any, beats every, best in class, best quality
better than any, breakthrough, cutting edge, ever made, everlasting, finest quality, first of its kind, flawless
groundbreaking, highest quality, hotel quality, in its class, in the business, incomparable, indestructible
industry leading, innovative, last forever, lasts a lifetime, like no other, like nothing else, luxury grade
market leading, miracle, money can buy, never breaks, never fades, never fails, next generation, no 1, none better
nothing better, number one, of all time, of its kind, on the market, one of a kind, outperforms, peerless, premium
professional quality, restaurant quality, revolutionary, salon quality, second to none, state of the art
studio quality, superior, supreme, than any other, than ever, the only, top of the range, top quality, unbeatable
unbreakable, unequalled, unlike any other, unmatched, unparalleled, unrivalled, unsurpassed, world class, world first
world leading, you can buy, you ll ever, you will ever
""",
    "origin": """
our workshop, a workshop, small workshop, family workshop, workshop in, artisan, artisanal, assembled in, atelier
baked in, barrel aged, bottled in, brewed in, built in, cooperative, crafted in, craftsman, craftsmanship, craftsmen
designed in, family farm, family owned, family recipe, family run, farmers, forged in, founded in, grown in
hand blended, hand blown, hand carved, hand crafted, hand cut, hand dyed, hand embroidered, hand finished, hand forged
hand harvested, hand knit, hand made, hand painted, hand picked, hand polished, hand poured, hand printed
hand roasted, hand rolled, hand sewn, hand stitched, hand thrown, hand tied, hand tufted, hand woven, handcrafted
handmade, handpicked, handstitched, handwoven, harvested in, heritage, home grown, homegrown, homemade, imported
locally grown, locally made, locally sourced, made by, manufacture, manufactured, master craftsmen, monks, nuns
orchard, printed in, produced in, roasted in, sewn in, since 18, since 19, single farm, small batch, sourced from
stitched in, stone ground, traditional recipe, vineyard, weavers, wood fired, woven in
""",
    "feature": """
taped, ripped, distressed, vintage look, beeps, vibrates, clumps, clumping, =recharge, heats up in, =outdoor, spiral
wire bound, ring bound, saddle stitched, cloth bound, leather bound, hardbound, hardback, softcover, board book
=filling, =matte, =coating, colour photographs, 24 months aged, 4g, 4k, 5g, 7 zone, abridged, absorbent, absorbs
accessories, acetate, acid free, adapter, adaptor, added sugar, additives, adhesive, adjustable, adjustable feet
adjustable shelves, afterword, aged in, aha, air dried, airplay, airtight, alarm function, alcohol, alerts, alexa
alignment lines, all ages, all breeds, all day, all night, all season, all skin types, allantoin, allen key
almond oil, aloe, altimeter, amoled, amplifier, android, animal sounds, ankle support, answer calls, answer key
anti burst, anti colic, anti fog, anti slip, antique, app, applicator, appliqué, arch support, argan, armrests
artificial, assembled, assembly, attachments, audiobook, author interview, auto off, auto shut off, autofocus
autographed, automatic, automatically, aux, avocado oil, backlight, backlighting, backlit, bag dispenser, barometer
bass boost, bath toy, batteries, bee friendly, beginners, belt clip, belt included, belt loops, bha, bias cut, bifocal
biotin, bit holder, blackout, bleed proof, bluetooth, boat neck, bonnell, bonus bits, bonus chapter, bookmark
bottle holder, bourbon vanilla, box spring, bracket, brake, breathable, brushes, brushless, buckle, built in, bulb
bulletproof, buttons, cable duct, cable knit, cable management, calendula, camera, canopy, car seat, carabiner
card reader, card slot, carry bag, carry case, cask aged, cassette, casters, castors, category 3, catnip, cd
ceramic coated, ceramide, cereal free, ceremonial, charcoal, charger, charging case, charging dock, charging station
chew proof, child lock, child mode, child proof, childsafe, chlorine, chromecast, chunky knit, clasp, cleats, =coated
cocoa butter, coconut oil, cold brewed, cold foam, cold pressed, cold pressed kibble, collapsible, collar, collectors
colour photos, coloured hair, colourfast, compartment, compass, compatible with, convertible, cooling effect
cooling fabric, cooling gel, cordless, cotton wick, crease free, crease resistant, crew neck, cropped, cross platform
crumb tray, cucumber extract, cuffs, cup holder, cup warmer, curly hair, cushioned, cushioned sole, dab, damascus
decaf, decaffeinated, deer resistant, defrost, dental care, descaling, detachable, diaper, dice, dimmable
disease resistant, dishwasher, disposable, divider, dolby, doorbell, double bounce, double breasted, double sided
double wall, doubles as, dovetail joints, dovetailed, download, downloadable, drainage, drawer, drawstring, drip free
drip free candle, drip stop, drip tray, dropper, drought, dry aged, dry clean, dry hair, dry skin, dust bag
dust jacket, dustproof, duvet, dvd, e book, ear plugs, early cropping, easy grip, easy iron, ebook, echo cancellation
edible, educational, elastic, elasticated, embossed, embossing, embroidered, embroidery, energy saving, engravable
engraved, engraving, enriched, envelope closure, enzyme washed, equaliser, equalizer, ergonomic, ergonomically
essential oil, ethernet, eucalyptus, ever sharp, evergreen, exercise guide, exfoliates, exfoliating, expandable
expandable storage, expansion, extendable, extendible, extension cord, extra large, extra long, extra soft
extra strong, face recognition, fade resistant, fair isle, fast charge, fast drying, faux fur trim, feather toy
fermented, fertiliser, fertilizer, filter, filtered, fingerprint, fire resistant, fire retardant, fireproof
first edition, first flush, first in a series, fitted sheet, flame retardant, flameproof, flatlock, flavour enhancers
fleece lined, =floats, flowers, fly sheet, fm radio, foaming, foil stamped, foldable, folding, folds, footprint
footrest, footstool, foreword, fortified, forward and reverse, four season, fragrance, fragranced, fragrant
free recipe, free sample, freestanding, freeze dried, =freezer, fringe, fringed, from birth, from the author of
frost proof, frost resistant, frother, full hd, full tang, fully assembled, fully lined, fur trim, garment dyed
gas lift, gas spring, geofencing, gift bag, gift box, gift card, gift message, gift packaging, gift ready, gift set
gift tin, gift voucher, gift wrap, giftbox, gilt edge, glass doors, glitter, glossary, glossy, glow in the dark
glucosamine, gluten, glycolic, google assistant, gore, gps, grand cru, grapeseed, green tea extract, greeting card
grinder, grippy, groundsheet, growth chart, gusset, gusseted, guy ropes, hammer action, hammer function, hammered
hand loomed, hand rolled, hand sharpened, hand wash, handle, hands free, hanging hole, hanging loop, hard case
hard wearing, hardy, harness, hdmi, hdr, head cushion, headboard, headphone jack, headrest, heart rate
heart rate monitor, heat resistant, heating function, heavy duty, heel, height adjustable, herringbone, hi fi, hi res
high fibre, high in fibre, high protein, high resolution, high waisted, himalayan salt, hip belt, hip support
hollow ground, homekit, hood, hooded, hot swappable, hotel closure, houndstooth, human grade, hyaluronic acid
hydration bladder, hydration pack, hydraulic, hygrometer, hypoallergenic recipe, id tag, illustrated, illustrations
image stabilisation, impact function, in seconds, =indoor, induction, infuser, inner tent, insole, installation
installed, instructions included, insulated, interactive, interchangeable, interchangeable blades, ios, iphone
iron free, isofix, jingle bell, joint care, jojoba, keep warm, keeps cool, keeps you cool, keratin, keto, key included
key ring, keyless, keyring, kickstand, kiss proof, kittens, laces, lactose, large dogs, large print, large type, laser
lasts all day, lavender, lay flat, layflat, lead free, leak proof, leave in, led, led light, left handed
levelling feet, lid, light up, lightning cable, =lined, liner, lock and key, lockable, long lasting, long wear
longer lasting, loose leaf, lossless, low calorie, low carb, low fat, low salt, low sodium, low sugar, lte, lugged
lumbar, luminous, macadamia, machine =washable, machine wash, machine washable cover, magnet, magnetic, mains powered
makes calls, marula, massage, maternity, mattifying, matured, matured in, measuring cup, measuring scale
measuring spoon, meat first, melody, mercerised, mesh panel, mica, microphone, microsd, microwavable, microwave
mildew, mirrored, modular, moisture wicking, monogram, monogrammed, montessori, mortise, mosquito net, mothproof
motion detection, motion detector, motor, mounting kit, mouthpiece, msg, multiplayer, music box, musical, mycorrhiza
name tag, nappies, natural ingredients, natural origin, nestable, nesting, new edition, newborn, nfc, niacinamide
night light, night mode, night vision, nightlight, no tears, no tools, noise cancellation, noise cancelling
noise reduction, noiseless, non comedogenic, non crease, non drip, non greasy, non iron, non slip, non slip feet
non stick, nonstick, nose clip, notifies, nozzle, number pad, numbered edition, numbered pages, nut free, oak aged
odour, odourless, offline, oil free, oily skin, oled, olive oil, omega 6, one click, one touch, online course
online play, orthotic, ottoman, outsole, oven baked, oven proof, oven safe, overheat protection, overheating
oversized, packaging, packed with vitamins, =padded, padded seat, page numbers, paleo, palm oil, pan ready, panthenol
paper packaging, paraben, parental controls, part of a series, pasteurised, peated, pedals, pedometer, pegs, pen loop
peptide, perennial, perforated, perforated pages, perfume, perfumed, perlite, personalise, personalised, personalized
pest, petite, ph balanced, ph neutral, photochromic, pillowcase, pink salt, pinstripe, piping, plant based, plastic
playstation, pleated, plinth, plus size, pocket, polarised, polarized, polo neck, pom poms, poo bag, poster
potato free, pouring lip, power bank, power saving, power socket, power supply, pre assembled, pre seasoned
pre shrunk, pre washed, preamp, prebiotics, presentation box, preservatives, prewashed, probiotics, protein rich
pull out, pull out map, pulse function, pump, puncture proof, puncture resistant, puppies, push latch, push to open
pyramid bags, q10, qr code, quick charge, quick dry, quick release, quilted, radio alarm, raglan, rain cover
rainproof, ratchet, rattle, ready assembled, ready to eat, ready to hang, rear facing, rechargeable, recipe book
recipe booklet, recipes by, reclines, reclining, recycled packaging, reeds, refill, refillable, refined sugar
reflective, reheat function, reinforced, reinforced knees, reinforced toe, relaxed fit, remote control, removable
removable cover, removable lining, removable shelves, repair kit, repair patch, replaceable, resistance bands
retractable, reusable, reversible, revised edition, rfid, ribbed, ribbon marker, right handed, rinse free, rock salt
rocking, roll neck, root barrier, rose water, rosewater, rotates, rotating, rounded, rubber feet, rubberised
rubberised grip, rubberized, ruffles, ruler, rust resistant, rustproof, safety toe, salicylic, salt water, sanforised
sap groove, scented, scratch board, scratch proof, scratch resistant, screws, sd card, sealed seams, seam free
seam sealed, seamless, seat belt, second edition, second flush, seedless, self cleaning, self closing, self healing
self heating, self inflating, self pollinating, self seeding, self sharpening, self watering, senior, sensor, sequins
serrated, seven zones, shade grown, sharpener, sharpening stone, shatterproof, shea, shockproof, showerproof, signed
silent, silicones, sim, single breasted, single cask, single player, single protein, single use, siri, slats
sleep mode, sleep tracking, sleeveless, sleeves, sliding doors, slim fit, slip resistant, slipcase, slow cooked
slow flow, slow release, slow roasted, slug resistant, small dogs, smart home, smartphone, smudge proof, snail mucin
snuffer, soap free, soft case, soft close, soft close hinges, soft grip, soft touch, solar, solid back, soon a film
soot free, sound effects, soundproof, source of fibre, source of protein, spare blade, spare lead, spare nib, spatula
speakers, special edition, spikes, spill proof, spirit level, splash proof, spout, squalane, squeaker, squeaks
stabilisers, stackable, stain repellent, stain resistant, standby mode, stay cool, steam sterilisable, steam wand
steamer, steel toe, stencil, step counter, stepless, sterilisable, steriliser, sterilizer, stickers, stone baked
stone milled, stone washed, stonewashed, stopwatch, storage bag, storage box, storage case, storage space, storm flap
strainer, strap, straw, stretchy, studs, stylus, submersible, subwoofer, sugar free, sulfate, sulphate, summer side
sun dried, sun protective, surround sound, suspension, swaddle, sweat resistant, sweatproof, swim cap, swim proof
switches itself off, swivel, syncs, tagless, take calls, taped seams, tassels, tasting notes, taurine, tea tree
tear free, tear resistant, tearproof, teether, telescopic, temperature display, temperature regulating, thermal
thermometer, thermoregulating, thermos, thermostat, third edition, thornless, thread count, thread sewn, thumb holes
thumbholes, tilting, tilts, timer, tin included, tinted, toddler, toe cap, tog, tool bag, tool free, tools included
tote bag, touch control, touch screen, touchpad, touchscreen, trackpad, training plan, transfer proof
transfer resistant, transforms into, translated from, travel case, treat dispenser, trickle charge, triple walled
tripod, true story, truffle oil, tumble drier, tumble dry, tumble dryer, turbo, turntable, turtleneck, tv series
two way talk, ultra hd, unabridged, unbleached, undated, under bed storage, underlay, unfiltered, unisex, unlimited
unlined, unpasteurised, unscented, upf, urea, usb, usb c, user manual, uv 400, uv resistant, v neck, vacuum insulated
vacuum sealed, valve, variable speed, vegan friendly, ventilated, ventilation, vents, vestibule, vet formulated
vibram, vibration, video course, viscose foam, visor, voice assistant, voice commands, voice control, wall mountable
=washable, washing machine, water level, water proof, water repellent, water resistant, water tank, weather resistant
weather station, weatherproof, weed killer, wheeled, wheels, whisper quiet, whistle, whole grain, wholegrain
wholemeal, wicking, wide fit, wifi, wind proof, wind resistant, winter side, wipe clean, wireless charging
witch hazel, wood smoked, wooden wick, work light, workout guide, wrinkle resistant, yarn dyed, year round, zigbee
zip, zipped, zipper, zoom lens
""",
}

# ordinary words of any text: they claim nothing, not even after "with" and "includes"
COMMON = """
a about above across actually after afternoon again ahead air all almost along already also always am amid among
amongst an and any anybody anyone anything anyway apart apiece are around as aside at attention autumn away awkward
back bad barely basics be beautiful beautifully beauty because become becomes bed been before behind being believe
below beneath besides best better between beyond big bigger bit bits blame blank boring both breakfast breath bright
brightly bring brings busy but buy by call calm came can cannot care careful carefully carry catch chance change
character charm charming chat cheer cheerful cheers choice choices choose city class classic clean clever clock close
closer clutter colour come comes comfort comfortable comfy company complete completely confidence confident contrast
cook cooking cool corner corners cosy count couple course cozy crave creative crowd cup curious curl daily dance dare
dark date dawn day days decide deep deeply delicate delicious delight delightful deserve deserves design designed desk
despite detail details did difference different dinner dinners discover do does doing don done door down drama dream
dreams dreamy dress drink drop dusk each early ease easily easy eat edge effort effortless effortlessly either
elegance elegant else end ends energy enjoy enough entire especially essential essentials even evening evenings ever
every everybody everyday everyone everything everywhere exactly excellent except exciting experience explore explorers
extra eye eyes fabulous face fair family fancy far fashion fast favourite feature features feel feeling feels feet few
finally find finds fine finish firmly first fit fits five fix flair flavour flick flow focus follow food foot for
forever forget forgotten forward free freedom freely frequently fresh friday friend friendly friends from front full
fully fun further fuss future gathering generally gently genuinely get gets getting gift gifts give gives gladly
glance go goes going gone good goodbye gorgeous grab grace great ground grow guess guest guests had hair half hand
hands handy happen happens happily happiness happy hard hardly has have having he head hear heart hearts hello help
helps hence her here hers hidden high him his hit holiday holidays home homes honest honestly hope host hosting hour
hours house how however hug hugs hunger hurry i idea ideal ideas if imagine impress impression in indeed indulge
indulgence inside inspiration inspired instead into invite inviting is it item its itself january job journey joy
joyful just keep keeping keeps kept kind kindly kinds kitchen knee know known knows large largely last late later
laugh laughs lazy lean learn least leave leaves left legs less let lets life lifestyle lift light lightly lights like
likes line lines list listen little live living ll long longer look looking looks lose lot lots love loved lovely
lovers loves low luck lunch luxurious luxury made magic main mainly make makes making manners many mark match matter
matters may maybe me meal meals mean means meant meanwhile measure meet meets memories memory merely mess middle might
mind minute minutes mistake moment moments monday mondays money mood moods more moreover morning mornings most mostly
mouth move moves much must my name natural naturally near nearly neatly need needs neither never new next nice nicely
night nights no nobody none nonetheless noon nor not note nothing notice now number odd of off often oh ok okay old on
once one ones online only open openly or order ordinary other others otherwise ought our out outfit outside over own
pace pair parents part partly party pass past patience patient peace people perfect perfectly perhaps person
personality pick picnic piece pieces place places plain plan plans play player please pleasure plenty plus point
politely possibilities possible practical present pretty pride probably problem product promise promises proper
properly proud proudly pure purpose purse put puts quick quickly quiet quietly quite rain rainy range rarely rather
reach read ready real really reason reasons recipe refined refinement relax relaxed relaxing remember reminds rest
right rightly ritual road room rooms round routine run rush sadly safely said same saturday saturdays save savour say
says school sea season seasons second secret see seen seldom self sense serious seriously serve served serves set sets
several shape share shared she shelf shine shop short shortcut should show side sight simple simplicity simply since
single sink sit sitting size skip sky sleep sleepy slim slip slow slowly small smart smell smells smile smiles
smoothly snug so sofa soft softly some somebody someone something sometimes somewhere soon sooner sophisticated sort
soul sound sounds space spare special spirit spot spring stand start starts statement stay stays steady step steps
stick still stop stories story straight stress strong stuff style styles stylish such summer sun sunday sundays sunny
sunshine supper suppers sure surprise sweet table tables take takes taking talk taste tastes team tell ten than thank
thanks that the their theirs them themselves then there therefore these they thing things think this those though
thought thoughtful through throughout thursday thus time timeless times tiny to today together tomorrow tonight too
top touch tough toward towards town trails travel treat trick tried trip true truly trust try tuesday tune turn turns
twice two ultimate under understated until unwind up upgrade upset us use used useful usual usually value various ve
very via view visit visitors voice wait waiting wake walk walks want wants wardrobe warm warmly warmth was watch way
ways we wear wearing weather wednesday week weekday weekend weekends weeks welcome well went were what whatever
whatsoever when whenever where wherever whether which whichever while whisper who whole whom whose why wild will
willing wind window winter winters wish wishes with within without won wonder wonderful word words work workday
working works world worries worry worse worth would wow wrap yeah year years yes yesterday yet you young your yours
yourself zero
"""

HEADS = """
with include includes including featuring features contains containing plus comes equipped supplied filled enriched
infused lined fitted topped finished trimmed packed wrapped offers blended flavoured boasts incorporates made crafted
"""  # what follows is part of the product

PROOFS = (
    "proof resistant repellent safe certified tested approved friendly washable compatible"  # frost-proof, oven-safe
)

SCOPE = """
anywhere, around, available, ever, in europe, in its class, in our range, in the business, in the country
in the industry, in the range, in the shop, in the world, in town, money can buy, of all, of all time, of its kind
of the year, on earth, on the market, on the planet, out there, possible, we have ever, we ve ever, yet, you can buy
you ll ever, you ll find, you will ever, you will find
"""

PATTERNS = {  # claims that are more than words; each holds only where the facts say the same
    "price": (
        r"(?:\d+|half|\w+)\s?(?:%|per ?cent)\s(?:off|discount|less|cheaper|reduction)",
        r"\bsav(?:e|ing|ings of)\s(?:up to\s|over\s|an extra\s)?[\u20ac\u00a3$\d]\S*",
        r"\b(?:was|formerly|previously|originally|instead of|down from|reduced from|rather than)\s(?:[\u20ac\u00a3$]\s?)?\d\S*",  # noqa: E501
        r"\bsav(?:e|ings?)\s(?:money|big|on (?:this|our|your))",
        r"\bbuy (?:one|two|three|\d)\b.{0,12}\bget\b",
        r"(?<!-)\bfree\s(?!to\b|of\b|from\b|time\b|your\b|up\b|hands?\b|spirit|week|evening|afternoon|morning|day|and\b|again|as\b|in\b|the\b)\w+",
        r"\bno (?:extra |further )?(?:cost|charge)s?\b|\bno (?:delivery|shipping|postage)\b",
        r"\b(?:delivered|delivery|shipped|shipping|sent|postage)(?: is| are)? free\b|\bthrown in\b|\bon the house\b",
        r"\d\S*\s(?:\w+\s)?(?:a|per|every|each) (?:month|week|year)\b|\bmonthly (?:payments?|instal\w+|rates?)\b",
    ),
    "warranty": (r"\b\w+[ -](?:days?|weeks?|months?|years?)[ -](?:return|trial|money|refund)\w*", r"\bfree returns\b"),
    "urgency": (
        r"\b(?:today|tonight|weekend) only\b(?!\s\w)",
        r"\bonly\s\w+\s(?:\w+\s){0,3}(?:left|remaining|remain|available)\b(?! to| for)",
        r"\b(?:the |our )?last (?:\w+ ){0,2}(?:pairs|pieces|items|units|sizes|copies|sets|dozen)\b",
        r"\b(?:just|only) a (?:few|handful)\b.{0,25}\b(?:left|remain\w*)\b",
        r"\b(?:ends?|ending|expires?)\s(?:at midnight|today|tonight|tomorrow|soon|sunday|monday|friday|this)\b",
        r"\bby (?:tomorrow|monday|tuesday|wednesday|thursday|friday|saturday|sunday) (?:if|when)\b",
        r"\bbefore (?:they|it|these|it's|they're)\b.{0,12}\bgone\b",
        r"\b(?:gone|sold out) (?:by|before|in|within) (?:midnight|the end|hours|days)\b",
        r"\b(?:delivered|arrives?|delivery|at your door|yours) (?:by |in |within |the )?(?:tomorrow|next day|same day|24 hours|\d+ hours)\b",  # noqa: E501
    ),
    "social-proof": (
        r"\b(?!always |was |this )\w{3,}(?:ers|ors|ists|eurs|ians|wives|vets|chefs|parents|experts|men|women) recommend\b",  # noqa: E501
        r"\b(?:game|toy|book|product|tea|coffee|wine|shoe|tool|boot|tent|design|novel|must[ -]have|brand|bike|beer|gift|gadget) of the year\b",  # noqa: E501
        r"\b(?:thousands|millions) (?:of|swear|love|trust|already|have|agree)\b",
        r"\b(?:hundreds|scores|dozens|legions) of (?:\w+ )?(?:people|customers|parents|users|fans|homes|families|kitchens|gardeners|runners|happy|five|reviews|buyers|cooks|readers|owners)\b",  # noqa: E501
        r"\b(?:loved|adored|trusted|chosen|praised|recommended|endorsed|approved|worn|used|favoured|preferred|tested) by (?:\w+ ){0,3}?"  # noqa: E501
        r"(?:\w+(?:ers|ors|ists|ians|ologists|eurs)|men|women|parents|people|kids|children|families|chefs|cooks|vets|pros|athletes|thousands|"
        r"millions|hundreds|everyone|everybody|mums|dads|babies|cats|dogs|students|guests|professionals|midwives|baristas|critics|us)\b(?<!doors)",
        r"\b(?:our|the|a) (?:\w+ )?(?:customers?|shoppers|buyers|readers|critics|reviewers) (?:love|adore|say|rave|agree|choose|swear|keep)\b",  # noqa: E501
        r"\b(?:customers?|shoppers|buyers|everyone|everybody|people|parents|chefs|readers|critics|gardeners|runners|vets) (?:love|loves|adore|rave|raves|swear|swears|trust|agree|keep coming)\b",  # noqa: E501
        r"\b(?:no\. ?1|number one|#1)\b",
        r"\b(?:everybody|everyone)(?:'s| is| are) (?:wearing|talking|buying|using|drinking|reading|after|raving|cooking)\b",  # noqa: E501
        r"\bfavourite (?:of|among|with|amongst)\b|\b(?:customer|reader|staff|family|fan|crowd)s?'? favourite\b",
    ),
    "certification": (
        r"\b(?:meets?|exceeds?|conforms? to|complies with|in line with|up to|according to) (?:\w+ ){0,3}(?:standards?|regulations?)\b",  # noqa: E501
    ),
    "origin": (
        r"\b(?:made|roasted|printed|cut|sewn|baked|blended|built|poured|brewed|packed|milled|ground|picked|pressed|engraved) (?:fresh |freshly )?"  # noqa: E501
        r"(?:to order|on demand|(?:on the|the) (?:same|very) day|every (?:week|day|morning)|daily|weekly|within (?:\w+ )?(?:hours|days))\b",  # noqa: E501
        r"\b(?:made|crafted|stitched|sewn|woven|grown|brewed|roasted|produced|designed|built|forged|bottled|printed|born|assembled|"
        r"manufactured|blended|harvested|baked|spun|knitted|finished|developed|engineered|raised|caught|sourced|imported|picked|bound)"
        r" (?:by hand|by \w+ (?:artisans|craftsmen|potters|weavers)|locally|in house|in-house|on site)\b",
        r"\bby (?:skilled|master|local|traditional|expert) \w+\b",
    ),
    "health": (
        r"\b(?:good|great|kind|gentle) (?:for|on|to) your (?:\w+ )?(?:skin|heart|gut|back|joints|teeth|hair|health|spine|eyes)\b",  # noqa: E501
        r"\b(?:gone for good|pain[ -]free|doctor[ -]recommended|helps? (?:to |you )?(?:lower|sleep|lose|prevent|fight|relieve|reduce|burn))\b",  # noqa: E501
    ),
    "feature": (
        r"\b(?:in|into|through) the (?:washing )?machine\b",
        r"\bcan be (?:dimmed|folded|removed|detached|adjusted|extended|recharged|reversed|refilled|stacked|reused|rotated|tilted|"  # noqa: E501
        r"engraved|recycled|composted|personalised|customised|dismantled|resoled|replaced|heated|frozen|microwaved|machine.washed|washed|tumble.dried|ironed)\b",
        r"\b(?:glow|glows|glowing)[ -]in[ -]the[ -]dark\b",
        r"\b(?:never|doesn't|won't|will not|does not|cannot|can't) (?:rust|fade|leak|break|shrink|slip|scratch|stain|tear|crease|chip|peel|"  # noqa: E501
        r"bend|crack|wear out|go blunt|lose (?:its )?\w+|need \w+|tangle|squeak|wobble|itch|pill|warp|dull|melt|burn|bleed|smudge|kink)(?:s|es)?\b",  # noqa: E501
        r"\b(?:keeps?|stays?|lasts?|runs?|holds?)\b[^.;]{0,40}\bfor (?:hours|days|weeks|months|years|decades|a lifetime)\b",  # noqa: E501
        r"\bfor (?:babies|newborns|toddlers|infants|pregnant women|diabetics|vegans|coeliacs|celiacs)\b",
    ),
}

ACRONYMS_OK = "OK DIY BBQ PS TV VIP SOS FAQ ASAP PJ UK EU USA AM PM RSVP XOXO LOL OMG WOW YES NO A I MUM DAD NEW TLC ID"
