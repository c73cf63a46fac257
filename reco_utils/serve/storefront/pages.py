"""The pages of the shop. Each draws itself from top to bottom; a click changes the visit, and the page is drawn anew.

    address ?page=item&item=p0001 --> page;      click --> event to the shop, and to the visit --> the next list

What somebody did in this visit lives in Streamlit's session and ends with it. Which customer is asking does not stand
in the address, where it would be kept by browsers and logs.
"""

import math
import secrets
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import streamlit as st

from reco_utils.serve.ask import Answer, Ask, BadRequest, NotFound, Unavailable
from reco_utils.serve.storefront import window
from reco_utils.serve.storefront.client import Customer, KeyMissing, Rows, Shop
from reco_utils.serve.storefront.results import FOLDER, read_results
from reco_utils.serve.storefront.window import counted, label, safe

K = 12  # products of a list
N_SHELVES, N_SIMILAR = 2, 10  # "because you bought" on the first page, and how long each is
N_POOL, N_TILES, N_PICKED = 100, 12, 8  # products to pick from, those shown at a time, and the list that follows
STRANGER = "somebody-never-seen-before"
LONGEST_QUERY = 300  # characters
ALL = ""  # the switch between models: everything together
PRICES = [0, 5, 10, 15, 20, 30, 40, 50, 75, 100, 150, 200, 300, 500, 1000, math.inf]
MENU = {"home": "For you", "pick": "Pick what you like", "experiments": "Experiments", "you": "Your data"}
TO_TOP = "<script>/* page {} */ document.querySelector('[data-testid=\"stMain\"]')?.scrollTo(0, 0)</script>"
DID = {"click": "you looked at", "like": "you liked", "add_to_cart": "you put into the cart", "purchase": "you bought"}


@dataclass(frozen=True)
class Desk:
    """What every page needs: the shop, rows of its catalogue, whom to shop as, where results lie, name and currency."""

    shop: Shop
    rows: Rows
    customers: tuple[Customer, ...] = ()
    home: str | None = None
    name: str = "Corner & Co."
    currency: str = "€"


# -------------------------------------------------------------------------------------------------------- the visit
def visit() -> Any:
    """The session of this browser tab, with everything in it that pages rely on."""
    state = st.session_state
    if "visitor" not in state:
        state.visitor = f"visitor-{secrets.token_hex(6)}"
        state.clicks, state.carts, state.shown, state.causes, state.gone = {}, {}, {}, {}, {}
        state.between = (PRICES[0], PRICES[-1])
        state.picks, state.pool_at, state.said, state.liked, state.turned = [], 0, [], set(), 0
    for name in ("user", "model", "categories", "query"):  # else forgotten on pages that do not show them
        if name in state:
            state[name] = state[name]
    return state


def who() -> str:
    """The user of the lists."""
    return (st.session_state.get("user") or "").strip() or st.session_state.visitor


def go(page: str, **more: str) -> None:
    """Open another page; the words of a search stay with it."""
    st.session_state.query = more.get("q", "")
    st.query_params.from_dict({"page": page, **more})


def tell(desk: Desk, event: str, item: str, **more) -> None:
    """Send an event, and note it for this visit; without the shop's log the visit goes on all the same."""
    state, user = st.session_state, who()
    row = desk.rows.of([item]).get(item, {})
    sent = {"event_id": secrets.token_hex(12), "user_id": user, "item_id": item, "event": event, **more}
    try:
        desk.shop.ingest([sent | {"session_id": state.visitor}])
    except (Unavailable, BadRequest) as error:
        state.said.append(("warn", f"This could not be written down ({safe(error)}); it counts for this visit only."))
    if event != "purchase":
        state.clicks[user] = [i for i in state.clicks.get(user, []) if i != item][-49:] + [item]
    state.causes[user] = (event, window.short_title(row.get("title", item)))


