"""From a question to a list in milliseconds, whatever fails on the way.

    cache -> features -> candidates -> rules -> session -> rerankers -> reasons
      |         |            |                                 |           |         each may fail or be late;
      |         +---- the stored history alone                 |           |         the best list that is left
      |                      +---- the candidates made at the training     |         is served, and says what
      |                                 +---- what most people took        |         was missing
      +---- no cache                                           +-----------+---- the list without them

Ids come in and go out; positions live only inside. All ids are text.

Letters: I items, K list length, C candidates.
"""

import logging
import math
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from functools import wraps
from typing import Any

import numpy as np

from reco_utils.serve.artifact import Artifact, forget_user
from reco_utils.serve.ask import (
    MAX_K,
    MAX_QUERY,
    Answer,
    Ask,
    BadRequest,
    Forgotten,
    Health,
    Ingested,
    Listed,
    NotFound,
    SearchAnswer,
    Unavailable,
    pack,
    short,
    text_of,
    unpack,
    whole,
)
from reco_utils.serve.event_log import BadEvents
from reco_utils.serve.forgotten import forgotten
from reco_utils.serve.freshness import Freshness
from reco_utils.serve.kv import MemoryKV, hashed
from reco_utils.serve.resilience import Breaker, Workers, describe
from reco_utils.serve.stock import Stock, shared
from reco_utils.serve.view import View
from reco_utils.serve.work import NOTHING, POPULAR, Work, json_score

PARTS = ("cache", "features", "model", "rerank", "reasons", "similar", "search", "log", "stock")
STORE_SHARE = 0.5  # of the deadline, that one question to a store may take
BOUND_MS = 100.0  # who answers or gives up by then is asked without another thread, which costs 0.1 ms a question
FACTS_MS = 1_000.0  # who asks what is known of a user waits for that, there is nothing to show instead
LOG_MS = 5_000.0  # writing to the disk may take longer than a list: it must not be given up lightly
MAX_UNTOLD = 100_000  # events kept for a feature store that is down
MAX_UNPURGED = 10_000  # users whose lists are to be purged when the cache is back; beyond, all lists are
ALL = ""  # is nobody's id
MARK = "engine:told"  # a key that is there as long as the feature store has its memory
MAX_EVENTS = 100_000  # in one call
log = logging.getLogger(__name__)


def _counted(kind: str) -> Callable:
    """Of a method: count its answers and errors and the time they took, and let no other kind of error out."""

    def decorated(method):
        @wraps(method)
        def counted(self, *args, **named):
            start = self.timer()
            try:
                answer = method(self, *args, **named)
            except Exception as error:
                self._quietly(lambda error=error: self.monitor.observe_error(kind, type(error).__name__))
                if isinstance(error, (BadRequest, NotFound, Unavailable)):
                    raise
                log.error("%s failed: %s", kind, describe(error), exc_info=log.isEnabledFor(logging.DEBUG))
                raise Unavailable(f"{kind} failed; try again") from error
            self._count(kind, start, answer)
            return answer

        return counted

    return decorated


