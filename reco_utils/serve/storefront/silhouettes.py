"""The words of a title that call for a shape or a colour; the shapes themselves are in `shapes.svg`."""

import re
from pathlib import Path

SHEET = Path(__file__).with_name("shapes.svg").read_text(encoding="utf-8")
SHAPES = dict(re.findall(r'<svg id="(\w+)".*?>(.*)</svg>', SHEET))  # what is inside, by its id

# words of a title, the first that is found decides; of two in one line, too
CALLS = (
    ("headphones", "over-ear headphones, headphones, headset"), ("earbuds", "in-ear headphones, earbuds, earphones"),
    ("rabbit", "soft rabbit, rabbit"), ("bear", "teddy bear, teddy, plush"),
    ("doll", "knitted doll, hand puppet, doll"), ("soap", "bar soap, solid shampoo bar, soap bar"),
    ("petfood", "dog food, cat food, cat litter"), ("bone", "dog biscuits, cat treats, dental chews, treats"),
    ("pouch", "salt bath soak, plant food, potting soil"),
    ("pouch", "wildflower seeds, seeds, tea bags, bag of sweets"),
    ("pump", "dog shampoo, shampoo, hand soap, body lotion"),
    ("shoe", "running shoes, sneakers, trainers, shoes, shoe"), ("boot", "boots, boot"),
    ("sandal", "sandals, slippers, slipper"), ("torch", "headlamp, torch"), ("pendant", "pendant lamp, ceiling lamp"),
    ("lamp", "table lamp, floor lamp, desk lamp, lamp"), ("lantern", "camp lantern, lantern"),
    ("light", "bike light, light set"), ("bulb", "smart bulb, bulb, fairy lights"),
    ("plug", "smart plug, wall charger, charger plug"), ("puck", "wireless charger"), ("power", "power bank"),
    ("cable", "cable"), ("camera", "camera"), ("station", "weather station"), ("speaker", "speaker"),
    ("radio", "radio"), ("turntable", "record player, turntable, vinyl"), ("keyboard", "keyboard"), ("mouse", "mouse"),
    ("stand", "laptop stand, laptop, notebook"), ("teapot", "teapot, kettle"),
    ("carafe", "carafe, French press, pour-over dripper, dripper, decanter"),
    ("mug", "mug, espresso cup, cup pair, cup"), ("flask", "tumbler, vacuum flask, cold brew, flask"),
    ("pan", "frying pan, wok, skillet"), ("pot", "casserole, saucepan, cook set"), ("dish", "baking tin, tray"),
    ("shears", "shears, scissors"), ("knife", "knife"), ("board", "chopping board, serving platter"),
    ("plate", "plate"), ("bowl", "bowl"), ("cutlery", "cutlery, spork, fork, spoon"),
    ("jar", "coffee grinder, grinder"), ("sweets", "chocolate bar, pralines, chocolate, biscuits"),
    ("pouch", "bean coffee, ground espresso, coffee, capsules, loose leaf, matcha, chai"),
    ("pouch", "gummies, spice, granola, trail mix"),
    ("petfood", "cat, dog"), ("bottle", "olive oil, hot sauce, sauce, wine"),
    ("dropper", "face serum, beard oil, serum"),
    ("jar", "honey, butter, face cream, cleansing balm, hair mask, styling clay"),
    ("tube", "toothpaste, sun lotion, shaving cream, lotion, cream"), ("balm", "lip balm"),
    ("perfume", "eau de parfum, eau de toilette, solid perfume, perfume, pillow mist, mist"),
    ("candle", "candle, taper candle"), ("diffuser", "reed diffuser, incense"), ("basket", "basket"),
    ("jar", "storage jar, jar"), ("shelf", "wall shelf, coat rack, shelf"), ("round", "mirror"),
    ("clock", "wall clock, clock"), ("frame", "art print, picture frame, frame, poster, print"),
    ("cushion", "cushion, pillow"), ("textile", "blanket, towel, duvet, bedding"), ("tent", "tent"),
    ("hammock", "hammock"), ("roll", "sleeping bag, sleeping mat, yoga mat, foam roller, mat"), ("stove", "stove"),
    ("poles", "trekking poles, poles"), ("backpack", "backpack, day pack, hydration vest, rucksack"),
    ("bag", "tote bag, dry bag, hip pack, pannier bag, bag"), ("jacket", "rain jacket, jacket, coat, blazer"),
    ("trousers", "jeans, chinos, trousers, tights, leggings"),
    ("jumper", "base layer, fleece pullover, jumper, cardigan, sweater, hoodie"), ("shirt", "Oxford shirt, blouse"),
    ("tee", "T-shirt, polo shirt, shirt, top, vest"), ("shorts", "swim shorts, shorts"), ("skirt", "skirt, dress"),
    ("socks", "socks, sock"), ("hat", "beanie, hat"), ("cap", "cap"), ("helmet", "helmet"), ("scarf", "scarf"),
    ("belt", "belt"), ("wallet", "wallet, purse"), ("glasses", "sunglasses, goggles, glasses"), ("gloves", "gloves"),
    ("dumbbell", "dumbbell"), ("bands", "resistance band"), ("ball", "football, basketball, ball"),
    ("racket", "badminton, racket"), ("bat", "tennis bat, bat"), ("paddle", "paddle board, surfboard"),
    ("cards", "card game, gift card, cards"), ("dice", "dice game, dice"), ("marble", "marble run"),
    ("puzzle", "jigsaw puzzle, puzzle, brain teaser"), ("blocks", "block set, tile set, building"),
    ("box", "strategy game, cooperative game, model kit, game, kit box"), ("paints", "watercolour, paint"),
    ("pencils", "pencils, pencil, crayons"), ("soap", "modelling clay"), ("hoop", "embroidery kit"),
    ("trowel", "trowel"), ("can", "watering can"), ("plant", "plant pot, planter, window box, pot"),
    ("book", "book, novel"),
)  # fmt: skip