def open_item(desk: Desk, item: str) -> None:
    """Look at a product."""
    _quietly(tell, desk, "click", item)
    go("item", item=item)


def like(desk: Desk, item: str) -> None:
    """More like this, without leaving the page."""
    _quietly(tell, desk, "click", item)
    st.session_state.liked.add(item)
    st.session_state.causes[who()] = ("like", st.session_state.causes.get(who(), ("", item))[1])


def add(desk: Desk, item: str) -> None:
    """Put a product into the cart."""
    _quietly(tell, desk, "add_to_cart", item)
    cart = st.session_state.carts.setdefault(who(), [])
    if item not in cart:
        cart.append(item)
    st.session_state.said.append(("news", "It is in your cart."))


def buy(desk: Desk, items: Sequence[str]) -> None:
    """Buy products, and take them out of the cart."""
    rows = _quietly(desk.rows.of, items) or {}
    for item in items:
        value = rows.get(item, {}).get("price")
        _quietly(tell, desk, "purchase", item, quantity=1, **({} if value is None else {"value": value}))
    state = st.session_state
    state.carts[who()] = [item for item in state.carts.get(who(), []) if item not in items]
    state.clicks[who()] = [item for item in state.clicks.get(who(), []) if item not in items]
    what = window.listed_titles(items, rows) or counted(len(items), "product")
    state.said.append(("news", f"Thank you. You bought {what}; nothing was charged, this shop is a demonstration."))


def _quietly(function: Callable, *arguments, **named):
    """Call what a click does; when the shop is closed, the page that is drawn next says so."""
    try:
        return function(*arguments, **named)
    except Unavailable:
        return None


# -------------------------------------------------------------------------------------------------------- the frame
def show(desk: Desk) -> None:
    """The page that the address names, inside the shop's frame."""
    state = visit()
    page = st.query_params.get("page", "home")
    page = page if page in PAGES else "home"
    if page == "search" and state.get("query") != st.query_params.get("q", ""):  # somebody went back
        state.query = st.query_params.get("q", "")
    _sidebar(desk)
    _top(desk, page)
    here = page, st.query_params.get("item")
    if state.get("page_before") != here:  # else the new page begins where the old one was
        state.page_before, state.turned = here, state.turned + 1
        st.html(TO_TOP.format(state.turned), unsafe_allow_javascript=True)
    said, state.said = state.said, []
    for kind, words in said:
        st.html(window.notice(words, kind))
    PAGES[page](desk)


def closed(why: str, api: str) -> None:
    """What a visitor sees when the shop does not answer, and what its keeper can do."""
    st.html(window.head("We are closed for a moment", "The shop does not answer. Nothing of yours is lost.", 1))
    st.button("Try again", type="primary", key="again")
    how = (
        f"The window is open and the shop behind it, at <code>{safe(api)}</code>, is not. Start it with "
        "<code>python -m reco_utils serve</code>, or say with <code>RECO_API</code> where else it is."
        if api
        else "Start the shop with <code>python -m reco_utils serve</code>: it opens this window too. Or say with "
        "<code>RECO_API</code> where its API is, or with <code>RECO_HOME</code> where its models lie."
    )
    st.html(f'<p class="under">For the shop’s keeper: {how}<br>What was said: {safe(why)}</p>')


def _sidebar(desk) -> None:
    """Whom to shop as, who picks, and what the shop knows."""
    kinds = {customer.user: customer.kind for customer in desk.customers}
    kinds |= {st.session_state.visitor: "visitor without account", STRANGER: "never seen before"}
    kinds |= dict.fromkeys(st.session_state.gone, "forgotten")
    names = {st.session_state.visitor: "You"}
    with st.sidebar:
        st.selectbox(
            "Shopping as",
            list(kinds),
            key="user",
            format_func=lambda user: f"{names.get(user, user)} · {kinds.get(user, 'somebody else')}",
            help="Sample customers of several kinds; any other customer’s id can be typed.",
            accept_new_options=True,
        )
        models = (ALL, *dict.fromkeys(desk.shop.models()))
        st.selectbox("Who picks", models, key="model", format_func=_model_name(models))
        _profile(desk, who(), "What the shop knows")


