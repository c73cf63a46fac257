"""Numbers of a text against the numbers of the facts: same dimension, same value, same subject."""

import re
from collections.abc import Iterator

from reco_utils.copywriting.derived import (
    EACH,
    PIECES,
    SHARED,
    TOTAL,
    WHOLE,
    Said,
    derived,
    in_currency,
    is_unit_price,
    part_of,
)
from reco_utils.copywriting.ledger import CLAIM_WORDS, FUNCTION, INCLUDED, Claim, Ledger, rooms
from reco_utils.copywriting.ordinary import COMMON_STEMS, HEADS, NUMBERISH
from reco_utils.copywriting.quantities import CURRENCIES, UNIT, Quantity, agrees, quantities
from reco_utils.copywriting.words import Token, sentence_spans, stem, with_implied

AGE = stem("age")
AGES = {stem(w) for w in "year years old older month child children toddler up upwards over player builder".split()}
LIFE = {"s", "min", "h"}  # "twenty minutes to yourself"
SIZES = frozenset(stem(w) for w in "length width height depth thickness diameter".split())
ALIKE = [{stem(w) for w in group.split()} for group in ("thickness diameter depth", "length", "width", "height")]
OLD = {"old", "rrp", "before", "previous", "former", "regular", "original", "list", "wa", "was", "retail"}
OLD |= {stem(n) for n in OLD}
_PART = re.compile(r",\s")
NEW_SUBJECT = {stem(w) for w in "whose with while plus and but which who".split()}
FAR = 9  # words; how far a word may stand from its number


def number_claims(text: str, found: list[Token], ledger: Ledger) -> Iterator[Claim]:
    """Every number of a text as a claim, supported or not."""
    all_q = tuple(_bars(text, q, ledger) for q in quantities(text) if not _is_name(text, q, ledger))
    spans = sentence_spans(text)
    said_of_price = -1
    for i, (q, room) in enumerate(zip(all_q, rooms(text, all_q))):
        sentence = next((s for s in spans if s[0] <= q.start < s[1]), (0, len(text)))
        said = _said(text, found, q, room, sentence, all_q[i + 1 : i + 2], all_q[max(0, i - 1) : i])
        if said_of_price == q.start:  # the kilo of "42 euros a kilo"
            continue
        if not q.digits and _harmless(said, found, sentence, ledger):
            continue
        fact, why = _support(text, said, all_q[:i], ledger)
        if fact and is_unit_price(said) and "for " in fact:
            said_of_price = said.follower.start
        kind = _kind(q, said.near, ledger)
        yield Claim(kind, q.start, q.end, fact or f"{text[q.start : q.end]!r}: {why}", bool(fact))


def _bars(text, q, ledger):
    """Ten bars are ten pieces where the facts know no pressure."""
    if q.dimension != "pressure" or any(k.quantity.dimension == "pressure" for k in ledger.known):
        return q
    number = re.match(r".*(?=\sbars?$)", text[q.start : q.end], re.I)
    return q._replace(dimension="count", unit="", end=q.start + len(number[0])) if number else q


def _is_name(text, q, ledger):
    """Is a number part of a product's name, as in "the Vela 2"?"""
    if q.dimension != "count" or not q.digits:
        return False
    before = re.search(r"\b[A-Z]\w+\s$", text[max(0, q.start - 25) : q.start])
    return before is not None and (before[0] + text[q.start : q.end]).lower() in ledger.text


def old_prices(ledger: Ledger) -> list[float]:
    """Prices that the facts call old."""
    return [k.quantity.low for k in ledger.known if k.fact != "price" and k.around & OLD]


def discount_holds(amounts: tuple[Quantity, ...], old: list[float], ledger: Ledger) -> bool:
    """Are these percentages and amounts the way from an old price to the price?"""
    price = next((k.quantity.low for k in ledger.known if k.fact == "price"), None)
    for a in amounts:
        if a.dimension == "percent" and price is not None:
            if not any(abs(100 * (1 - price / o) - a.low) < 1 for o in old if o):
                return False
        elif not any(abs(a.low - o) < 0.005 or (price is not None and abs(o - price - a.low) < 0.005) for o in old):
            return False
    return True