# colours a title may name, and how they look
COLOURS = {
    "white": "#f1efe9", "black": "#3a3a3d", "light grey": "#b9bcc0", "stone": "#b5aa9a", "forest green": "#3f6b4f",
    "charcoal": "#4b4f55", "sand": "#d3b98c", "rust": "#b05c34", "cream": "#ecdfc2", "burgundy": "#7d2f41",
    "mustard": "#d0a02f", "petrol blue": "#2c6674", "sunny yellow": "#efc33b", "coral": "#ec7a63",
    "turquoise": "#3fb0ac", "multicolour": "#d77fa1", "midnight blue": "#2e3f6b", "emerald": "#2a8563",
    "ivory": "#efe8d6", "olive": "#84874a", "clay": "#b5765a", "oat": "#d9c7a3", "moss green": "#6d8251",
    "graphite": "#53575e", "signal orange": "#ea7a2b", "steel blue": "#5883a8", "dusty rose": "#cf9196",
    "caramel": "#c1864f", "brick red": "#a9483c", "dark grey": "#5a5d62", "copper": "#bd7747", "walnut": "#7b563d",
    "oak": "#c49c6b", "beech": "#d8b487", "ash": "#d6c3a0", "bamboo": "#d6bd7f", "terracotta": "#c46b4a",
    "brass": "#c3a050", "rattan": "#c9a36c", "cork": "#c59a6a", "dark chocolate": "#5a3a2c",
    "milk chocolate": "#8d5d3f", "indigo": "#43507f", "washed blue": "#86a3c0", "chestnut": "#7d4d37", "tan": "#c08f5d",
    "brown": "#815a40", "gold": "#cfa94d", "tortoiseshell": "#8d5f38", "red": "#c8473f", "blue": "#4c7fb3",
    "green": "#5d9463", "pink": "#df8fac", "purple": "#8265a7", "grey": "#8f9499", "silver": "#b9bec4",
    "orange": "#e4883a", "yellow": "#e5be40", "lavender": "#a596c8", "rose": "#d88ea0", "lemon": "#e6cc55",
    "mint": "#86c3a6", "honey": "#dca33f", "cedar": "#a3694a", "navy": "#2f4468", "beige": "#d8c8a8",
}  # fmt: skip
