"""Fitted or not: the check every model makes before it scores, and a part that was fitted beforehand."""

from dataclasses import dataclass

import numpy as np

from reco_utils.core import Dataset, Recommender, UserBatch


def check_fitted(model, batch: UserBatch | None = None) -> None:
    """Refuse to score with a model that has learnt nothing, or a batch made from another catalogue.

    A fitted model has an attribute `n_items_`, the number of items it learnt from.

    Raises
    ------
    RuntimeError  when `fit` was never called
    ValueError  when the batch has another number of items
    """
    n_items = getattr(model, "n_items_", None)
    name = type(model).__name__
    if n_items is None:
        raise RuntimeError(f"{name} is not fitted; call fit(data) first")
    if batch is not None and batch.history.shape[1] != n_items:
        raise ValueError(
            f"{name} was fitted on {n_items} items, the batch has {batch.history.shape[1]}; "
            "make the batch from the Dataset of the fit"
        )


def check_positions(items, n_items: int) -> np.ndarray:
    """Item positions as an array (n,) of whole numbers, or a clear refusal.

    Raises
    ------
    IndexError  when one of them is no whole number, or outside the catalogue
    """
    items = np.atleast_1d(np.asarray(items))
    items = items if items.size else items.astype(int)  # an empty list is one of floats
    if not np.issubdtype(items.dtype, np.integer):
        raise IndexError(f"item positions must be whole numbers, got {items.dtype}; data.positions(ids) gives them")
    outside = items[(items < 0) | (items >= n_items)]
    if len(outside):
        raise IndexError(f"item positions must be 0 to {n_items - 1}, got {outside[:3].tolist()}")
    return items


@dataclass(eq=False)
class FrozenRecommender:
    """A fitted model as a part of others: their `fit` takes it as it is instead of fitting a copy of it.

    Models made of models (hybrid, cascade, newcomers) fit copies of their parts, so that no part is changed behind
    your back. When the same parts serve in several of them, fit once and freeze:

        als = FrozenRecommender(IALSRecommender().fit(train), train)

    Parameters
    ----------
    model : Recommender, fitted
    data : Dataset
        What it was fitted on.
    """

    model: Recommender
    data: Dataset

    def __post_init__(self):
        check_fitted(self.model)

    def __deepcopy__(self, memo) -> "FrozenRecommender":
        """Itself: nothing ever changes it."""
        return self

    def __getattr__(self, name):
        """Whatever else the model offers: vectors, score_at, similar_items, learned attributes."""
        if name.startswith("__") or "model" not in self.__dict__:
            raise AttributeError(name)
        return getattr(self.model, name)

    def fit(self, data: Dataset) -> "FrozenRecommender":
        """Nothing to do.

        Raises
        ------
        ValueError  for another Dataset than the one it was fitted on
        """
        if data is not self.data:
            raise ValueError(
                f"{type(self.model).__name__} is frozen on a Dataset as of {self.data.asof}, got another one as of "
                f"{data.asof}; fit it on that one, or pass the model itself"
            )
        return self

    def score(self, batch: UserBatch) -> np.ndarray:
        """The model's scores (B, I) float32."""
        return self.model.score(batch)
