"""Numbers of a text against the numbers of the facts: same dimension, same value, same subject."""

import re
from collections.abc import Iterator

from reco_utils.copywriting.derived import (
    Said,
    derived,
    in_currency,
    part_of,
)
from reco_utils.copywriting.ledger import CLAIM_WORDS, FUNCTION, Claim, Ledger, rooms
from reco_utils.copywriting.ordinary import COMMON_STEMS, HEADS, NUMBERISH
from reco_utils.copywriting.quantities import CURRENCIES, UNIT, Quantity, agrees, quantities
from reco_utils.copywriting.words import Token, sentence_spans, sentences_in, stem

AGE = stem("age")
LIFE = {"s", "min", "h"}  # "twenty minutes to yourself"
OLD = {"old", "rrp", "before", "previous", "former", "regular", "original", "list", "wa", "was", "retail"}
OLD |= {stem(n) for n in OLD}
_PART = re.compile(r",\s")
BY_UNIT = re.compile(r"\s(?:an?|per|for(?: every| each)?|the|each|every)?\s?", re.I)
NEW_SUBJECT = {stem(w) for w in "whose with while plus and but which who".split()}
FAR = 9  # words; how far a word may stand from its number


def number_claims(text: str, found: list[Token], ledger: Ledger) -> Iterator[Claim]:
    """Every number of a text as a claim, supported or not."""
    all_q = tuple(_bars(text, q, ledger) for q in quantities(text) if not _is_name(text, q, ledger))
    spans = sentence_spans(text)
    priced = -1
    for i, (q, room) in enumerate(zip(all_q, rooms(text, all_q))):
        sentence = next((s for s in spans if s[0] <= q.start < s[1]), (0, len(text)))
        said = _said(text, found, q, room, sentence, all_q)
        if priced == q.start:  # the kilo of "42 euros a kilo"
            continue
        if not q.digits and _harmless(said, found, sentence, ledger):
            continue
        fact, why = _support(text, said, all_q[:i], ledger)
        if said.follower and fact not in (None, "price"):
            priced = said.follower.start
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
    before = re.search(r"\b[A-Z]\w+\s$", text[max(0, q.start - 25) : q.start])
    return before is not None and (before[0] + text[q.start : q.end]).lower() in ledger.text


def old_prices(ledger: Ledger) -> list[float]:
    """Prices that the facts call old."""
    return [k.quantity.low for k in ledger.known if k.fact != "price" and k.around & OLD]


def discount_holds(amounts: tuple[Quantity, ...], old: list[float], ledger: Ledger) -> bool:
    """Are these percentages and amounts the way from an old price to the price? False where there is no old price."""
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
    agreeing = [k for k in ledger.known if _agrees(q, k.quantity, ledger) and (said.head or not k.strict)]
    agreeing = agreeing or [k for k in ledger.known if _same_digits(q, k, ledger)]
    why = "no such number in the facts"
    if agreeing:
        why = _wrong_subject(said, agreeing, ledger)
        if why is None:
            return agreeing[0].fact, ""
    if not agreeing and (fact := derived(said, ledger) or _bare_price(said, ledger) or _within(said, ledger)):
        return fact, ""
    foreign = q.dimension == "money" and not in_currency(q, ledger)
    if q.dimension in ("percent", "money") and not foreign and discount_holds((q,), old_prices(ledger), ledger):
        return "old price", ""
    if part_of(text, q, ledger):
        return "a ratio of the facts", ""
    if q.dimension == "count" and not {*said.head, said.label} & ledger.affirmed and (same := _inherited(q, before)):
        if any(_agrees(same, k.quantity, ledger) for k in ledger.known) or derived(
            said._replace(quantity=same), ledger
        ):
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


def _agrees(said, known, ledger):
    if said.dimension == "money" and not in_currency(said, ledger):
        return False
    if said.dimension == "count" and known.dimension == "percent":  # nine tenths is 90 %
        share = said._replace(low=said.low * 100, high=said.high * 100, dimension="percent", unit=known.unit)
        return 0 < said.low < 1 and (agrees(share, known) or abs(share.low - known.low) < 0.5)
    return agrees(said, known)


def _same_digits(q, k, ledger):
    """A number without a unit, where the fact has one ("now 19"), or an age whose fact says no years."""
    known = k.quantity
    if q.dimension == "time" and q.unit == "year" and known.dimension == "count" and AGE in k.around:
        return q.low / UNIT["year"][1] in (known.low, known.high)
    if q.dimension != "count" or known.dimension == "count" or k.strict:
        return False
    size = UNIT[known.unit][1] if known.unit in UNIT else 1.0
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
def _said(text, found, q, room, sentence, all_q):
    behind = (
        p for p in all_q if p.start >= q.end and q.dimension == "money" and BY_UNIT.fullmatch(text[q.end : p.start])
    )
    word = re.sub(r"(?i)^(?:an?|the)\s", "", text[q.start : q.end])
    left = max([sentence[0], *(m.end() for m in _PART.finditer(text, sentence[0], q.start))])
    right = min([sentence[1], *(m.start() for m in _PART.finditer(text, q.end, sentence[1]))])
    ahead = [t for t in found if t.end == q.start - 1 and text[t.end : q.start] == " "]
    whole = next((s for s in sentences_in(text) if s[0] <= q.start < s[1]), (0, len(text)))
    words = frozenset(t.stem for t in found if whole[0] <= t.start < whole[1])
    others = tuple(p for p in all_q if p is not q and whole[0] <= p.start < whole[1])
    counted = any(p.dimension == "count" and q.unit and 0 <= q.start - p.end < 2 for p in others)
    near, head = _nearby(found, q, room), _counted(found, q)
    label = ahead[0].stem if ahead else ""
    return Said(q, near, head, text[left:right], words, others, text[q.end :], next(behind, None), label, counted, word)


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
    words = [(found[i].stem, d) for i, d in behind + ahead]
    near = [(w, d) for w, d in words if w not in FUNCTION]
    return sorted(near, key=lambda pair: pair[1])


def _counted(found, q):
    """Stems of what a number counts: the words behind it, up to the next break or small word."""
    inside = _inside(found, q)
    words = []
    at = inside[-1] + 1 if inside else len(found)
    if not q.digits and at + 1 < len(found) and found[at].stem == "of" and found[at - 1].stem in NUMBERISH:
        at += 1  # a pair of
    for i in range(at, len(found)):
        token = found[i]
        if token.clause != found[inside[-1]].clause or token.stem in FUNCTION | HEADS:
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
    q, near = said.quantity, said.near
    if any(k.quantity.dimension == "money" for k in agreeing):
        return None
    rivals = [k for k in ledger.known if k.quantity.dimension == q.dimension and k not in agreeing and not k.strict]
    if q.dimension == "count" and said.head:
        labelled = said.label and re.search(rf"\b{said.label}\w*\s{re.escape(said.word)}\b", ledger.text)
        mine, theirs = (frozenset().union(*(k.near for k in known)) for known in (agreeing, rivals))
        if labelled or said.head[-1] in mine and not set(said.head) & theirs - mine:
            return None
        near = [(word, at + 1) for at, word in enumerate(said.head)]
    word = _rival_word(near, q.dimension, agreeing, rivals, ledger)
    return f"in the facts this is not about {word!r}" if word else None


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
