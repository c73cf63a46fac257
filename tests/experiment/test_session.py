"""The compiled visit against the same in plain Python, one visit at a time, with its own way to the same luck."""

import math
from dataclasses import replace

import numpy as np
import pytest

from reco_utils.experiment.behaviour import Behaviour
from reco_utils.experiment.luck import GOLDEN, bell, luck, mix, visit_key
from reco_utils.experiment.shoppers import Shoppers
from reco_utils.experiment.traffic import SUMS

MASK, STEP = 2**64 - 1, 0x9E3779B97F4A7C15
COLUMNS = list(SUMS)


# ------------------------------------------------------------------------------------------------- luck, by plain ints
def stirred(bits):
    bits = ((bits ^ (bits >> 30)) * 0xBF58476D1CE4E5B9) & MASK
    bits = ((bits ^ (bits >> 27)) * 0x94D049BB133111EB) & MASK
    return bits ^ (bits >> 31)


class PlainLuck:
    """Draws of one visit."""

    def __init__(self, seed, shopper, day, visit):
        key = (stirred((seed + STEP) & MASK) ^ shopper) + STEP
        self.key = stirred(stirred(key & MASK) ^ ((day + 1_000_000) * 64 + visit))

    def __call__(self, number):
        return (stirred((self.key + number * STEP) & MASK) >> 11) * 2.0**-53

    def bell(self, number):
        return math.sqrt(-2 * math.log(1 - self(number))) * math.cos(2 * math.pi * self(number + 1))


def test_the_stirring_is_splitmix():
    """The published first outputs of SplitMix64 for the seed 1234567."""
    published = [6457827717110365317, 3203168211198807973, 9817491932198370423, 4593380528125082431]
    with np.errstate(over="ignore"):
        ours = [int(mix(np.uint64(1234567) + np.uint64(n) * GOLDEN)) for n in range(1, 5)]
    assert ours == published == [stirred((1234567 + n * STEP) & MASK) for n in range(1, 5)]


@pytest.mark.parametrize("place", [(0, 0, 0, 0), (7, 3, 13, 2), (2**63 - 1, 99_999, -14, 1)])
def test_luck_is_what_plain_whole_numbers_give(place):
    plain, key = PlainLuck(*place), np.uint64(visit_key(*place))
    assert [luck(key, n) for n in range(50)] == [plain(n) for n in range(50)]
    assert bell(key, 6) == pytest.approx(plain.bell(6), abs=1e-12)


def test_luck_is_even_and_neighbours_have_nothing_to_do_with_each_other():
    draws = np.array([[luck(np.uint64(visit_key(0, who, day, 1)), 0) for day in range(4)] for who in range(5_000)])
    assert np.abs(np.histogram(draws, bins=10, range=(0, 1))[0] / draws.size - 0.1).max() < 0.01
    assert np.abs(np.corrcoef(draws.T) - np.eye(4)).max() < 0.06  # 4 standard errors of 1 / sqrt(5000)
    assert abs(np.corrcoef(draws[:-1, 0], draws[1:, 0])[0, 1]) < 0.06


# ------------------------------------------------------------------------------------------------------- plain shoppers
def six(value):
    return round(value * 1e6) / 1e6


def sigmoid(log_odds):
    return six(1 / (1 + math.exp(-log_odds)))


