"""The words of the built-in shop: what it sells, under which brands, in which style. Text only; nothing is drawn here.

All brands are invented. `SHELVES` is written in a small table language, one product a line:

    noun | materials | measure: sizes | usual price | variants ("colour" takes the palette of the item's style)

A subcategory's line begins with "#"; a "*" behind its name marks goods that are used up and bought again.
"""

from dataclasses import dataclass

STYLES = {  # style axis: the words that speak of it, and the colours that go with it
    "minimalist": ("minimalist, clean-lined, understated, pared-back", "white, black, light grey, stone"),
    "rugged": ("rugged, hard-wearing, sturdy, tough", "forest green, charcoal, sand, rust"),
    "vintage": ("vintage, retro, heritage, old-fashioned", "cream, burgundy, mustard, petrol blue"),
    "playful": ("playful, cheerful, quirky, fun", "sunny yellow, coral, turquoise, multicolour"),
    "luxurious": ("luxurious, elegant, refined, sophisticated", "midnight blue, emerald, black, ivory"),
    "natural": ("natural, earthy, botanical, rustic", "olive, clay, oat, moss green"),
    "technical": ("technical, precise, high-performance, engineered", "graphite, black, signal orange, steel blue"),
    "cosy": ("cosy, snug, homely, comforting", "dusty rose, caramel, oat, brick red"),
}

SUITS = {  # category: styles that make sense for it
    "Kitchen": "minimalist, rugged, vintage, playful, luxurious, natural, technical, cosy",
    "Pantry": "vintage, playful, luxurious, natural, cosy",
    "Outdoor": "minimalist, rugged, vintage, playful, natural, technical",
    "Home": "minimalist, vintage, playful, luxurious, natural, cosy",
    "Fashion": "minimalist, rugged, vintage, playful, luxurious, natural, technical, cosy",
    "Beauty": "minimalist, vintage, playful, luxurious, natural, cosy",
    "Sports": "minimalist, rugged, vintage, playful, technical",
    "Electronics": "minimalist, rugged, vintage, playful, luxurious, technical",
    "Toys": "minimalist, vintage, playful, natural, cosy",
    "Garden & Pets": "minimalist, rugged, vintage, playful, natural, cosy",
}

BRANDS = {  # category: invented brands
    "Kitchen": "Norrland, Tavola Verde, Brandt & Sohn, Kippen, Maison Oriel, Hollowell, Stekpan",
    "Pantry": "Castellano, Harrow Mill, Sweet Juniper, Ostara, Puur Goed, Millstone Row, Bonbonette",
    "Outdoor": "Norrland, Fjellheim, Trailmark, Kestrel Peak, Oxbow, Summitry, Wildfarer",
    "Home": "Lumen & Linn, Haus Kaya, Oakhurst, Petite Plume, Solveig, Marlow Lane, Tinderbox",
    "Fashion": "Averley, Nordlys, Calder & Co, Pomelo Street, Vireo, Stonebridge, Lindqvist",
    "Beauty": "Fleur de Brume, Saltwell, Apothek 9, Honeydrop, Alma Verde, Nuvola, Wren & Ivy",
    "Sports": "Velocet, Arcadia Athletic, Tempo Nine, Kestrel Peak, Ridgeback, Splashline, Kineta",
    "Electronics": "Audiva, Northwave Labs, Pixelry, Kaskad, Voltello, Retrotone, Elmwood Audio",
    "Toys": "Bramblebox, Knobbly Bear, Oddfellow Games, Piccolino, Treehouse & Tim, Wonderkit, Zwickel",
    "Garden & Pets": "Greenacre, Pawsome Pantry, Terra Bella, Old Orchard, Whisker & Wag, Rootwell, Hedgerow",
}

