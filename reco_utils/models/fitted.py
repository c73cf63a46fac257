"""The one check every model makes before it scores: was it fitted, and on this catalogue?"""

from reco_utils.core import UserBatch


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