def _model_name(models):
    """Names for the switch, made different where two models share one."""
    words = [window.model_words(model) for model in models]
    names = {m: w if words.count(w) == 1 else f"{w} ({m})" for m, w in zip(models, words)}
    return lambda model: names.get(model, str(model))


def _profile(desk, user, title, level=3) -> None:
    """The features of a user."""
    try:
        features = desk.shop.features(user)
    except BadRequest as error:
        st.html(window.notice(f"This is no customer’s id: {safe(error)}", "warn"))
        return
    clicked = (features.get("session_click_ids") or {}).get("value") or ()
    titles = {item: row.get("title") for item, row in desk.rows.of(clicked).items()}
    st.html(window.head(title, "", level) + window.profile(features, titles, desk.currency))


def _top(desk, page) -> None:
    """Name, search, cart and menu."""
    with st.container(key="top"):
        name, search, cart = st.columns([2, 4, 1.2], vertical_alignment="center")
        name.html(f'<div class="brand"><b>{safe(desk.name, 40)}</b><span>Things for every day</span></div>')
        search.text_input(
            "Search the shop",
            key="query",
            placeholder="Search: tent, mug under 20, blue scarf ...",
            label_visibility="collapsed",
            icon=":material/search:",
            on_change=_search,
        )
        with cart:
            _cart(desk)
        with st.container(horizontal=True, key="menu"):
            for target, words in MENU.items():
                with st.container(key=f"now-{target}" if target == page else f"menu-{target}", width="content"):
                    st.button(words, key=f"to-{target}", type="tertiary", on_click=go, args=(target,))


def _search() -> None:
    """Somebody typed something."""
    query = st.session_state.query.strip()[:LONGEST_QUERY]
    go("search", q=query) if query else go("home")


def _cart(desk) -> None:
    """What is in the cart, behind a button that counts."""
    cart = st.session_state.carts.get(who(), [])
    with st.popover(f"Cart ({len(cart)})", icon=":material/shopping_bag:", width="stretch"):
        if not cart:
            st.html('<p class="under">Nothing yet.</p>')
            return
        rows = desk.rows.of(cart)
        cells = [(f"<bdi>{safe(row.get('title'), 70)}</bdi>", window.price(row.get("price"), desk.currency))
                 for row in rows.values()]  # fmt: skip
        st.html(window.table(("Product", "Price"), cells))
        st.button("Buy all", type="primary", key="buy-cart", on_click=buy, args=(desk, tuple(cart)))
        st.button("Empty the cart", type="tertiary", key="empty-cart", on_click=cart.clear)


# -------------------------------------------------------------------------------------------------------- shelves
def cards(
    desk: Desk, shelf: str, items: Sequence[str], *, reasons=None, badges=None, row: bool = False, picks: bool = False
) -> None:
    """Products side by side: a grid, or one row that scrolls and whose cards only open.

    Parameters
    ----------
    shelf : str
        Different for every shelf of a page.
    reasons, badges : dict of item to text, optional
    picks : bool
        With a button to pick it instead of those that look and buy.
    """
    rows = desk.rows.of(items)
    with st.container(key=f"{'row' if row else 'grid'}-{shelf}"):
        for item, product in rows.items():
            with st.container(key=f"card-{shelf}-{item}"):
                st.html(window.picture_of(product, (badges or {}).get(item, "")))
                title = label(product.get("title"))
                if picks:
                    _pick_button(item, title)
                else:
                    st.button(title, key=f"open-{shelf}-{item}", type="tertiary", on_click=open_item, args=(desk, item))
                st.html(window.facts_of(product, (reasons or {}).get(item, ""), desk.currency))
                if not picks and not row:
                    _acts(desk, shelf, item)