ORIGINS = "Sweden, Germany, Portugal, Italy, France, Poland, the Netherlands, Denmark, Spain, Austria"
LINES = "Alba, Birka, Corvo, Dune, Eira, Faro, Gale, Hazel, Isla, Juno, Koto, Luma, Mira, Nova, Orla, Pilar, Runa, Tarn"

CARE = {  # category: sentences that hold for anything in it
    "Kitchen": "Wash before first use.; Comes in a recycled cardboard box.; Rinse with warm water after use.",
    "Pantry": "Store in a cool, dry place.; Reseal after opening.; Packed in recyclable material.",
    "Outdoor": "Let it dry fully before storing.; Packs away in a small bag.; Repair service available.",
    "Home": "Wipe clean with a soft, dry cloth.; Comes in a recycled cardboard box.; Pairs well with other pieces.",
    "Fashion": "Follow the care label.; Comes in a paper bag.; Goes with most wardrobes.",
    "Beauty": "Store away from direct sunlight.; Use within 12 months of opening.; Suitable for daily use.",
    "Sports": "Wipe clean after use.; Comes in recycled packaging.; Suitable for beginners.",
    "Electronics": "Comes in recycled packaging.; Quick-start guide included.; Spare parts available.",
    "Toys": "Suitable from 6 years.; Instructions in four languages.; Comes in a sturdy box.",
    "Garden & Pets": "Keep in a dry place.; Packed without plastic.; Suitable for everyday use.",
}

MADE = {  # category or subcategory: the word before the material; elsewhere "Material"
    "Pantry": "Main ingredient", "Beauty": "Key ingredient",
    "Seeds & Soil": "Contains", "Dog": "Contains", "Cat": "Contains",
}  # fmt: skip

