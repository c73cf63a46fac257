"""Ordinary words, by class: those of any text, those that begin a part of a product, number words, words of scenes."""

from reco_utils.copywriting.lexicon import COMMON
from reco_utils.copywriting.quantities import UNIT
from reco_utils.copywriting.words import stem

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
SCENES = """
sky skies sea day days night nights morning mornings afternoon afternoons evening evenings weekend week monday
mondays sunday sundays
november december january february thumb thumbs eyes lie lies mood side tie belt light horizon hour hours
advent afternoons age ages annual april autumnal centuries century daily dawns daybreak daylight decade december dusk
dusky equinox era eternity evenings eventually forthcoming fortnight friday frosty fullness future halloween
henceforth hitherto hour hourly instant intermittently interval january lately later lifetime lunchtimes meantime
midday midsummer midweek midwinter millennium moment momentary monthly nightfall nightly noon nowadays occasional
overnight past period present previous prompt quarter recent season seasonal seldom semester simultaneously solstice
someday springtime subsequently summery sundown teatime temporarily term thereafter tuesday twilight valentine
wednesday weekday weekly while wintry yearly yesteryear yuletide
acorn avalanche blizzard bloom blossom breeze brook bumblebee canyon cascade clearing cliff cloud cloudless coastline
countryside cove creek dew downpour drizzle dune earth easterly eclipse equator fern field flurry fog foliage gale
garden glacier glade gloom gust hail haze heatwave hedge hedgehog hillside horizon hurricane jungle lagoon landscape
lawn lightning mist moonlight moonlit moor nature nightingale ocean orchard outdoors petal pond prairie puddle rainbow
raindrop ravine reef ridge river riverbank sapling seaside shade shadow shore shoreline shower sleet slope snowfall
snowflake soil solar squall starlight stream sunbeam sunlight sunlit sunny swamp thicket thunder thunderstorm tide
tundra twig undergrowth valley vista volcano waterfall wave weather wilderness wildlife willow wind woodland woods
moment
"""

COMMON_STEMS = frozenset(stem(w) for w in COMMON.split())
HEADS = {stem(w) for w in HEAD_WORDS.split()}  # what follows is part of the product
NUMBERISH = {stem(w) for w in NUMBER_WORDS.split()} | {stem(unit) for unit in UNIT if unit.isalpha()}
SCENE_STEMS = frozenset(stem(w) for w in SCENES.split())  # a red sky is no claim