def _acts(desk, shelf, item) -> None:
    """The buttons of a card."""
    liked = item in st.session_state.liked
    with st.container(key=f"acts-{shelf}-{item}", horizontal=True, gap="small"):
        st.button(
            "Add", key=f"add-{shelf}-{item}", icon=":material/add_shopping_cart:", on_click=add, args=(desk, item)
        )
        icon = ":material/heart_check:" if liked else ":material/favorite_border:"
        st.button("Like", key=f"like-{shelf}-{item}", icon=icon, type="tertiary", on_click=like, args=(desk, item))


def degraded(answer: Answer, **other: str) -> None:
    """A quiet word on what was missing when a list was made; `other` words for a part where they fit better."""
    if answer.degraded:
        late = {} if answer.path == "popular" else {"model": "your latest clicks may not count yet"}
        words = window.RESTING | late | other
        parts = dict.fromkeys(words.get(part, f"{safe(part, 30)} is resting") for part in answer.degraded)
        st.html(window.notice(f"Part of the shop is resting: {'; '.join(parts)}. Everything else works."))


def how_made(answer: Answer, took_ms: float) -> None:
    """Where a list comes from, for the curious."""
    with st.popover("How was this list made?", type="tertiary"):
        roads = {
            "cached": "it was made a moment ago and kept",
            "precomputed": "it was worked out when the model was trained",
            "live": "it was worked out just now, with what you did lately",
            "stranger": "it was worked out for somebody the model does not know",
            "popular": "it is the same for everybody",
        }
        lines = [
            ("Goes by", window.step_words(answer.step)),
            ("Step of the cascade", safe(answer.step, 40)),
            ("Road", roads.get(answer.path, safe(answer.path, 40))),
            ("Model", safe(answer.version, 60)),
            ("Asked and answered in", f"{took_ms:.0f} ms"),
        ]
        st.html(window.table(("", ""), lines))


def your_list(desk: Desk, place: str, *, row: bool = False) -> Answer | None:
    """The list of whoever is here, with a note above it on what has changed since it was last shown.

    Returns
    -------
    The answer, None when there is nothing to show
    """
    began = time.perf_counter()
    try:
        ask = _ask()
        answer = desk.shop.recommend(ask)
    except BadRequest as error:
        st.html(window.notice(f"That cannot be asked: {safe(error)}", "warn"))
        return None
    took_ms = (time.perf_counter() - began) * 1000
    items = [listed.item for listed in answer.items]
    rows = desk.rows.of(items)
    note, new = _noted(ask, items, rows)
    title = "Recommended for you" if answer.step not in ("popular", "cohort") else "Popular right now"
    words = f"Chosen by {window.step_words(answer.step)}."
    level = 1 if place == "home" else 2
    st.html(window.head(title, words, level))
    degraded(answer)
    if note:
        st.html(window.notice(note, "news"))
    if not items:
        st.html(window.notice("No product passes these filters. Take one away and there will be some."))
        return None
    badges = dict.fromkeys(new, "New in your list")
    cards(desk, place, items, reasons=_reasons(answer), badges=badges, row=row)
    how_made(answer, took_ms)
    return answer


def _ask() -> Ask:
    """The question that switches and filters ask."""
    state = st.session_state
    low, high = state.between
    price = (float(low) if low else None, None if high == math.inf else float(high))
    session = tuple(state.clicks.get(who(), ()))
    return Ask(who(), K, True, session, tuple(state.get("categories") or ()), price, state.get("model") or None)


def _reasons(answer) -> dict[str, str]:
    """Why an item is listed, up to the first comma, where sizes and colours begin."""
    return {item: (words[:1].upper() + words[1:]).split(",")[0] for item, words in answer.reasons.items()}


