"""The days of a simulated experiment, one after another: who comes, what they are shown, what they do and remember.

Work is cut by shopper, and a shopper's visits touch nothing but her own rows, so the number of threads changes nothing.

Letters: n shoppers, V visits of a day, K places of a list.
"""

import numpy as np
import pandas as pd

from reco_utils.core import USER
from reco_utils.experiment.behaviour import DEVICES
from reco_utils.experiment.session import AMOUNTS, COUNTS, Memory, Record, count_visits, run_visits
from reco_utils.experiment.traffic import SUMS, Traffic
from reco_utils.topk import N_THREADS, everywhere, spans

SPAN = 1000  # shoppers per task at least


class Simulation:
    """A simulated experiment while it runs: what shoppers remember, and the visits so far."""

    def __init__(self, shoppers, arms, codes, latency_ms, seed, log):
        self.shoppers, self.arms, self.codes, self.latency_ms = shoppers, arms, codes, latency_ms
        self.seed, self.log = seed, log
        self.memory, self.days = blank_memory(len(codes), 1), []
        self.taking_part = np.flatnonzero(codes >= 0)

    def live(self, day, only_arm):
        """One day: who comes, what they are shown, what they do; before the test everybody sees `only_arm`."""
        people, behaviour, rows = self.shoppers, self.shoppers.behaviour, self.taking_part
        often, share = np.zeros(len(rows), np.int64), behaviour.weekday[day % 7]
        half_life = float(behaviour.half_life_days)
        count_visits(self.seed, day, float(share), half_life, rows, people._rates, self.memory, often)
        rows, often = rows[often > 0], often[often > 0]
        arm = self.codes[rows] if only_arm is None else np.full(len(rows), only_arm)
        items, propensities = self.arms.lists(arm, people.at[rows], day)
        self.memory = _widened(self.memory, items.shape[1])
        items = _padded(items, self.memory.last.shape[1])
        logged = self.log and day >= 0
        record = blank_record(int(often.sum()), items.shape[1], logged)
        run_day(people, self.seed, day, rows, often, self.latency_ms[arm], items, self.memory, record, own=True)
        visit = np.repeat(np.arange(len(rows)), often)
        kept = (items[visit], _padded(propensities, items.shape[1], np.nan)[visit]) if logged else None
        self.days.append((day, rows[visit], record, kept))

    def traffic(self) -> Traffic:
        """The tables, once all days are over."""
        frame, people = self._visits(), self.shoppers
        before = (frame["day"] < 0).to_numpy()
        rows = self.taking_part
        users = pd.DataFrame(
            {
                USER: people.users[rows],
                "arm": self._arm_of(rows),
                "device": pd.Categorical.from_codes(people._devices[rows], categories=list(DEVICES)),
                "shop_user": np.asarray(people.tastes.users)[people.at[rows]],
            }
        )
        tables = (frame[~before].reset_index(drop=True), frame[before].reset_index(drop=True))
        return Traffic(users, *tables, self._impressions(int(before.sum())) if self.log else None)

    def _arm_of(self, rows):
        return pd.Categorical.from_codes(self.codes[rows], categories=list(self.arms.names))

    def _visits(self):
        rows = np.concatenate([rows for _, rows, _, _ in self.days])
        day = np.repeat([day for day, *_ in self.days], [len(rows) for _, rows, _, _ in self.days])
        columns = [visit_columns(record) for _, _, record, _ in self.days]
        return pd.DataFrame(
            {
                USER: pd.Categorical.from_codes(rows, categories=self.shoppers.users),
                "arm": self._arm_of(rows),
                "day": day.astype(np.int32),
                "session": np.arange(len(rows), dtype=np.int32),
                **{name: np.concatenate([part[name] for part in columns]) for name in SUMS},
            }
        )

    def _impressions(self, first):
        """The log: one row per item shown on the days of the test; sessions are numbered on from `first`."""
        parts = []
        for day, rows, record, kept in self.days:
            if kept is None:
                continue
            items, propensities = kept
            visit, place = np.nonzero(items >= 0)
            parts.append(self._shown(day, rows[visit], first + visit, items, propensities, record, (visit, place)))
            first += len(rows)
        return pd.concat(parts, ignore_index=True)

    def _shown(self, day, rows, session, items, propensities, record, cells):
        step = record.steps[cells]
        return pd.DataFrame(
            {
                USER: pd.Categorical.from_codes(rows, categories=self.shoppers.users),
                "arm": self._arm_of(rows),
                "day": np.int32(day),
                "session": session.astype(np.int32),
                "user_at": self.shoppers.at[rows],
                "item_at": items[cells],
                "rank": (cells[1] + 1).astype(np.int16),
                "propensity": propensities[cells],
                **{name: step > at for at, name in enumerate(("examined", "clicked", "carted", "bought"))},
                "revenue": record.earned[cells],
            }
        )


def run_day(people, seed, day, rows, often, latency_ms, items, memory, record, *, own=False):
    """Run the visits of some shoppers on all cores; `own`: memory rows are those of the shoppers, else 0, 1, ..."""
    places = rows if own else np.arange(len(rows))
    starts = np.concatenate([[0], np.cumsum(often)])
    latency = np.broadcast_to(np.asarray(latency_ms, np.float64), len(rows)).copy()
    ways, world, tastes, devices = people.behaviour.on(day), people._world, people._tastes, people._devices

    def task(start, stop):
        part = slice(start, stop)
        run_visits(
            seed, day, places[part], rows[part], often[part], starts[part], tastes, devices, latency[part],
            items[part], memory, world, ways, record,
        )  # fmt: skip

    everywhere(task, spans(len(rows), max(1, min(4 * N_THREADS, len(rows) // SPAN))))


def blank_memory(n, width):
    """The memory of n people who have not come yet, with room for lists of `width`."""
    blank = np.full((n, width), -1, np.int32)
    return Memory(np.zeros(n, np.int64), np.zeros(n), np.zeros(n), np.full(n, -1, np.int32), blank, blank.copy())


def _widened(memory, width):
    """The memory with room for longer lists."""
    if memory.last.shape[1] >= width:
        return memory
    return memory._replace(last=_padded(memory.last, width), usual=_padded(memory.usual, width))


def _padded(lists, width, padding=-1):
    if lists.shape[1] >= width:
        return lists
    wider = np.full((len(lists), width), padding, lists.dtype)
    wider[:, : lists.shape[1]] = lists
    return wider


def blank_record(n_visits, width, log):
    """Room for what happens in some visits; for every place of the list only if it is to be logged."""
    shape = (n_visits, width) if log else (0, width)
    counts, amounts = np.zeros((n_visits, len(COUNTS)), np.int32), np.zeros((n_visits, len(AMOUNTS)))
    return Record(counts, amounts, np.zeros(shape, np.int8), np.zeros(shape))


def visit_columns(record):
    """The record as columns of the table of visits."""
    found = {name: record.counts[:, at].copy() for at, name in enumerate(COUNTS)}
    found |= {name: record.amounts[:, at].copy() for at, name in enumerate(AMOUNTS)}
    return pd.DataFrame({name: found[name] for name in SUMS}).assign(bounced=found["bounced"] > 0)
