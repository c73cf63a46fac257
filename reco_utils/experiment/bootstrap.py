"""Bootstrap of a difference between two groups of users, for numbers too heavy-tailed to trust a formula.

Letters: n users of an arm, R resamples.
"""

import numpy as np


def bootstrap_difference(control, treatment, *, rng, n=2000, method="bca", alpha=0.05):
    """Interval and p of the difference of two ratios of sums: users are drawn with replacement within each arm.

    Parameters
    ----------
    control, treatment : (n,) float, or (n, 2) numerators and denominators
    rng : Generator
    n : int
        Resamples R.
    method : "bca" or "percentile"
        BCa moves the ends of the percentile interval for skewness and bias.
    alpha : float in (0, 1)

    Returns
    -------
    low, high, p : floats
    """
    raise NotImplementedError