def _noted(ask, items, rows) -> tuple[str, tuple[str, ...]]:
    """The note on what is new in a list, and the new items; it stays until the next change."""
    state = st.session_state
    question = (ask.user, ask.categories, ask.price, ask.model, ask.k)
    before = state.shown.get(ask.user)
    cause = state.causes.pop(ask.user, None)
    if before is None or before["question"] != question:
        state.shown[ask.user] = {"question": question, "items": items, "note": "", "new": ()}
    elif before["items"] != items:
        found = window.changes(before["items"], items)
        why = f"{DID[cause[0]]} <bdi>{safe(cause[1], 60)}</bdi>" if cause else ""
        note = window.changes_in_words(found, rows, why) if found else ""
        state.shown[ask.user] = {"question": question, "items": items, "note": note, "new": found.came}
    elif cause:
        state.shown[ask.user] |= {"note": "That was noted; your list stays as it is.", "new": ()}
    return state.shown[ask.user]["note"], state.shown[ask.user]["new"]


# -------------------------------------------------------------------------------------------------------- the pages
def home(desk: Desk) -> None:
    """Recommended for you, and why."""
    _filters(desk)
    answer = your_list(desk, "home")
    if answer is None:
        return
    shown = {listed.item for listed in answer.items}
    owned = _owned(answer)
    for item, product in desk.rows.of(owned).items():
        _similar_shelf(desk, item, _as_heading(owned[item], product), shown)
    clicked = st.session_state.clicks.get(who(), [])[::-1]
    if clicked:
        st.html(window.head("You looked at these"))
        cards(desk, "looked", clicked[:N_SIMILAR], row=True)


def _owned(answer) -> dict[str, str]:
    """The items that explain most of a list, and the sentences that say so."""
    times = Counter(listed.because for listed in answer.items if listed.because)
    said = {listed.because: answer.reasons.get(listed.item, "") for listed in answer.items}
    return {item: said[item] for item, _ in times.most_common(N_SHELVES)}


def _as_heading(sentence, product) -> str:
    """A sentence about a product as HTML, the title marked as one; "Because of" it if its title is not inside."""
    before, found, after = sentence.partition(str(product.get("title")))
    if not found:
        before, after = "because of ", ""
    return " ".join([safe(before[:1].upper() + before[1:]), _title(product), safe(after)]).strip()


def _title(product) -> str:
    """A product's title inside a heading, as HTML."""
    return f"<bdi>{safe(window.short_title(product.get('title')), 70)}</bdi>"


def _similar_shelf(desk, item, title, leave_out=()) -> None:
    """A row of what goes with an item; nothing at all when there is nothing."""
    try:
        answer = desk.shop.similar(item, N_SIMILAR)
    except NotFound:
        return
    items = [listed.item for listed in answer.items if listed.item not in leave_out]
    if items:
        st.html(window.head(title))
        degraded(answer)
        cards(desk, f"like-{item}", items, row=True)


def _filters(desk) -> None:
    """Categories and prices; they rule products out before the list is cut, so that it stays as long."""
    names = desk.shop.categories()
    few = len(names) <= 14
    with st.container(horizontal=True, key="filters", vertical_alignment="bottom"):
        if few and len(names) > 1:
            st.pills("Only from", names, selection_mode="multi", key="categories", format_func=label)
        elif names:
            st.multiselect("Only from", names, key="categories", placeholder="All categories", width=380)
        if desk.rows.priced:
            _price_filter(desk)


def _price_filter(desk) -> None:
    """From which price to which, behind a button that says so."""
    with st.popover(_price_words(st.session_state.between, desk.currency), icon=":material/sell:"):
        st.select_slider(
            "Price",
            PRICES,
            value=st.session_state.between,
            key="prices",
            on_change=_keep_prices,
            format_func=lambda p: "no limit" if p == math.inf else f"{desk.currency}{p}",
            width=300,
        )


def _keep_prices() -> None:
    """Remember the price filter on pages that do not show it; Streamlit forgets a slider's two ends otherwise."""
    st.session_state.between = st.session_state.prices