class PlainShopper:
    """One person, as the docstrings of `Behaviour` and `session` tell of her."""

    def __init__(self, tastes, kinds, behaviour, number, user, rate):
        self.shop, self.kinds, self.ways, self.number, self.rate = tastes, kinds, behaviour, number, rate
        self.taste, self.device = tastes.user_factors[user], tastes.user_device[user]
        self.mood, self.same, self.last_day, self.bought, self.last, self.usual = 0.0, 0.0, 0, None, [], []

    def likes(self, item):
        return six(sum(float(a) * float(b) for a, b in zip(self.taste, self.shop.item_factors[item])))

    def visits(self, seed, day):
        rate = self.rate * self.ways.weekday[day % 7] * math.exp(self.mood * self.faded(day))
        none = six(math.exp(-rate))
        draw = PlainLuck(seed, self.number, day, 0)(0)
        return int(draw >= none) + int(draw >= six(none * (1 + rate)))

    def faded(self, day):
        return 0.5 ** ((day - self.last_day) / self.ways.half_life_days)

    def page_s(self, luck, number, click):
        return math.exp(min(max(luck.bell(number) * 0.8 + 1.2 * (click - 0.3) + math.log(14), -0.4), 6.1))

    def pieces(self, item, draw):
        more = 0.3 if self.shop.consumable[item] else 0.08
        return 1 + int(draw < more) + int(draw < more / 3)

    def visit(self, seed, day, number, shown, latency_ms):
        luck, ways, found = PlainLuck(seed, self.number, day, number), self.ways, dict.fromkeys(COLUMNS, 0)
        items = [int(item) for item in shown if item >= 0]
        common = len(set(items) & set(self.last)) / len(items) if items else 0.0
        self.mood *= self.faded(day)
        self.same = min((self.same * self.faded(day) + 1) * common, 4)
        self.last_day = day
        new = 1 - len(set(items) & set(self.usual)) / len(items) if self.usual and items else float(bool(self.usual))
        novelty = 0.0 if day < 0 else six(ways.novelty * 0.5 ** (day / ways.novelty_half_life_days))
        extra = novelty * new - ways.staleness * self.same
        errand = six(ways.errand * (ways.weekend_errand if day % 7 > 4 else 1))
        latency = latency_ms * math.exp(0.25 * luck.bell(6))
        found["latency_ms"], found["shown"] = round(latency, 1), len(items)
        if luck(0) >= six(min(1, ways.hurry * latency / 1000)):
            search = 1.0
            if luck(1) >= errand:
                self.browse(luck, shown, extra, found)
                search = ways.search_after_click if found["clicks"] else ways.search
            if luck(2) < search:
                self.search(luck, found)
        found["bounced"] = not found["clicks"] and not found["search_clicks"]
        self.mood += ways.pleased if found["clicks"] or found["orders"] else -ways.displeased * found["bounced"]
        self.mood = min(max(self.mood, -1), 1)
        self.last = items
        if day < 0:
            self.usual = items
        return {name: round(value, 2) for name, value in found.items()}

    def browse(self, luck, shown, extra, found):
        model, ways, seen, already = self.shop.model, self.ways, [], self.bought
        for place, item in enumerate(shown):
            first = 20 + 8 * place
            if item < 0 or luck(first) >= six((place + 1) ** -model.decay[self.device]):
                continue
            found["examined"] += 1
            found["dwell_s"] += ways.glance_s
            likes = ways.taste_share * self.likes(item)
            tired = ways.monotony * seen.count(self.kinds[item])
            seen.append(self.kinds[item])
            click = sigmoid(model.click_base + ways.attention + likes + extra - tired)
            if item == already or luck(first + 1) >= click:
                if luck(first + 5) < ways.bored:
                    return
                continue
            found["clicks"] += 1
            found["dwell_s"] += self.page_s(luck, first + 6, click)
            if luck(first + 2) >= sigmoid(model.cart_base + ways.caution + model.cart_slope * likes):
                continue
            found["carts"] += 1
            decides = model.buy_base + ways.caution + model.buy_slope * likes + model.buy_shift[self.device]
            if luck(first + 3) < sigmoid(decides):
                self.buy(item, self.pieces(item, luck(first + 4)), found)
                self.bought = self.bought if self.shop.consumable[item] else item

    def buy(self, item, pieces, found):
        found["orders"] = 1
        found["units"] += pieces
        found["revenue"] += self.shop.prices[item] * pieces

    def search(self, luck, found):
        clicks = 1 + int(luck(3) < 0.4) + int(luck(3) < 0.15)
        found["search_clicks"] = clicks
        found["dwell_s"] += clicks * self.page_s(luck, 8, 0.3)
        if not found["orders"] and luck(4) < self.ways.search_order:
            items = [int(luck(10 + n) * len(self.shop.prices)) for n in range(8)]
            best = max(items, key=self.likes)  # the first of equals
            self.buy(best, self.pieces(best, luck(5)), found)


def plainly(people, arms, arm_of, seed, days, before_days):
    """All visits of all shoppers, in the order of day and shopper, as tuples."""
    kinds, rows = np.asarray(people.kinds), []
    everybody = [
        PlainShopper(people.tastes, kinds, people.behaviour, n, user, rate)
        for n, (user, rate) in enumerate(zip(people.at, people._rates))
    ]
    for day in range(-before_days, days):
        for shopper, user, arm in zip(everybody, people.at, arm_of):
            shown = arms["control" if day < 0 else arm][user]
            for number in range(shopper.visits(seed, day)):
                found = shopper.visit(seed, day, number + 1, shown, 80.0)
                rows.append((people.users[shopper.number], day, *(found[name] for name in COLUMNS)))
    return rows