def _support(text, said, before, ledger):
    """(the fact behind a number, "") or (None, why there is none)."""
    q = said.quantity
    direct = [k for k in ledger.known if _agrees(q, k.quantity, ledger) and (said.head or not k.strict)]
    direct = direct or [k for k in ledger.known if _same_digits(q, k, ledger)]
    agreeing = [k for k in direct if not _of_another_share(said, k)]
    why = "no such number in the facts"
    if agreeing:
        why = _wrong_subject(said, agreeing, ledger)
        if why is None:
            return agreeing[0].fact, ""
    if not agreeing and (fact := derived(said, ledger) or _bare_price(said, ledger) or _within(said, ledger)):
        return fact, ""
    foreign = q.dimension == "money" and not in_currency(q, ledger)
    if not direct and not foreign and q.dimension in ("percent", "money") and (old := old_prices(ledger)):
        if discount_holds((q,), old, ledger):
            return "old price", ""
    if part_of(text, q, ledger):
        return "a ratio of the facts", ""
    if q.dimension == "count" and not {*said.head, said.label} & ledger.affirmed and (same := _inherited(q, before)):
        if any(_agrees(same, k.quantity, ledger) for k in ledger.known):
            return "the unit of the number before", ""
    return None, "another currency than that of the facts" if foreign else why


def _within(said, ledger):
    """A waist of a metre, where the facts say 80 to 125 cm; a 13-inch laptop where they say up to 15."""
    q, words = said.quantity, {word for word, distance in said.near if distance <= 3}
    if q.dimension in ("count", "money", "percent", "time"):
        return None
    for k in ledger.known:
        low = k.quantity.low if k.quantity.bound not in ("most", "ceiling") else 0.5 * k.quantity.high
        if k.quantity.dimension == q.dimension and low <= q.low <= q.high <= k.quantity.high and words & k.near:
            return k.fact
    return None


def _bare_price(said, ledger):
    """ "69 apiece": a number without a unit and without anything that it counts may be an amount of money."""
    if said.quantity.dimension != "count" or not said.quantity.digits or said.head and not said.each:
        return None
    unit = CURRENCIES.get(ledger.currency, "euro").split()[0]
    return derived(said._replace(quantity=said.quantity._replace(dimension="money", unit=unit)), ledger)


def _inherited(q, before):
    """ "Ten years on the frame, three on the motors": three years."""
    last = next((p for p in reversed(before) if p.unit), None)
    if last is None or q.start - last.end > 60:
        return None
    size = UNIT[last.unit][1]
    return q._replace(low=q.low * size, high=q.high * size, dimension=last.dimension, unit=last.unit)


def _of_another_share(said, known):
    """Is the fact about one of several and the text about all of them, or the other way round?"""
    if said.quantity.dimension in ("count", "money", "percent"):
        return False
    each, total = EACH.search(said.clause), TOTAL.search(said.clause)
    if SHARED.search(known.fact) and not WHOLE.search(known.fact) and re.search(r"\b(?:per|each|apiece)\b", known.fact):
        near = said.after[:12].lower()
        return bool(re.match(r"\s(?:the|a|per|in) (?:pair|set|total)", near)) or bool(total and not each)
    return bool(each and WHOLE.search(known.fact))


def _agrees(said, known, ledger):
    if said.dimension == "money" and not in_currency(said, ledger):
        return False
    if said.dimension == "count" and known.dimension == "percent":  # nine tenths is 90 %
        share = said._replace(low=said.low * 100, high=said.high * 100, dimension="percent", unit=known.unit)
        return 0 < said.low < 1 and (agrees(share, known) or abs(share.low - known.low) < 0.5)
    if said.dimension == "count" and known.dimension in ("temperature", "money") and not said.digits | bool(said.unit):
        known = known._replace(dimension="count")
    if said.dimension == "pounds" and known.dimension == "money" and ledger.currency != "GBP":
        return False
    return agrees(said, known)


