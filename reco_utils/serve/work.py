"""The making of one list: candidates, rules, session, rerankers, reasons; whatever is late or fails is left out.

Ids come in and go out; positions live only inside.

Letters: I items, K list length, C candidates.
"""

import logging
import math
from dataclasses import replace

import numpy as np

from reco_utils.core import TopK
from reco_utils.serve.ask import Answer, Ask, Listed
from reco_utils.serve.resilience import describe
from reco_utils.serve.view import POPULAR, View, run_all

BUSY = "busy"  # instead of a part: there was no thread to begin with
NOTHING = np.empty(0, np.int64)
log = logging.getLogger(__name__)


class Work:
    """The making of one list. What is ready when time is up is taken: each stage leaves the best list so far."""

    def __init__(self, engine, view: View, ask: Ask, start: float):
        self.engine, self.view, self.ask, self.start = engine, view, ask, start
        self.at = view.user_at.get(ask.user, -1)
        self.stock = view.stock
        self.allow = view.allow(ask.categories, ask.price, self.stock)
        self.model = view.models.get(ask.model) if ask.model else None
        self.degraded: list[str] = []
        self.live, self.session = (), []
        self.answer: Answer | None = None
        self.stage, self.over = BUSY, False
        self.path, self.lists, self.final, self.because = "", None, None, ({}, {})

    @property
    def keep(self) -> bool:
        """May the answer be cached? Not what lacks something, and not what costs nothing to make again."""
        return bool(self.answer.items) and not self.answer.degraded and self.answer.path != "stranger"

    def left(self) -> float:
        """Milliseconds until the deadline."""
        if self.start == math.inf:
            return 60_000.0
        return self.engine.deadline_ms - (self.engine.timer() - self.start) * 1000

    def make(self) -> Answer:
        """The answer, by the deadline."""
        try:
            self.live, self.session = self.known_since()
            self.answer = self._same_for_all() if self.anonymous else None
            if self.answer is None:
                self._in_time()
                self.answer = self._finished()
            if self.anonymous and not self.answer.degraded and not self.view.random:
                self.stock.answers.put(self._key(), self.answer)
        except Exception as error:
            log.error("a list could not be made: %s", describe(error))
            part = "model" if self.stage == BUSY else self.stage
            self.degraded += [] if part in self.degraded else [part]
            self.answer = self.popular()
        return self.answer

    @property
    def anonymous(self) -> bool:
        """Is nothing known of who asks?"""
        return self.at < 0 and not self.live and not self.session and self.model is None

    def _same_for_all(self):
        """The answer that another stranger got to the same question, or None."""
        made = self.stock.answers.get(self._key())
        return None if made is None else replace(made, user=self.ask.user, degraded=tuple(self.degraded))

    def _key(self):
        return self.ask.k, self.ask.categories, self.ask.price

    def popular(self) -> Answer:
        """What most people took, without what this one has: needs nothing but memory."""
        view, ask = self.view, self.ask
        unwanted = NOTHING if view.keep_seen else self._seen()
        top = view.most_popular(self.allow, unwanted, ask.k)
        items = tuple(Listed(view.items.ids[at], rank, None, POPULAR) for rank, at in enumerate(top, 1))
        return Answer(ask.user, items, POPULAR, view.version, False, tuple(self.degraded), {}, POPULAR)

    # --------------------------------------------------------------------------------------------------------- stages
    def known_since(self):
        """The user's events since the training and the clicks of the session, both of items the model knows."""
        store, known = self.engine.store, self.view.items.at
        outcome = self.engine.ask_store("features", store, lambda: store.lately(self.ask.user, self.view.asof))
        if not outcome.ok:
            self.degraded.append("features")
        live, clicked = outcome.value or ((), ())
        session = dict.fromkeys([*clicked, *self.ask.session])
        return [event for event in live if event.item_id in known], [known[item] for item in session if item in known]

    def _in_time(self):
        """Run the stages, for as long as there is time."""
        try:
            self.engine.workers.run(self._stages, self.left())
        except TimeoutError:
            self.over = True
            if self.stage != BUSY:
                self.engine.breakers[self.stage].failed("late")
            self.degraded += [] if self.stage in self.degraded else [self.stage]

    def _stages(self):
        """Candidates, session, rerankers, reasons; each is skipped when time is up."""
        ask, view = self.ask, self.view
        lists, batch = self._candidates()
        if self.over:
            return
        self.lists = lists
        lists = self._reranked(lists, batch)
        if self.over:
            return
        self.final, self.stage = lists, "reasons"
        if ask.reasons and lists.k and view.reasons and not self.over:
            because = self._try("reasons", lambda: self._explained(lists, batch))
            self.because = because or self.because

    def _candidates(self):
        """Candidates (1, C) and the batch they are for; from the training if nothing happened since."""
        ask, view = self.ask, self.view
        width = max(ask.k, view.artifact.pipeline.n_candidates)
        changed = bool(self.live or self.session or ask.filtered or self.model)
        if self.at >= 0 and not changed:
            self.path = "precomputed"
            lists = view.stored(self.at, self.allow, NOTHING, width)
            if view.is_enough(lists, self.at, ask.k):
                return lists, view.request(ask.user)
        if self.anonymous:
            self.path = "stranger"
            if view.anonymous is None:
                self._try("model", view.prepare)
            return view.for_strangers(self.allow, NOTHING, width), view.request(ask.user)
        self.path = "live"
        batch = view.request(ask.user, self.live, self.session, target=self.engine.target)
        model = self.model or view.artifact.pipeline.model
        lists = self._try("model", lambda: view.scored(model, batch, self.allow, width))
        return (self._second_best(width) if lists is None else lists), batch

    def _second_best(self, width):
        """Candidates without the model: those of the training, else those for strangers."""
        unwanted = NOTHING if self.view.keep_seen else self._seen()
        self.path = "precomputed" if self.at >= 0 else "stranger"
        if self.at >= 0:
            lists = self.view.stored(self.at, self.allow, unwanted, width)
            if lists.k >= self.ask.k:
                return lists
        return self.view.for_strangers(self.allow, unwanted, width)

    def _reranked(self, lists, batch):
        """The list of k, after the session and the rerankers; without those that fail."""
        view, k, rerankers = self.view, self.ask.k, self.view.artifact.pipeline.rerankers
        lists = replace(lists, users=batch.users)
        lift = view.items.lift
        if self.session and lift is not None and lists.k:
            lifted = self._try("rerank", lambda: lift.of([self.session])(lists, batch, lists.k))
            lists = lists if lifted is None else lifted
        if not rerankers or not lists.k:
            return lists.cut(k)
        done = self._try("rerank", lambda: run_all(rerankers, lists, batch, k))
        return lists.cut(k) if done is None else done

    def _explained(self, lists, batch):
        """{position: position of the own item} and {position: sentence}."""
        why, said = {}, {}
        for because in self.view.reasons:
            own = because(lists, batch, lists.k).notes["because"][0]
            for at, reason in zip(lists.items[0].tolist(), own.tolist()):
                if at >= 0 and reason >= 0 and at not in why:
                    why[at], said[at] = reason, self.view.why(self.at, reason, self.live)
        return why, said

    def _try(self, part, task):
        """A stage through its breaker; None if it is not to be had. Who comes too late has not succeeded."""
        breaker, self.stage = self.engine.breakers[part], part
        try:
            if breaker.allows():
                value = task()
                if not self.over:
                    breaker.succeeded()
                return value
        except Exception as error:
            breaker.failed(describe(error))
        if part not in self.degraded:
            self.degraded.append(part)
        return None

    # --------------------------------------------------------------------------------------------------------- answers
    def _finished(self):
        """The answer from the best list there is, filled up to k with what is popular."""
        view, ask, k = self.view, self.ask, self.ask.k
        first, final, (why, said) = self.lists, self.final, self.because
        if first is None:  # late already
            first = self._second_best(max(k, view.artifact.pipeline.n_candidates))
        lists = first.cut(k) if final is None else final
        step_of = _steps(view, first, self.model and ask.model)
        slots = lists.notes.get("slot")
        ids, items = view.items.ids, []
        for place, (at, score) in enumerate(zip(lists.items[0].tolist(), lists.scores[0].tolist())):
            if at >= 0:
                slot = view.slots[slots[0, place]] if slots is not None and view.slots else None
                because = ids[why[at]] if at in why else None
                items.append(Listed(ids[at], len(items) + 1, json_score(score), step_of(at, "pool"), because, slot))
        if len(items) < k:
            listed = [view.items.at[i.item] for i in items]
            unwanted = np.array([*listed, *(() if view.keep_seen else self._seen())], np.int64)
            for at in view.most_popular(self.allow, unwanted, k - len(items)):
                items.append(Listed(ids[at], len(items) + 1, None, POPULAR))
        step = step_of(int(first.items[0, 0]), POPULAR) if first.k else POPULAR
        sentences = {ids[at]: sentence for at, sentence in said.items()}
        path = self.path if first.k else POPULAR
        return Answer(ask.user, tuple(items), step, view.version, False, tuple(self.degraded), sentences, path)

    def _seen(self):
        """Positions of what the user has, bought since the training included."""
        view, seen = self.view, NOTHING
        if self.at >= 0:
            indptr = view.data.seen.indptr
            seen = view.data.seen.indices[indptr[self.at] : indptr[self.at + 1]]
        bought = [view.items.at[e.item_id] for e in self.live if e.event in self.engine.target]
        return np.append(seen, np.array(bought, seen.dtype)) if bought else seen


def _steps(view, lists: TopK, name):
    """A function of a position: the name of the step that answered for this candidate, `other` if it is none."""
    items = lists.items[0].tolist()
    if name or "step" not in lists.notes:
        steps = dict.fromkeys(items, name or "model")
        return steps.get
    steps = dict(zip(items, lists.notes["step"][0].tolist()))
    return lambda at, other: view.step_name(steps[at]) if at in steps else other


def json_score(score) -> float | None:
    """A score as JSON has it."""
    return float(score) if math.isfinite(score) else None