def _price_words(prices, currency) -> str:
    """The price filter on its button."""
    low, high = prices
    if high == math.inf:
        return f"From {currency}{low}" if low else "Any price"
    return f"{currency}{low} to {currency}{high}" if low else f"Up to {currency}{high}"


def item(desk: Desk) -> None:
    """One product, what goes with it, and the list that looking at it has changed."""
    name = st.query_params.get("item", "")
    product = desk.rows.of([name]).get(name) if name else None
    if product is None:
        st.html(window.head("This product is not here", "It may have left the shop.", 1))
        st.button("To the products for you", type="primary", on_click=go, args=("home",), key="back")
        return
    st.button(
        "Back to the list", icon=":material/arrow_back:", type="tertiary", on_click=go, args=("home",), key="back"
    )
    picture, words = st.columns([5, 6], gap="large")
    picture.html(window.picture_of(product, large=True))
    with words:
        st.html(_detail(product, desk.currency))
        sold_out = product.get("in_stock") is False
        with st.container(horizontal=True):
            st.button("Add to cart", type="primary", icon=":material/add_shopping_cart:", key="add-this",
                      disabled=sold_out, on_click=add, args=(desk, name))  # fmt: skip
            st.button("Buy now", key="buy-this", disabled=sold_out, on_click=buy, args=(desk, (name,)))
    _similar_shelf(desk, name, "Goes with this")
    your_list(desk, "now", row=True)


def _detail(product, currency) -> str:
    """A product in words."""
    made = " · ".join(safe(product[name], 60) for name in ("category", "subcategory", "brand") if product.get(name))
    out = '<span class="out">sold out at the moment</span>' if product.get("in_stock") is False else "in stock"
    tags = "".join(f'<span class="chip">{safe(tag.strip(), 40)}</span>' for tag in _tags(product.get("tags")))
    text = f'<p dir="auto">{safe(product["description"], 2_000)}</p>' if product.get("description") else ""
    cost, title = window.price(product.get("price"), currency), safe(product.get("title") or "no title")
    return (
        f'<div class="detail"><div class="cat">{made}</div><h1 dir="auto">{title}</h1>'
        f'<div><span class="price">{cost}</span> <span class="cat">{out}</span></div>{text}<div>{tags}</div></div>'
    )


def _tags(tags) -> list[str]:
    """Tags as a list, however the catalogue writes them."""
    if isinstance(tags, (list, tuple)):
        return [str(tag) for tag in tags][:8]
    return [tag for tag in str(tags or "").split(",") if tag.strip()][:8]


def search(desk: Desk) -> None:
    """What fits somebody's words."""
    query = st.query_params.get("q", "")
    try:
        answer = desk.shop.search(query, who(), 2 * K)
    except BadRequest as error:
        st.html(window.notice(f"That cannot be searched for: {safe(error)}", "warn"))
        return
    lost = window.is_lost(answer.understood)
    items = [] if lost else [listed.item for listed in answer.items]
    found = f"The best {len(items)}" if len(items) == 2 * K else counted(len(items), "product")
    st.html(window.head(f"{found if items else 'Nothing'} for “<bdi>{safe(query, 80)}</bdi>”", "", 1))
    if lines := [] if lost else window.understood_words(answer.understood, desk.currency):
        st.html(window.notice("<br>".join(lines)))
    if items:
        degraded(answer, model="the order does not follow your taste")
        cards(desk, "found", items)
    else:
        st.html('<p class="under">Try fewer or other words. Meanwhile, this is yours:</p>')
        your_list(desk, "instead", row=True)