LIVELY = Behaviour(  # everything happens often
    visits_per_week=5.0, attention=0.5, caution=0.5, search=0.5, search_after_click=0.4, search_order=0.5, hurry=1.0
)


@pytest.mark.parametrize("behaviour", [Behaviour(visits_per_week=5.0), LIVELY, replace(LIVELY, novelty=2.0)])
def test_the_compiled_visit_is_the_plain_one(shop, behaviour):
    rng = np.random.default_rng(5)
    people = Shoppers(shop, 60, kinds=rng.integers(0, 5, len(shop.items)), behaviour=behaviour)
    shape = (len(shop.users), 6)
    arms = {"control": rng.permuted(np.tile(np.arange(40), (shape[0], 1)), axis=1)[:, :6], "new": np.empty(shape, int)}
    arms["new"] = np.where(rng.random(shape) < 0.5, arms["control"], arms["control"] + 50)
    arms["new"][::7, 2:4] = -1  # holes and short lists
    arms["new"][3] = -1
    arms["control"][::9, 0] = -1
    arm_of = np.array(["control", "new"] * 30)
    plain = plainly(people, arms, arm_of, seed=11, days=9, before_days=5)
    found = people.simulate(arms, arm_of, days=9, before_days=5, seed=11)
    for table, rows in (
        (found.before, [r for r in plain if r[1] < 0]),
        (found.visits, [r for r in plain if r[1] >= 0]),
    ):
        assert len(table) == len(rows) > 100
        assert table["user_id"].astype(str).tolist() == [row[0] for row in rows]
        whole = [name for name in COLUMNS if table[name].dtype.kind in "ib"]
        ours = table[["day", *whole]].to_numpy(int)
        np.testing.assert_array_equal(
            ours, [[row[1], *(row[2 + COLUMNS.index(name)] for name in whole)] for row in rows]
        )
        for name in ("revenue", "dwell_s", "latency_ms"):  # a tenth rounds up or down by the last bit of exp
            np.testing.assert_allclose(table[name], [row[2 + COLUMNS.index(name)] for row in rows], atol=0.1001)


def test_every_step_of_the_plain_visits_was_met(shop):
    """The comparison above means something only if all columns vary in it."""
    people = Shoppers(shop, 60, kinds=np.zeros(len(shop.items), int), behaviour=LIVELY)
    lists = np.tile(np.arange(6), (len(shop.users), 1))
    visits = people.simulate({"control": lists}, ["control"] * 60, days=9, seed=11).visits
    assert all(visits[name].nunique() > 1 for name in COLUMNS if name != "shown")


# ------------------------------------------------------------------------------------------ against the response model
def test_with_all_extras_off_clicks_are_those_of_the_shop(shop):
    """Every look is an independent draw of the shop's own response model: 4 standard errors in each place."""
    bare = Behaviour(
        errand=0, weekend_errand=1, attention=0, caution=0, taste_share=1, monotony=0, bored=0, hurry=0, search=0,
        search_after_click=0,
    )  # fmt: skip
    people = Shoppers(shop, behaviour=bare)
    rng = np.random.default_rng(0)
    items = rng.permuted(np.tile(np.arange(len(shop.items)), (len(people.at), 1)), axis=1)[:, :5]
    truth, n_days = shop.chances_at(people.at, items), 200
    steps = np.stack([people.look(np.arange(len(people.at)), items, day=day).steps for day in range(n_days)])
    chance = np.ones(items.shape)
    for step, more in enumerate((truth.examine, truth.click, truth.cart, truth.buy), start=1):
        chance = chance * more
        found, error = (steps >= step).mean(axis=(0, 1)), np.sqrt((chance * (1 - chance)).sum(axis=0) / n_days)
        assert (np.abs(found - chance.mean(axis=0)) <= 4 * error / len(people.at)).all()
    # and person by person: shoppers see with their own tastes
    clicks, expected = (steps >= 2).mean(axis=(0, 2)), (truth.examine * truth.click).mean(axis=1)
    assert np.corrcoef(clicks, expected)[0, 1] > 0.95