def _same_digits(q, k, ledger):
    """A number without a unit, where the fact has one ("now 19"), or an age whose fact says no years."""
    known = k.quantity
    if q.dimension == "time" and q.unit == "year" and known.dimension == "count" and AGE in k.around:
        return q.low / UNIT["year"][1] in (known.low, known.high)
    if q.dimension != "count" or known.dimension == "count" or k.strict:
        return False
    size = UNIT[known.unit][1] if known.unit in UNIT else 1.0
    if known.dimension == "time" and AGE in k.around and q.low * UNIT["year"][1] in (known.low, known.high):
        return True
    return {round(q.low, 6), round(q.high, 6)} <= {round(known.low / size, 6), round(known.high / size, 6)}


def _kind(q, near, ledger):
    if q.dimension == "money":
        return "price"
    if q.dimension == "time" and {stem("warranty")} & {w for w, _ in near}:
        return "warranty"
    same = any(abs(k.quantity.low / UNIT.get(k.quantity.unit, ("", 1))[1] - q.low / UNIT.get(q.unit, ("", 1))[1]) < 1e-9
               and k.quantity.unit != q.unit for k in ledger.known)  # fmt: skip
    return "unit" if q.unit and same else "number"


# ---------------------------------------------------------------------------------------- what stands around a number
def _said(text, found, q, room, sentence, following, before):
    follower = following[0] if following and following[0].start - q.end < 22 else None
    word = re.sub(r"(?i)^(?:an?|the)\s", "", text[q.start : q.end])
    left = max([sentence[0], *(m.end() for m in _PART.finditer(text, sentence[0], q.start))])
    right = min([sentence[1], *(m.start() for m in _PART.finditer(text, q.end, sentence[1]))])
    counted = any(p.dimension == "count" and q.unit and q.start - p.end < 2 for p in before)
    ahead = [t for t in found if t.end == q.start - 1 and text[t.end : q.start] == " "]
    label = ahead[0].stem if ahead else ""
    near, head = _nearby(found, q, room), _counted(found, q)
    return Said(q, near, head, text[left:right], text[q.end :], follower, label, counted, word)


def _inside(found, q):
    return [i for i, t in enumerate(found) if t.start < q.end and t.end > q.start]


def _nearby(found, q, room):
    """(stem, distance in words) of the words in the clause of a quantity, nearest first; those behind it come first."""
    inside = _inside(found, q)
    if not inside:
        return []
    first, last = inside[0], inside[-1]
    clauses = {found[first].clause, found[last].clause}

    def mine(i):
        return room[0] <= found[i].start < room[1] and found[i].clause in clauses

    behind = [(i, i - last) for i in range(last + 1, min(len(found), last + 1 + FAR)) if mine(i)]
    stop = next((d for i, d in behind if found[i].stem in NEW_SUBJECT), FAR + 1)
    behind = [(i, d) for i, d in behind if d < stop]
    ahead = [(i, first - i) for i in range(max(0, first - FAR), first) if mine(i)]
    ahead = [(i, d) for i, d in ahead if room[0] == 0 or d <= _words_between(found, room[0], i) + 1]
    words = [(found[i].stem, d) for i, d in behind + ahead]
    near = [(w, d) for w, d in words if len(w) > 1 and w not in FUNCTION or w == "without"]
    return sorted(near, key=lambda pair: pair[1])


def _words_between(found, start, i):
    """How many words word i stands behind the number that ends at `start`."""
    return sum(start <= t.start <= found[i].start for t in found[max(0, i - FAR) : i + 1])