def pick(desk: Desk) -> None:
    """A few likes of somebody without account, and the list that follows from them."""
    state = st.session_state
    words = "Pick a few things; your list follows each pick. Nothing of this is written down, it ends with this visit."
    st.html(window.head("Pick what you like", words, 1))
    tiles, yours = st.columns([7, 5], gap="large")
    with tiles:
        pool = _pool(desk)
        start = state.pool_at % max(len(pool), 1)
        shown = (pool + pool)[start : start + min(N_TILES, len(pool))]
        cards(desk, "tiles", shown, picks=True, badges=dict.fromkeys(state.picks, "Picked"))
        with st.container(horizontal=True):
            st.button("Show me others", icon=":material/refresh:", key="others", on_click=_others)
            st.button("Begin again", type="tertiary", key="none", on_click=state.picks.clear, disabled=not state.picks)
    with yours, st.container(key="picked"):
        _picked(desk)


def _pool(desk) -> list[str]:
    """Bestsellers to pick from, the best of every category first, then the second of each."""
    pool = desk.shop.recommend(Ask(st.session_state.visitor, N_POOL)).items
    rows, turns = desk.rows.of([listed.item for listed in pool]), {}
    for item, product in rows.items():
        turns.setdefault(product.get("category"), []).append(item)
    longest = max(map(len, turns.values()), default=0)
    return [items[turn] for turn in range(longest) for items in turns.values() if turn < len(items)]


def _pick_button(item, title) -> None:
    """Pick, or take back."""
    picked = item in st.session_state.picks
    icon = ":material/heart_check:" if picked else ":material/favorite_border:"
    st.button(f"{'Picked: ' if picked else ''}{title}", key=f"open-pick-{item}", type="tertiary", icon=icon,
              on_click=_toggle, args=(item,))  # fmt: skip


def _toggle(item) -> None:
    """Pick an item, or take it back."""
    picks = st.session_state.picks
    picks.remove(item) if item in picks else picks.append(item)


def _others() -> None:
    """Other tiles."""
    st.session_state.pool_at += N_TILES


def _picked(desk) -> None:
    """The list that follows from the picks."""
    state = st.session_state
    picks = tuple(state.picks[-50:])
    answer = desk.shop.recommend(Ask(f"{state.visitor}-picks", N_PICKED + len(picks), True, picks))
    items = [listed.item for listed in answer.items if listed.item not in picks][:N_PICKED]
    before, now = state.get("picked_before"), (tuple(state.picks), tuple(items))
    if before is None or before[0] != now[0]:
        new = set(items) - set(before[1]) if before and state.picks else set()
        state.picked_before, state.picked_new = now, new
    title = f"Your list after {counted(len(picks), 'pick')}"
    st.html(window.head(title, f"Chosen by {window.step_words(answer.step)}."))
    degraded(answer)
    if state.picked_new:
        rows = desk.rows.of(items)
        new = [item for item in items if item in state.picked_new]
        st.html(window.notice(f"New since your last pick: {window.listed_titles(new, rows)}.", "news"))
    cards(desk, "picks", items, badges=dict.fromkeys(state.picked_new, "New"))


def experiments(desk: Desk) -> None:
    """What experiments found."""
    found, wrong = read_results(desk.home)
    st.html(window.head("Experiments", "What changes to the lists did to shoppers, with 95 % intervals.", 1))
    for name, why in wrong.items():
        st.html(window.notice(f"<code>{safe(name)}</code> cannot be read: {safe(why)}", "warn"))
    for result in found:
        _result(result)
    if not found:
        _no_results(desk.home)


def _result(result) -> None:
    """One experiment."""
    texts = result.texts or {}
    when = f"{safe(texts.get('from', '?'))} to {safe(texts.get('to', '?'))}" if {"from", "to"} & set(texts) else ""
    arms = ", ".join(f"{safe(arm)}: {users:,} users" for arm, users in result.arms)
    under = " · ".join(part for part in (safe(texts.get("source", "")), when, arms) if part)
    st.html(window.head(safe(texts.get("question") or result.name), under))
    scale = window.spans(result.effects)
    rows = [
        (
            safe(effect.metric, 40),
            f"{effect.effect:+.4g} {safe(effect.unit, 12)}".strip(),
            f"{effect.low:+.4g} to {effect.high:+.4g}",
            window.interval_bar(effect, scale[effect.unit]),
            effect.verdict,
        )
        for effect in result.effects
    ]
    st.html(window.table(("Metric", "Effect", "95 % interval", "Against no effect", "Reads"), rows))
    failed = [f"{safe(check)} {safe(detail)}".strip() for check, passed, detail in result.checks if not passed]
    if failed:
        st.html(window.notice(f"Do not trust this yet: {'; '.join(failed)}", "warn"))
    if texts.get("verdict"):
        st.html(window.notice(safe(texts["verdict"], 600)))