SHELVES = {
    "Kitchen": """
# Drinkware
camping mug | enamel, stainless steel, titanium | capacity: 250 ml, 350 ml, 450 ml | 15 | colour
espresso cup pair | stoneware, porcelain, glass | capacity: 60 ml, 80 ml | 18 | colour
water carafe | glass, stoneware | capacity: 0.75 l, 1 l, 1.5 l | 27 | colour
travel tumbler | stainless steel, bamboo fibre | capacity: 350 ml, 500 ml | 24 | colour
# Cookware
frying pan | cast iron, carbon steel, aluminium | diameter: 20 cm, 24 cm, 28 cm | 48 | black, dark grey, copper
casserole dish | cast iron, stoneware | capacity: 2.5 l, 4 l, 5.5 l | 79 | colour
saucepan with lid | stainless steel, copper, enamel | capacity: 1 l, 2 l, 3 l | 45 | colour
baking tin | steel, silicone, aluminium | length: 25 cm, 30 cm, 35 cm | 17 | colour
# Knives & Boards
chef's knife | Damascus steel, carbon steel | blade length: 16 cm, 20 cm, 24 cm | 69 | walnut handle, black handle
paring knife | stainless steel, ceramic | blade length: 8 cm, 10 cm | 22 | walnut handle, red handle, black handle
chopping board | oak, bamboo, acacia | length: 30 cm, 40 cm, 50 cm | 32 | rounded corners, juice groove, end grain
bread knife | stainless steel, carbon steel | blade length: 20 cm, 24 cm | 38 | beech handle, black handle
# Tableware
dinner plate pair | stoneware, porcelain, enamel | diameter: 24 cm, 27 cm | 30 | colour
cereal bowl | stoneware, coconut shell, porcelain | diameter: 14 cm, 16 cm | 14 | colour
cutlery set | stainless steel, brass-plated steel | pieces: 16 pieces, 24 pieces | 65 | matt, polished, hammered
serving platter | olive wood, porcelain, slate | length: 30 cm, 38 cm | 34 | round, oval, rectangular
# Coffee & Tea Gear
pour-over dripper | ceramic, glass, stainless steel | cups: 2 cups, 4 cups | 25 | colour
French press | glass, stainless steel | capacity: 350 ml, 600 ml, 1 l | 33 | colour
hand coffee grinder | stainless steel, walnut, aluminium | hopper: 25 g, 35 g | 58 | colour
teapot with strainer | cast iron, glass, stoneware | capacity: 0.6 l, 0.9 l, 1.2 l | 36 | colour
""",
    "Pantry": """
# Coffee *
whole bean coffee | arabica, robusta | net weight: 250 g, 500 g, 1 kg | 13 | light roast, medium roast, dark roast
ground espresso | arabica, robusta | net weight: 250 g, 500 g | 10 | dark roast, extra dark roast, medium roast
coffee capsules | arabica, robusta | pieces: 10 pieces, 30 pieces | 8 | mild, intense, hazelnut
cold brew | arabica | content: 330 ml, 1 l | 6 | unsweetened, vanilla, oat milk
# Tea *
loose leaf blend | black tea, green tea, oolong | net weight: 100 g, 200 g | 11 | bergamot, jasmine, classic, ginger
herbal tea bags | peppermint, chamomile, rooibos | pieces: 20 bags, 40 bags | 5 | classic, honey, orange
matcha powder | green tea | net weight: 30 g, 80 g | 21 | ceremonial grade, cooking grade
chai blend | black tea, rooibos | net weight: 150 g, 250 g | 10 | cardamom, cinnamon, extra spicy
# Chocolate & Sweets *
chocolate bar | dark chocolate, milk chocolate, white chocolate | net weight: 80 g, 100 g | 4 | sea salt, orange
pralines | dark chocolate, milk chocolate | pieces: 12 pieces, 24 pieces | 16 | caramel, nougat, mixed
fruit gummies | apple juice, raspberry puree | net weight: 150 g, 300 g | 5 | sour, classic, tropical
biscuits | butter, oat, spelt | net weight: 200 g, 400 g | 6 | lemon, almond, chocolate chip
# Spices & Sauces *
spice blend | paprika, cumin, coriander | net weight: 50 g, 90 g | 7 | smoky, hot, mild
olive oil | Koroneiki olive, Arbequina olive, Picual olive | content: 250 ml, 500 ml, 1 l | 14 | fruity, peppery, lemon
hot sauce | jalapeno, habanero, chipotle | content: 100 ml, 250 ml | 8 | mild, medium, very hot
tomato sauce | cherry tomato, plum tomato, yellow tomato | content: 350 ml, 700 ml | 5 | basil, garlic, olive and caper
# Breakfast & Snacks *
granola | oat, spelt | net weight: 350 g, 750 g | 8 | berry, nut, cocoa, honey
butter | almond, peanut, cashew | net weight: 250 g, 500 g | 9 | crunchy, smooth, salted caramel
trail mix | almond, walnut, cashew | net weight: 200 g, 500 g | 8 | salted, unsalted, chocolate
honey | blossom honey, forest honey | net weight: 250 g, 500 g | 9 | creamy, liquid, with comb
""",
    "Outdoor": """
# Tents & Sleeping
trekking tent | ripstop nylon, polyester | sleeps: 1 person, 2 people, 3 people | 239 | colour
sleeping bag | down, synthetic fibre | comfort temperature: 8 °C, 2 °C, -5 °C | 139 | colour
sleeping mat | recycled polyester, TPU foam | thickness: 4 cm, 7 cm, 9 cm | 79 | colour
hammock | cotton, parachute nylon | length: 260 cm, 300 cm | 49 | colour
# Backpacks
hiking backpack | recycled nylon, ripstop nylon | volume: 28 l, 45 l, 65 l | 129 | colour
day pack | recycled polyester, waxed canvas | volume: 12 l, 18 l, 24 l | 64 | colour
dry bag | TPU-coated nylon, PVC-free tarpaulin | volume: 5 l, 13 l, 22 l | 24 | colour
hip pack | recycled nylon, waxed canvas | volume: 2 l, 4 l | 32 | colour
# Camp Kitchen
gas stove | aluminium, titanium | output: 2,600 W, 3,500 W | 54 | foldable, with windshield, with lighter
cook set | hard-anodised aluminium, titanium, stainless steel | pieces: 2 pieces, 4 pieces | 47 | colour
vacuum flask | stainless steel | capacity: 0.5 l, 0.75 l, 1 l | 33 | colour
spork | titanium, beech, stainless steel | length: 16 cm, 20 cm | 9 | colour
# Lighting & Tools
headlamp | aluminium, recycled plastic | brightness: 200 lm, 400 lm, 700 lm | 44 | colour
camp lantern | aluminium, enamel | brightness: 150 lm, 300 lm | 37 | colour
folding knife | stainless steel, carbon steel | blade length: 7 cm, 9 cm | 42 | oak handle, black handle, orange handle
trekking poles | carbon, aluminium | length: 120 cm, 135 cm | 74 | cork grip, foam grip
# Hiking Wear
rain jacket | recycled polyester, three-layer nylon | size: S, M, L, XL | 149 | colour
merino base layer | merino wool | size: S, M, L, XL | 69 | colour
hiking socks | merino wool, bamboo viscose | size: 36-39, 40-43, 44-47 | 17 | colour
fleece pullover | recycled polyester, wool | size: S, M, L, XL | 74 | colour
""",
    "Home": """
# Lamps
table lamp | ceramic, brass, oak | height: 28 cm, 40 cm, 52 cm | 69 | colour
pendant lamp | rattan, steel, glass | diameter: 25 cm, 35 cm, 50 cm | 94 | colour
floor lamp | steel, ash, brass | height: 140 cm, 160 cm | 139 | colour
fairy lights | copper wire, cotton cord | length: 3 m, 6 m, 10 m | 18 | warm white, multicolour
# Textiles
throw blanket | wool, cotton, recycled polyester | size: 130 x 170 cm, 150 x 200 cm | 52 | colour
cushion cover | linen, velvet, cotton | size: 40 x 40 cm, 50 x 50 cm | 19 | colour
duvet cover set | organic cotton, linen, satin | size: 135 x 200 cm, 155 x 220 cm | 84 | colour
bath towel | cotton, linen | size: 50 x 100 cm, 70 x 140 cm | 22 | colour
# Candles & Scents *
scented candle | soy wax, beeswax, rapeseed wax | burning time: 25 h, 40 h, 60 h | 22 | fig, cedar, vanilla, sea breeze
reed diffuser | rattan, willow | content: 100 ml, 200 ml | 27 | lavender, white tea, bergamot
taper candle pack | beeswax, stearin | length: 20 cm, 25 cm | 12 | colour
incense sticks | sandalwood, myrrh | pieces: 20 pieces, 50 pieces | 8 | amber, rose, pine
# Storage
storage basket | seagrass, cotton rope, felt | diameter: 25 cm, 35 cm, 45 cm | 29 | colour
wall shelf | oak, steel, bamboo | length: 40 cm, 60 cm, 80 cm | 49 | colour
storage jar set | glass, stoneware | pieces: 3 pieces, 5 pieces | 31 | cork lid, bamboo lid, steel clip
coat rack | beech, steel, oak | hooks: 4 hooks, 6 hooks | 57 | colour
# Wall Decor
art print | recycled paper, cotton canvas | size: A4, A3, 50 x 70 cm | 24 | abstract, mountains, fern leaves, city map
picture frame | oak, aluminium, walnut | size: A4, A3, 50 x 70 cm | 26 | colour
wall mirror | brass, steel, rattan | diameter: 40 cm, 60 cm, 80 cm | 89 | colour
wall clock | beech, steel, cork | diameter: 25 cm, 30 cm | 39 | colour
""",
    "Fashion": """
# Shirts & Tops
T-shirt | organic cotton, hemp, linen | size: S, M, L, XL | 27 | colour
Oxford shirt | cotton, linen | size: S, M, L, XL | 56 | colour
blouse | silk, viscose, cotton | size: XS, S, M, L | 59 | colour
polo shirt | cotton pique, merino wool | size: S, M, L, XL | 45 | colour
# Knitwear
crew-neck jumper | lambswool, cotton, cashmere | size: S, M, L, XL | 84 | colour
cardigan | merino wool, alpaca, cotton | size: XS, S, M, L | 92 | colour
beanie | merino wool, recycled polyester, cashmere | size: one size | 26 | colour
scarf | lambswool, alpaca, cotton | length: 180 cm, 200 cm | 38 | colour
# Trousers & Skirts
straight jeans | denim, stretch denim | waist: 28 in, 30 in, 32 in, 34 in | 82 | indigo, washed blue, black
chinos | cotton twill, stretch cotton | waist: 30 in, 32 in, 34 in | 64 | colour
midi skirt | viscose, linen, corduroy | size: XS, S, M, L | 58 | colour
work trousers | cotton canvas, ripstop cotton | waist: 30 in, 32 in, 34 in, 36 in | 74 | colour
# Shoes
sneakers | leather, canvas, recycled polyester | size: EU 38, EU 40, EU 42, EU 44 | 89 | colour
Chelsea boots | leather, suede | size: EU 38, EU 40, EU 42, EU 44 | 139 | black, chestnut, tan
sandals | leather, cork | size: EU 37, EU 39, EU 41, EU 43 | 59 | colour
house slippers | felt, sheepskin, wool | size: EU 37, EU 39, EU 41, EU 43 | 36 | colour
# Bags & Accessories
tote bag | leather, waxed canvas, organic cotton | volume: 12 l, 18 l | 69 | colour
belt | leather, webbing | length: 85 cm, 95 cm, 105 cm | 34 | black, brown, tan, olive
wallet | leather, cork, recycled nylon | slots: 4 card slots, 8 card slots | 39 | colour
sunglasses | bio-acetate, metal | lens width: 50 mm, 54 mm | 62 | black, tortoiseshell, gold
""",
    "Beauty": """
# Skin Care *
face cream | aloe vera, shea butter, squalane | content: 30 ml, 50 ml, 75 ml | 24 | unscented, rose, cucumber
face serum | vitamin C, hyaluronic acid, niacinamide | content: 15 ml, 30 ml | 29 | light, rich
sun lotion | zinc oxide, aloe vera | content: 50 ml, 150 ml | 17 | SPF 30, SPF 50
cleansing balm | oat oil, sunflower oil | content: 75 ml, 125 ml | 21 | unscented, lavender, orange blossom
# Hair Care *
shampoo | argan oil, oat milk, nettle | content: 250 ml, 500 ml | 12 | dry hair, fine hair, curly hair
solid shampoo bar | coconut oil, cocoa butter | net weight: 60 g, 90 g | 10 | citrus, rosemary, almond
hair mask | argan oil, shea butter | content: 150 ml, 250 ml | 17 | repair, shine, curls
styling clay | kaolin, beeswax | content: 50 ml, 100 ml | 15 | matt, strong hold
# Bath & Soap *
hand soap | olive oil, coconut oil | content: 250 ml, 500 ml | 9 | lemon, fig, lavender
bar soap | goat milk, olive oil, shea butter | net weight: 100 g, 150 g | 7 | rose, sandalwood, unscented
salt bath soak | sea salt, Epsom salt | net weight: 350 g, 600 g | 13 | eucalyptus, lavender, pine
body lotion | almond oil, cocoa butter, aloe vera | content: 200 ml, 400 ml | 15 | vanilla, unscented, orange blossom
# Fragrance
eau de parfum | jasmine, cedar, bergamot | content: 30 ml, 50 ml, 100 ml | 68 | woody, floral, fresh
eau de toilette | vetiver, citrus, lavender | content: 50 ml, 100 ml | 46 | fresh, spicy, green
solid perfume | beeswax, jojoba oil | net weight: 10 g, 15 g | 22 | amber, neroli, musk
room and pillow mist | lavender, chamomile | content: 50 ml, 100 ml | 16 | calm, dream, fresh
# Shaving & Oral Care *
shaving cream | almond oil, aloe vera | content: 100 ml, 150 ml | 11 | sandalwood, menthol, unscented
beard oil | jojoba oil, argan oil | content: 30 ml, 50 ml | 18 | cedar, citrus, unscented
toothpaste | mint, fennel | content: 75 ml, 100 ml | 5 | mild, strong, charcoal
lip balm | beeswax, shea butter | net weight: 5 g, 10 g | 5 | honey, cherry, unscented
""",
    "Sports": """
# Yoga & Fitness
yoga mat | natural rubber, cork, TPE | thickness: 4 mm, 6 mm | 49 | colour
dumbbell pair | cast iron, neoprene-coated iron | weight: 2 x 2 kg, 2 x 5 kg, 2 x 8 kg | 44 | colour
resistance band set | latex, woven fabric | pieces: 3 bands, 5 bands | 19 | colour
foam roller | EVA foam, cork | length: 30 cm, 45 cm | 25 | colour
# Cycling
bike helmet | polycarbonate | head size: 52-56 cm, 56-60 cm | 72 | colour
pannier bag | waxed canvas, recycled tarpaulin | volume: 15 l, 20 l | 64 | colour
bike light set | aluminium, recycled plastic | brightness: 60 lm, 200 lm, 500 lm | 36 | colour
cycling gloves | synthetic leather, merino wool | size: S, M, L, XL | 27 | colour
# Running
running shoes | recycled mesh, knitted polyester | size: EU 38, EU 40, EU 42, EU 44 | 118 | colour
running tights | recycled polyester, nylon | size: S, M, L, XL | 52 | colour
hydration vest | nylon, recycled polyester | volume: 5 l, 8 l | 79 | colour
running cap | recycled polyester, nylon | size: one size | 24 | colour
# Water Sports
swimming goggles | silicone, polycarbonate | size: regular, wide | 19 | colour
swim shorts | recycled nylon, polyester | size: S, M, L, XL | 34 | colour
microfibre towel | recycled polyester | size: 40 x 80 cm, 70 x 140 cm | 18 | colour
inflatable paddle board | PVC drop-stitch | length: 300 cm, 320 cm | 349 | colour
# Ball & Racket
football | synthetic leather, recycled rubber | size: size 4, size 5 | 27 | colour
basketball | composite leather, rubber | size: size 6, size 7 | 30 | colour
badminton set | aluminium, bamboo | pieces: 2 rackets, 4 rackets | 35 | colour
table tennis bat | poplar, carbon | weight: 150 g, 180 g | 29 | red and black, blue and black
""",
    "Electronics": """
# Headphones
over-ear headphones | aluminium, recycled plastic, walnut | battery life: 30 h, 40 h, 60 h | 139 | colour
in-ear headphones | recycled plastic, aluminium | battery life: 6 h, 8 h | 79 | colour
sports earbuds | silicone, recycled plastic | battery life: 8 h, 10 h | 64 | colour
wired earphones | aluminium, oak | cable length: 1.2 m, 1.5 m | 29 | colour
# Speakers & Radio
portable speaker | woven fabric, aluminium, silicone | battery life: 10 h, 16 h, 24 h | 84 | colour
table radio | walnut, beech, recycled plastic | output: 10 W, 20 W | 119 | colour
record player | walnut, MDF, aluminium | weight: 3.5 kg, 5 kg | 189 | colour
bookshelf speaker pair | walnut, MDF | output: 40 W, 80 W | 229 | colour
# Desk
mechanical keyboard | aluminium, recycled plastic | keys: 68 keys, 87 keys, 104 keys | 98 | colour
wireless mouse | recycled plastic, walnut | resolution: 1,600 dpi, 4,000 dpi | 42 | colour
laptop stand | aluminium, bamboo, steel | height: 12 cm, 16 cm | 39 | colour
desk lamp | aluminium, steel, oak | brightness: 400 lm, 800 lm | 59 | colour
# Charging
power bank | aluminium, recycled plastic | capacity: 5,000 mAh, 10,000 mAh, 20,000 mAh | 38 | colour
wireless charger | bamboo, aluminium, cork | output: 10 W, 15 W | 29 | colour
USB-C cable | braided nylon, recycled plastic | length: 1 m, 2 m, 3 m | 14 | colour
wall charger | recycled plastic | output: 30 W, 65 W, 100 W | 34 | colour
# Smart Home
smart bulb pair | glass, aluminium | brightness: 470 lm, 806 lm | 27 | warm white, colour changing
smart plug pair | recycled plastic | output: 2,300 W, 3,680 W | 24 | colour
indoor camera | recycled plastic, aluminium | resolution: 1080p, 2K | 56 | colour
weather station | walnut, recycled plastic, aluminium | range: 50 m, 100 m | 69 | colour
""",
    "Toys": """
# Board Games
strategy game | beech, recycled card | players: 2 to 4 players, 2 to 6 players | 39 | space, farming, trains, pirates
card game | recycled card | players: 2 players, 2 to 5 players, 3 to 8 players | 13 | animals, detectives, numbers
cooperative game | birch, recycled card | players: 1 to 4 players, 2 to 5 players | 33 | island, castle, jungle
dice game | wood, recycled plastic | players: 1 to 6 players, 2 to 8 players | 14 | farm, dragons, classic
# Building Sets
wooden block set | beech, maple | pieces: 40 pieces, 75 pieces, 100 pieces | 36 | colour
marble run | beech, recycled plastic | pieces: 50 pieces, 90 pieces | 47 | colour
magnetic tile set | recycled plastic | pieces: 32 pieces, 64 pieces | 49 | colour
model kit | birch plywood, die-cut card | pieces: 120 pieces, 240 pieces | 34 | sailing ship, biplane, locomotive, clock
# Puzzles
jigsaw puzzle | recycled card, wood | pieces: 300 pieces, 500 pieces, 1,000 pieces | 19 | harbour, flowers, night sky
brain teaser | beech, metal | pieces: 3 pieces, 6 pieces | 16 | knot, cube, star
3D puzzle | birch plywood, recycled card | pieces: 80 pieces, 160 pieces | 27 | lighthouse, globe, castle
children's puzzle | recycled card, birch plywood | pieces: 12 pieces, 24 pieces, 48 pieces | 12 | farm, dinosaurs
# Soft Toys
teddy bear | mohair, organic cotton, recycled polyester | height: 25 cm, 35 cm, 50 cm | 32 | colour
soft rabbit | organic cotton, recycled polyester | height: 20 cm, 30 cm | 24 | colour
hand puppet | felt, organic cotton | height: 25 cm, 30 cm | 21 | fox, wolf, grandmother, owl
knitted doll | wool, organic cotton | height: 25 cm, 38 cm | 28 | colour
# Arts & Crafts
watercolour set | gum arabic, honey | colours: 12 colours, 24 colours | 23 | pocket size, studio size
coloured pencils | cedar, basswood | pieces: 12 pieces, 24 pieces, 48 pieces | 17 | classic, pastel
modelling clay | beeswax, plant wax | net weight: 500 g, 1 kg | 12 | bright, pastel, glitter
embroidery kit | cotton, linen | diameter: 15 cm, 20 cm | 20 | meadow, cat, constellation
""",
    "Garden & Pets": """
# Plant Pots
plant pot | terracotta, stoneware, recycled plastic | diameter: 14 cm, 20 cm, 28 cm | 18 | colour
hanging planter | cotton rope, ceramic, rattan | diameter: 14 cm, 18 cm | 23 | colour
window box | zinc, cedar, recycled plastic | length: 40 cm, 60 cm, 80 cm | 32 | colour
herb planter | zinc, bamboo, enamel | length: 25 cm, 35 cm | 24 | colour
# Garden Tools
hand trowel | stainless steel, carbon steel | length: 28 cm, 32 cm | 18 | ash handle, red handle, beech handle
pruning shears | carbon steel, stainless steel | length: 18 cm, 21 cm | 34 | ash handle, red handle, black handle
watering can | zinc, recycled plastic, enamel | capacity: 1.5 l, 5 l, 10 l | 29 | colour
gardening gloves | goat leather, bamboo viscose | size: S, M, L | 17 | colour
# Seeds & Soil *
seeds | tomato, carrot, courgette | net weight: 1 g, 5 g | 4 | early variety, heirloom variety, balcony variety
wildflower seeds | poppy, cornflower, marigold | net weight: 10 g, 50 g | 7 | annual, perennial
potting soil | coconut fibre, bark compost | volume: 10 l, 20 l, 40 l | 9 | vegetables, house plants, cactus
plant food | seaweed, sugar beet extract | content: 250 ml, 500 ml, 1 l | 10 | flowers, vegetables, green plants
# Dog *
dry dog food | chicken, salmon, lamb | net weight: 2 kg, 6 kg, 12 kg | 34 | small breeds, adult, senior
dog biscuits | beef, chicken, pumpkin | net weight: 200 g, 500 g | 7 | mini, crunchy, soft
dental chews | rice, chicken | pieces: 7 pieces, 28 pieces | 11 | small dogs, medium dogs, large dogs
dog shampoo | oat milk, aloe vera | content: 250 ml, 500 ml | 13 | sensitive, long coat
# Cat *
dry cat food | chicken, salmon, duck | net weight: 1.5 kg, 4 kg | 24 | indoor, adult, kitten
cat treats | salmon, chicken | net weight: 60 g, 150 g | 4 | crunchy, soft, malt
cat litter | wood fibre, clay, maize | volume: 6 l, 10 l, 20 l | 14 | clumping, light, unscented
wet cat food | tuna, chicken, rabbit | pieces: 6 pouches, 12 pouches | 10 | jelly, sauce, pate
""",
}


