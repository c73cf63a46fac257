"""Recommendation for shops: raw tables become a Dataset, a model scores it, `recommend` cuts lists, metrics judge them.

Read `reco_utils.core` first; `README.md` shows how the rooms are connected.
"""

__version__ = "0.1.0"