def _no_results(home) -> None:
    """Says so, and how to make one."""
    where = f"<code>{safe(home or '<home>')}/{FOLDER}/</code>"
    st.html(window.notice("There are no results of experiments yet."))
    words = (
        f"An experiment shows up here when its analysis leaves a small JSON file in {where}: effects are treatment "
        "minus control, low and high the ends of their 95 % intervals, and the source says whether the shoppers were "
        "real or simulated. Replace the dots by what was measured:"
    )
    st.html(f'<p class="under">{words}</p>')
    st.code(
        '{"name": "...", "question": "...", "source": "simulated shoppers", "verdict": "...",\n'
        ' "arms":    [{"arm": "control", "users": ...}, {"arm": "treatment", "users": ...}],\n'
        ' "effects": [{"metric": "conversion", "unit": "%", "effect": ..., "low": ..., "high": ...}],\n'
        ' "checks":  [{"check": "sample ratio", "passed": ..., "detail": "..."}]}',
        language="json",
    )


def you(desk: Desk) -> None:
    """What is known of whoever is here, and the way to have it forgotten."""
    user, state = who(), st.session_state
    st.html(window.head("Your data", "All that the shop knows of you, where it comes from and how old it is.", 1))
    if user in state.gone:
        _what_went(state.gone[user])
    _profile(desk, user, "What your lists are made from", 2)
    st.html(window.head("Forget me", "Removes your events, what was worked out from them, kept lists, and you from the "
                        "models. It cannot be undone."))  # fmt: skip
    sure = st.checkbox("Yes, I want to be forgotten", key="sure")
    st.button("Forget me", type="primary", key="forget", disabled=not sure, on_click=_forget, args=(desk, user))


def _forget(desk, user) -> None:
    """Have a user forgotten, in the shop and in this visit."""
    state = st.session_state
    try:
        state.gone[user] = desk.shop.forget(user)
    except KeyMissing as error:
        state.said.append(("warn", f"This window may not remove anybody: start it with RECO_ADMIN_KEY. {safe(error)}"))
        return
    except (Unavailable, BadRequest) as error:
        state.said.append(("warn", f"Not everything could be reached; please ask again. {safe(error)}"))
        return
    for kept in (state.clicks, state.carts, state.shown, state.causes):
        kept.pop(user, None)
    state.picks, state.sure = [], False


def _what_went(gone) -> None:
    """What was removed where, and that nothing is left."""
    rows = [(safe(place, 60), _removed(what)) for place, what in gone.removed.items()]
    st.html(window.notice("<b>You are forgotten here.</b> This is what was removed:", "news"))
    st.html(window.table(("Where", "What"), rows))
    left = ", ".join(safe(place, 60) for place in gone.trace)
    words = f"Still found in {left}; ask again." if left else "Searched again afterwards: no trace was found."
    st.html(window.notice(words, "warn" if left else "quiet"))


def _removed(what) -> str:
    """A count, or counts by name, in words."""
    if isinstance(what, dict):
        return ", ".join(f"{safe(name, 40)}: {safe(n, 20)}" for name, n in what.items()) or "nothing was there"
    return safe(what, 40) if what else "nothing was there"


PAGES = {"home": home, "item": item, "search": search, "pick": pick, "experiments": experiments, "you": you}