class Engine:
    """Answers for one shop; safe to be called by many threads at once.

    No method raises anything but `BadRequest`, `NotFound` and `Unavailable`.

    Parameters
    ----------
    live : Live
        The artifacts that serve.
    features : FeatureStore
    cache : ListCache
    log : EventLog
    monitor : Monitor
    deadline_ms : float, ms, above 0
        Latest answer to `recommend`, `similar` and `search`; what is not ready by then is left out.
    target : tuple of str
        Events after which the user has the item.
    max_age_hours : float, hours
        An older model is not ready for service, though it serves.
    stock : Stock, optional
        By default one in the store of the features, so that all processes know what is sold out; where that is in
        memory, in a file beside the artifacts.
    clock : function that returns seconds since 1970
    timer : function that returns seconds; only differences count
    """

    def __init__(
        self,
        live,
        features,
        cache,
        log,
        monitor,
        *,
        deadline_ms: float = 40.0,
        target: Sequence[str] = ("purchase",),
        max_age_hours: float = 36.0,
        stock: Stock | None = None,
        clock: Callable[[], float] = time.time,
        timer: Callable[[], float] = time.perf_counter,
    ):
        if isinstance(deadline_ms, bool) or not 0 < deadline_ms < math.inf:
            raise ValueError(f"deadline_ms must be a finite number of milliseconds above 0, got {deadline_ms!r}")
        self.live, self.store, self.cache, self.log, self.monitor = live, features, cache, log, monitor
        self.deadline_ms, self.target, self.clock, self.timer = float(deadline_ms), tuple(target), clock, timer
        self.freshness = Freshness(max_age_hours, clock)
        self._stocked = None if stock else shared(features.kv, live.home)
        self.shelf = stock or Stock(self._stocked, clock=clock)
        self.breakers = {part: Breaker(part) for part in PARTS}
        self.workers = Workers(1, "engine")  # two would take the interpreter from one another, and both be later
        self._lock = threading.RLock()  # of the views
        self._views: dict[int, View] = {}
        self._few = threading.Lock()  # of small things: never held while anything is waited for
        self._renewing = False
        self._last: View | None = None  # the last good one: serves while there is no other
        self._untold: deque = deque(maxlen=MAX_UNTOLD)
        self._unpurged: set[str] = set()  # users whose cached lists must not be served before they were purged
        self._erased: deque = deque(maxlen=1000)  # hashes of who was forgotten while events may have been under way
        self._n_erased = 0
        self._deletions = live.deletions  # those that the stores of this process know of

    # ------------------------------------------------------------------------------------------------------ questions
    @_counted("recommend")
    def recommend(self, ask: Ask) -> Answer:
        """The best list that can be made in time.

        Raises
        ------
        BadRequest  for a category or model that does not exist
        Unavailable  when no artifact was ever loaded
        """
        view, trouble = self._view(ask.user)
        if ask.model is not None and ask.model != POPULAR and ask.model not in view.models:
            raise BadRequest(f"model must be one of {list(self.models())}, got {short(ask.model)}")
        view.allow(ask.categories, ask.price)  # refuses what the catalogue does not have
        if ask.model == POPULAR:
            work = Work(self, view, ask, self.timer())
            work.live, work.session = work.known_since()
            answer = work.popular()
        else:
            answer = self._cached(view, ask)
        return replace(answer, degraded=trouble + answer.degraded) if trouble else answer

    def at_once(self, ask: Ask) -> Answer | None:
        """The list if it lies ready in the cache of this process; None if it must be made, or asked for elsewhere.

        Never waits for anything: an event loop may ask this on its own thread, and `recommend` on another after it.
        Only what is given is counted.
        """
        start = self.timer()
        try:
            view, trouble = self._view(ask.user)
            ready = isinstance(self.cache.kv, MemoryKV) and ask.model != POPULAR and not trouble
            ready = ready and not self._unpurged
            answer = unpack(self.cache.get(self.cache_key(view, ask)), ask.user) if ready else None
        except Exception:  # `recommend` meets it again, and knows what to do
            return None
        if answer is None or not _may_be_shown(answer, view):
            return None
        self._count("recommend", start, answer)
        return answer

    @_counted("similar")
    def similar(self, item: str, k: int = 10) -> Answer:
        """What goes with an item, best first, only what may be shown; `user` of the answer is "".

        Raises
        ------
        NotFound  for an unknown item
        """
        k = whole("k", k, MAX_K)
        view, degraded = self._view(None)
        at, allow = self._position(view, item), view.stock.allow
        outcome = self.breakers["similar"].call(lambda: view.similar(at), self.deadline_ms)
        found, likeness = outcome.value or (NOTHING, NOTHING)
        degraded += () if outcome.ok else ("similar",)
        keep = np.flatnonzero(allow[found])[:k] if len(found) else NOTHING
        places = [(int(found[p]), float(likeness[p]), "similar") for p in keep]
        if len(places) < k:  # of an item that nobody took yet: what is popular in its category
            code = view.items.category_codes[at]
            near = allow & (view.items.category_codes == code)
            more = view.most_popular(near, np.array([at, *found[keep]]), k - len(places))
            places += [(int(p), None, POPULAR) for p in more]
        ids = view.items.ids
        items = tuple(Listed(ids[p], rank, score, step) for rank, (p, score, step) in enumerate(places, 1))
        step = items[0].step if items else "similar"
        return Answer("", items, step, view.version, False, degraded, {}, "similar")

    @_counted("search")
    def search(self, query: str, user: str | None = None, k: int = 10) -> SearchAnswer:
        """Items for what somebody typed, those the user likes first.

        Raises
        ------
        BadRequest  for a query that is no text, or longer than 1,000 characters
        NotFound  when the catalogue has no text to search
        """
        if not isinstance(query, str) or len(query) > MAX_QUERY:
            raise BadRequest(f"query must be text of at most {MAX_QUERY} characters, got {short(query)}")
        k, user = whole("k", k, MAX_K), None if user is None else text_of("user", user)
        view, degraded = self._view(user)
        if view.artifact.search is None:
            raise NotFound("there is no search: the catalogue has no text")
        work = Work(self, view, Ask(user or "nobody", k), self.timer())
        work.at = work.at if user is not None else -1
        found = self._searched(work, query, user)
        if found is None:
            answer = work.popular()
            answer = SearchAnswer(**{**vars(answer), "user": user or ""})
        else:
            items = [
                Listed(view.items.ids[at], rank, json_score(score), "search")
                for rank, (at, score) in enumerate(zip(found.items[0], found.scores[0]), 1)
                if at >= 0
            ]
            meant = asdict(found.understood[0])
            answer = SearchAnswer(user or "", tuple(items), "search", view.version, path="search", understood=meant)
        return replace(answer, degraded=degraded + tuple(work.degraded))

    @_counted("features")
    def features(self, user: str) -> dict[str, dict]:
        """What is known of a user, by feature: value, age_seconds, stale and source; defaults for a stranger.

        Raises
        ------
        Unavailable  when the feature store is down
        """
        user = text_of("user", user)
        outcome = self.ask_store("features", self.store, lambda: self.store.read(user).to_dict(), FACTS_MS)
        if not outcome.ok:
            raise Unavailable("the feature store does not answer")
        return outcome.value

    @_counted("item")
    def item(self, item: str) -> dict[str, Any]:
        """The catalogue's row of an item as plain values, None where missing, `in_stock` as of now.

        Raises
        ------
        NotFound  for an unknown item
        """
        view, _ = self._view(None)
        at = self._position(view, item)
        return view.items.row(at) | {"in_stock": bool(view.stock.allow[at])}

    def categories(self) -> tuple[str, ...]:
        """Names that `Ask.categories` may hold."""
        return tuple(sorted(self._view(None)[0].items.category_names))

    def models(self) -> tuple[str, ...]:
        """Names that `Ask.model` may hold: the steps of the cascade, the parts of its hybrid, and "popular"."""
        return (*self._view(None)[0].models, POPULAR)

    # --------------------------------------------------------------------------------------------------------- changes
    @_counted("events")
    def ingest(self, events: Sequence[Mapping[str, Any]]) -> Ingested:
        """Take events: durable when this returns, and part of the user's next list.

        Each is a mapping with event_id, user_id, item_id and event, see `event_log.read_event`.

        Raises
        ------
        BadRequest  for events that make no sense, all of them in `problems` by position; none is taken
        Unavailable  when the log cannot write: nothing was acknowledged, send them again
        """
        if not isinstance(events, Sequence) or isinstance(events, (str, bytes)) or len(events) > MAX_EVENTS:
            raise BadRequest(f"events must be a list of at most {MAX_EVENTS:,}, got {type(events).__name__}")
        before = self._n_erased
        accepted, duplicates = self._append(events)
        degraded = () if self._tell(accepted) else ("features",)
        users = {event.user_id for event in accepted}
        degraded += () if self._purge(users) else ("cache",)
        self._quietly(lambda: self.monitor.observe_events([event.item_id for event in accepted]))
        if self._n_erased != before:
            self._erase_late(users, before)
        return Ingested(len(accepted), len(duplicates), degraded)

    @_counted("forget")
    def forget(self, user: str) -> Forgotten:
        """Remove every trace of a user: events, features, cached lists, memory and every artifact kept.

        Raises
        ------
        Unavailable  when a part cannot be reached; what could be removed is removed, and it is safe to ask again
        """
        user, removed, failed = text_of("user", user), {}, []
        with self._few:
            self._erased.append(hash(user))
            self._n_erased += 1
            self._untold = deque((e for e in self._untold if e.user_id != user), maxlen=MAX_UNTOLD)
            self._unpurged.discard(user)

        def remove(place, action):
            try:
                removed[place] = action()
            except Exception as error:
                failed.append(place)
                log.error("a user could not be removed from %s: %s", place, describe(error))

        remove("events", lambda: self.log.forget(user))
        remove("features", lambda: self.store.forget(user))
        remove("memory", lambda: self._forget_in_memory(user))
        remove("artifacts", lambda: self._forget_on_disk(user))
        remove("cache", lambda: self.cache.forget(user))  # last: no view knows the user any more
        for version, what in (removed.pop("artifacts", None) or {}).items():
            removed[f"artifact {version}"] = what
        if failed:
            raise Unavailable(f"could not remove the user from {', '.join(failed)}; the rest is done, ask again")
        return Forgotten(user, removed, self.trace(user))

    def trace(self, user: str) -> tuple[str, ...]:
        """Where something is still known of a user; () after `forget`.

        Raises
        ------
        Unavailable  when a store cannot be asked
        """
        try:
            found = [*self.log.trace(user), *self.store.trace(user), *self.cache.trace(user)]
        except Exception as error:
            raise Unavailable(f"a store does not answer: {describe(error)}") from error
        with self._lock:
            found += [f"memory, version {view.version}" for view in self._views.values() if user in view.user_at]
        return (*found, *("events on their way" for event in list(self._untold) if event.user_id == user))

    @_counted("stock")
    def stock(self, item: str, in_stock: bool) -> None:
        """From now on an item may, or may not, be shown; holds for cached lists too.

        No cached list is thrown away for it: one that holds a sold-out item is found out when it is read.

        Raises
        ------
        NotFound  for an unknown item
        Unavailable  when it holds here, but other processes could not be told; say it again
        """
        if not isinstance(in_stock, bool):
            raise BadRequest(f"in_stock must be true or false, got {short(in_stock)}")
        self._position(self._view(None)[0], item)
        try:
            self.shelf.set(item, in_stock)
        except Exception as error:
            raise Unavailable("other processes could not be told what is in stock; say it again") from error
        finally:
            self._restock()

    # ---------------------------------------------------------------------------------------------------------- upkeep
    def warm(self) -> float:
        """Work out what every request needs, and answer a few made-up questions; returns the seconds it took.

        Without it, the first visitor waits for compilers and tables. Nothing is counted or kept.
        """
        start = self.timer()
        self.refresh()
        view, _ = self._view(None)
        known = next(iter(view.user_at), "nobody")
        some = view.items.ids[:2].tolist()
        for ask in (Ask("nobody", reasons=True), Ask(known, reasons=True), Ask(known, session=some, reasons=True)):
            Work(self, view, ask, math.inf).make()
        if some:
            self._quietly(lambda: view.similar(0))
        if view.artifact.search is not None:
            self._quietly(lambda: view.artifact.search.search("warm", 1, batch=view.request(known)))
        return self.timer() - start

    def refresh(self) -> bool:
        """Serve what is published now; True if that is another version. Call it every few seconds.

        Requests go on with the old version until the new one is ready for the first question. Also reads what other
        processes said about stock and whom they had forgotten, and tells the feature store what it missed while it was
        down, or has lost.
        """
        before = self._served()
        self._quietly(self.live.refresh)
        restocked = self.breakers["stock"].call(self.shelf.reload, None).value
        with self._lock:  # nobody is forgotten meanwhile
            artifacts = self._artifacts()
            for artifact in artifacts:
                self._build(artifact)
            self._keep_only(artifacts)
        if restocked:
            self._restock()
        self._follow_deletions()
        changed = self._served() != before
        if changed and artifacts:
            self._quietly(lambda: self.monitor.expect(self._last.reference()))
        if changed and before:
            self.ask_store("cache", self.cache, lambda: self.cache.purge_all())
        if self._untold:
            self._tell(())
        self._quietly(self._replay_what_was_lost)
        return changed

    def replay(self) -> int:
        """Tell the feature store all events since the training, and how many there were.

        `refresh` does it by itself when the store has lost its memory: one in this process after a restart, or a Redis
        that was killed. Events told twice count once.

        Raises
        ------
        Unavailable  when the log or the store does not answer
        """
        view, _ = self._view(None)
        n = told = 0
        try:
            while True:
                n, events = self.log.since(n, 10_000)
                if not events:
                    self.store.kv.set(MARK, b"all events were told")
                    return told
                recent = [event for event in events if event.timestamp > view.asof]
                self.store.update(*recent)
                told += len(recent)
        except Exception as error:
            raise Unavailable(f"events could not be replayed: {describe(error)}") from error

    def _replay_what_was_lost(self):
        """Replay if the store does not know any more that everything was told; lists made meanwhile are thrown away."""
        mark = self.ask_store("features", self.store, lambda: self.store.kv.get(MARK))
        if mark.ok and mark.value is None and self.replay():
            self.ask_store("cache", self.cache, lambda: self.cache.purge_all())

    def health(self) -> Health:
        """Is a model loaded, young enough, and is the fallback armed?"""
        states = {part: breaker.state for part, breaker in self.breakers.items()}
        try:
            view, trouble = self._view(None)
        except Unavailable as error:
            return Health(False, (str(error),), "", math.nan, states)
        verdict = self.freshness.verdict(view.artifact.manifest.trained_at)
        reasons = [] if verdict.is_fresh else [verdict.sentence]
        if not len(view.most_popular(view.stock.allow, NOTHING, 1)):
            reasons.append("the fallback is empty: no item may be shown")
        reasons += ["the artifacts cannot be asked which of them serves"] if trouble else []
        return Health(not reasons, tuple(reasons), view.version, verdict.age_hours, states)

    def close(self) -> None:
        """Stop the threads; the stores that were given belong to who made them."""
        self.workers.close()
        if self._stocked is not None and self._stocked is not self.store.kv:
            self._stocked.close()
        for breaker in self.breakers.values():
            breaker.close()

    # ------------------------------------------------------------------------------------------------- lists and cache
    def _cached(self, view, ask):
        """The list from the cache, or a new one; the cache is told of lists that lack nothing."""
        start, key, work = self.timer(), self.cache_key(view, ask), None

        def make():
            nonlocal work
            work = Work(self, view, ask, start)
            work.make()
            return pack(work.answer) if work.keep else None

        found = self.ask_store("cache", self.cache, lambda: self._looked(key, ask.user))
        if not found.ok:
            make()
            return replace(work.answer, degraded=("cache", *work.answer.degraded))
        looked = found.value
        answer = unpack(looked.value, ask.user)
        if answer is not None:
            if _may_be_shown(answer, view):
                return answer
            self._purge([ask.user])
            looked = None  # by now there is something else
        try:
            packed = self.cache.get_or_make(key, make, looked)
        except Exception as error:
            self.breakers["cache"].failed(describe(error))
            packed = None
        if work is None or work.answer is None:
            answer = unpack(packed, ask.user)  # made by another thread, for the same question
            if answer is not None and _may_be_shown(answer, view):
                return answer
            make()
        return work.answer

    def _looked(self, key, user):
        """A look into the cache, after what could not be purged before was purged."""
        if self._unpurged:
            self._purge_late(user)
        return self.cache.look(key)

    def _purge(self, users) -> bool:
        """Throw away these users' lists; if the cache does not answer, no list is taken from it until it was done."""
        missed = [u for u in users if not self.ask_store("cache", self.cache, lambda u=u: self.cache.purge_user(u)).ok]
        if missed:
            with self._few:
                self._unpurged.update(missed if len(self._unpurged) < MAX_UNPURGED else [ALL])
        return not missed

    def _purge_late(self, user):
        """What `_purge` could not do, for this user; raises what the cache raises."""
        if ALL in self._unpurged:
            self.cache.purge_all()
            with self._few:
                self._unpurged.clear()
        elif user in self._unpurged:
            self.cache.purge_user(user)
            with self._few:
                self._unpurged.discard(user)

    def cache_key(self, view: View, ask: Ask) -> str:
        """The key of a list in the cache: everything that it depends on but time."""
        options = {
            "reasons": ask.reasons,
            "session": ask.session,
            "categories": ask.categories,
            "price": ask.price,
            "model": ask.model,
        }
        return self.cache.key(ask.user, ask.k, options, version=view.version, arm=ask.arm)

    def _searched(self, work, query, user):
        """What the search found, with the user's taste if there is time for it; None if it failed altogether."""
        view, k, search = work.view, work.ask.k, work.view.artifact.search
        allow = view.stock.allow
        if user is not None:
            work.live, work.session = work.known_since()
            batch, model = view.request(user, work.live, work.session, target=self.target), view.artifact.pipeline.model
            if batch.n_items[0]:
                personal = self.breakers["model"].call(
                    lambda: search.search(query, k, batch=batch, model=model, allow=allow), work.left()
                )
                if personal.ok:
                    return personal.value
                work.degraded.append("model")
        left = max(work.left(), self.deadline_ms / 4)  # without taste it takes half a millisecond
        outcome = self.breakers["search"].call(lambda: search.search(query, k, allow=allow), left)
        work.degraded += [] if outcome.ok else ["search"]
        return outcome.value

    # ----------------------------------------------------------------------------------------------------------- views
    def _view(self, user):
        """The view of the artifact for a user, and ("live",) if the last good one had to do."""
        try:
            artifact = self.live.at(user)
        except Exception as error:
            if self._last is None:
                raise Unavailable("no model is loaded") from error
            log.error("which artifact serves is not known: %s", describe(error))
            return self._last, ("live",)
        view = self._views.get(id(artifact))
        if view is not None:
            return view, ()
        if self._last is None:  # the first question of all
            self.refresh()
            return self._views.get(id(artifact)) or self._build(artifact), ()
        self._renew()
        return self._last, ()

    def _renew(self):
        """Build what is served now on another thread, while the last view goes on serving."""
        with self._few:
            busy, self._renewing = self._renewing, True
        if busy:
            return

        def renew():
            try:
                self.refresh()
            finally:
                self._renewing = False

        threading.Thread(target=self._quietly, args=(renew,), daemon=True, name="engine-renew").start()

    def _build(self, artifact: Artifact, like: View | None = None) -> View:
        """The view of an artifact, built by one thread only."""
        with self._lock:
            view = self._views.get(id(artifact))
            if view is None:
                view = View(artifact, self.shelf.changes(), like=like)
                Work(self, view, Ask("nobody"), math.inf).make()
                self._views[id(artifact)] = view
                self._last = self._last or view
            return view

    def _keep_only(self, artifacts):
        """Let go of the views of other artifacts; without any artifact the last views go on serving."""
        if artifacts:
            kept = {id(artifact) for artifact in artifacts}
            self._views = {key: view for key, view in self._views.items() if key in kept}
            self._last = self._views[id(artifacts[0])]

    def _artifacts(self):
        """The artifacts in service, the stable one first; [] when there is none."""
        try:
            return [artifact for artifact in (self.live.stable, self.live.canary) if artifact is not None]
        except Exception as error:
            log.error("no artifact: %s", describe(error))
            return []

    def _served(self):
        with self._lock:
            return sorted(view.version for view in self._views.values())

    def _restock(self):
        with self._lock:
            for view in {id(v): v for v in (*self._views.values(), self._last) if v is not None}.values():
                view.change_stock(self.shelf.changes())

    @staticmethod
    def _position(view, item):
        """The position of an item id."""
        at = view.items.at.get(item, -1) if isinstance(item, str) else -1
        if at < 0:
            raise NotFound(f"no item {short(item)}")
        return at

    # ---------------------------------------------------------------------------------------------- events and erasure
    def _append(self, events):
        """What the log took; the caller's mistakes do not count against the log."""

        def append():
            try:
                return self.log.append(events)
            except BadEvents as error:
                return error

        outcome = self.breakers["log"].call(append, LOG_MS)
        if not outcome.ok:
            raise Unavailable("events cannot be written at the moment; send them again")
        if isinstance(outcome.value, BadEvents):
            raise BadRequest(str(outcome.value), outcome.value.problems)
        return outcome.value

    def _tell(self, events) -> bool:
        """Tell the feature store, what it missed first; False if it does not listen, and events wait."""
        with self._few:
            waiting = [*self._untold, *events]
        if not waiting:
            return True
        outcome = self.ask_store("features", self.store, lambda: self.store.update(*waiting))
        with self._few:
            if outcome.ok:
                told = {event.event_id for event in waiting}
                self._untold = deque((e for e in self._untold if e.event_id not in told), maxlen=MAX_UNTOLD)
            else:
                self._untold.extend(events)
        return outcome.ok

    def _erase_late(self, users, before):
        """Remove events that were under way while their user was forgotten."""
        with self._few:
            erased = set(list(self._erased)[before - self._n_erased :])
        for user in users:
            if hash(user) in erased:
                for part in (self.log, self.store, self.cache):
                    part.forget(user)

    def _forget_in_memory(self, user):
        """Forget in the artifacts that serve, and in what was worked out from them; how many knew the user."""
        with self._lock:
            before = list(self._views.values())
            n = self.live.forget(user)
            artifacts = self._artifacts()
            for artifact in artifacts:
                self._build(artifact, next((v for v in before if v.version == artifact.manifest.version), None))
            self._keep_only(artifacts)
        return n

    def _forget_on_disk(self, user):
        """Forget in every version that is stored."""
        home = self.live.home
        if home is None:
            return {}
        removed, told = forget_user(home, user), forgotten(home)
        with self._few:
            self._deletions |= {one for one in told.ids.items() if one[0] == hashed(user, told.key)}
        return removed

    def _follow_deletions(self):
        """Had another process somebody forgotten? Then what is kept in this one goes, of all, and comes back from disk.

        Only hashes say who it was, so nothing can be picked out. The events are told again by `_replay_what_was_lost`,
        the features by `Upkeep.feed`; lists that were made meanwhile, with a store that others share too, are not kept.
        """
        told = self.live.deletions
        with self._few:
            news = told - self._deletions
            self._deletions |= told
        if not news:
            return
        for kv in (self.store.kv, self.cache.kv):
            if isinstance(kv, MemoryKV):
                kv.delete_prefix("")
        self.ask_store("cache", self.cache, lambda: self.cache.purge_all())

    # ------------------------------------------------------------------------------------------------------------ calls
    def ask_store(self, part, store, question, deadline_ms=None):
        """A question to a store through its breaker; one that gives up by itself soon needs no other thread."""
        bound = store.kv.answers_within_ms
        limit = None if bound <= BOUND_MS else deadline_ms or self.deadline_ms * STORE_SHARE
        return self.breakers[part].call(question, limit)

    def _count(self, kind, start, answer):
        """Tell the monitor of an answer and the time it took."""
        told: dict[str, Any] = {"degraded": answer.degraded} if isinstance(answer, Answer) else {}
        if kind == "recommend":
            told |= {"items": [i.item for i in answer.items], "scores": [i.score for i in answer.items]}
            told |= {"step": answer.step, "path": answer.path}
        ms = (self.timer() - start) * 1000
        self._quietly(lambda: self.monitor.observe(kind, ms, **told))

    @staticmethod
    def _quietly(task):
        """Run what must not fail a request."""
        try:
            return task()
        except Exception as error:
            log.error("%s", describe(error))
            return None


def _may_be_shown(answer, view) -> bool:
    """Is everything in a list that was made earlier still in stock?"""
    return view.stock.sold_out.isdisjoint(listed.item for listed in answer.items)