@dataclass(frozen=True)
class Product:
    """One line of `SHELVES`."""

    noun: str
    materials: tuple[str, ...]
    measure: str
    sizes: tuple[str, ...]
    price: float
    variants: tuple[str, ...]  # empty: the palette of the item's style


@dataclass(frozen=True)
class Shelf:
    """A subcategory and what stands on it."""

    category: str
    name: str
    consumable: bool
    made: str
    products: tuple[Product, ...]


def words(text: str, sep: str = ", ") -> tuple[str, ...]:
    """The parts of a separated text."""
    return tuple(part.strip() for part in text.split(sep))


def _read_product(line):
    noun, materials, measured, price, variants = words(line, " | ")
    measure, sizes = words(measured, ": ")
    variants = () if variants == "colour" else words(variants)
    return Product(noun, words(materials), measure, words(sizes), float(price), variants)


def read_shelves() -> tuple[Shelf, ...]:
    """Every subcategory in the order of `SHELVES`."""
    shelves = []
    for category, text in SHELVES.items():
        for block in text.strip().removeprefix("# ").split("\n# "):
            name, *lines = block.split("\n")
            title = name.removesuffix(" *")
            made = MADE.get(title, MADE.get(category, "Material"))
            products = tuple(_read_product(line) for line in lines)
            shelves.append(Shelf(category, title, name.endswith(" *"), made, products))
    return tuple(shelves)