def _counted(found, q):
    """Stems of what a number counts: the words behind it, up to the next break or small word."""
    inside = _inside(found, q)
    words = []
    at = inside[-1] + 1 if inside else len(found)
    if not q.digits and at + 1 < len(found) and found[at].stem == "of" and found[at - 1].stem in NUMBERISH:
        at += 1  # a pair of
    for i in range(at, len(found)):
        token = found[i]
        small = token.stem in FUNCTION or token.stem in HEADS or token.stem in ("plu", "plus", INCLUDED)
        if token.clause != found[inside[-1]].clause or small or len(words) == 4 or token.stem.isdigit():
            break
        words.append(token.stem)
    return words


def _harmless(said, found, sentence, ledger):
    """A small number in words beside nothing the facts speak of: "two moods", "five minutes to yourself"."""
    q, head = said.quantity, said.head
    if q.dimension != "count":
        here = [t for t in found if sentence[0] <= t.start < sentence[1]]
        about = any(t.stem in ledger.affirmed and t.stem not in COMMON_STEMS | FUNCTION | NUMBERISH for t in here)
        return q.unit in LIFE and not about
    if q.unit == "" and not head and re.match(r"pair|couple|duo|trio|dozen", said.word, re.I):
        return True  # "the pair comes to", "three euros a pair"
    if any(w in ledger.affirmed or w in CLAIM_WORDS for w in head):
        return False
    return q.high <= 3 and bool(head) or bool(head) and head[-1] in COMMON_STEMS or q.low < 1 and not head


# -------------------------------------------------------------------------------------------- what a number belongs to
def _wrong_subject(said, agreeing, ledger):
    """Why the number belongs to something else than the text says, or None."""
    q = said.quantity
    rivals = [k for k in ledger.known if k.quantity.dimension == q.dimension and k not in agreeing and not k.strict]
    if q.dimension == "count" and said.head:
        if said.label and re.search(rf"\b{said.label}\w*\s{re.escape(said.word)}\b", ledger.text):
            return None
        mine = frozenset().union(*(k.near for k in agreeing)) - FUNCTION
        other = set(said.head) & frozenset().union(*(k.near for k in rivals)) - mine
        if said.head[-1] in mine and not other:
            return None
        if wrong := _miscounts(said, agreeing, ledger):
            return wrong
    if any(k.quantity.dimension == "money" for k in agreeing):
        return None
    near = said.near
    if q.dimension == "count" and said.head:
        near = [(word, at + 1) for at, word in enumerate(said.head)]
    if word := _rival_word(near, q.dimension, agreeing, rivals, ledger):
        return f"in the facts this is not about {word!r}"
    size = next((word for word, distance in said.near if word in SIZES and distance <= 3), None)
    if size and q.dimension == "length" and not any(size in k.near for k in agreeing):
        alike = frozenset().union(*(SIZES - group for group in ALIKE if size in group))
        if any(size in k.near for k in rivals) or all(k.near & alike for k in agreeing):
            return f"in the facts this is not the {size!r}"
    return None


def _rival_word(near, dimension, agreeing, rivals, ledger):
    """A word beside the number that belongs to facts with another value, when they fit better than those that agree."""
    mine = frozenset().union(
        *(k.around if k.fact.startswith("name: ") and k.quantity.dimension == dimension else k.near for k in agreeing)
    )
    if dimension != "percent" and not any(k.fact.startswith("name: ") for k in rivals):
        mine |= ledger.named
    theirs = frozenset().union(*(k.near for k in rivals)) - mine
    own = mine - frozenset().union(*(k.near for k in rivals))
    pull = min((d for w, d in near if w in own), default=2 * FAR)
    push = [(d, w) for w, d in near if w in theirs]
    return min(push)[1] if push and min(push)[0] < pull else None


def _miscounts(said, agreeing, ledger):
    """Does a number count a thing that its fact does not speak of?"""
    head = said.head
    ends = with_implied({head[0], head[-1]})
    for k in agreeing:
        if AGE in k.near and not ({w for w, _ in said.near} & (AGES | {AGE})):
            continue
        around = with_implied(set(k.around))
        if ends & around or not k.strict and (head[-1] in COMMON_STEMS | PIECES or ends & ledger.affirmed):
            return None
    return f"in the facts this number does not count {head[-1]!r}"
