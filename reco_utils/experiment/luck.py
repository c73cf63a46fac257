"""Chance that can be looked up: every draw is a function of who, when and what for, never of who drew before.

An ordinary generator hands out numbers in turn, so that one visitor more shifts the luck of all who come after. Here a
draw is a hash of its place in the world, (seed, shopper, day, visit, number of the draw): the same shopper has the same
luck in both arms of a test, whoever else takes part and however many threads work.

    key = mix(mix(mix(seed) ^ shopper) ^ (day, visit))        luck = top 53 bits of mix(key + number * golden) / 2**53

`mix` is the finaliser of SplitMix64: bits only, no floating point, the same on every machine.

Source: Steele, Lea and Flood (2014), "Fast splittable pseudorandom number generators"; Salmon et al. (2011), "Parallel
random numbers: as easy as 1, 2, 3" for generators by counter.
"""

import math

import numpy as np
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
FIRST, SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
BY_30, BY_27, BY_31, BY_11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
DAY_ZERO, VISITS = np.int64(1_000_000), np.int64(64)  # days may be negative; fewer than 64 visits a day


@njit(nogil=True, cache=True, inline="always")
def mix(bits):
    """64 bits stirred so that each of them depends on all: uint64 -> uint64, one to one."""
    bits = np.uint64(bits)
    bits = (bits ^ (bits >> BY_30)) * FIRST
    bits = (bits ^ (bits >> BY_27)) * SECOND
    return bits ^ (bits >> BY_31)


@njit(nogil=True, cache=True, inline="always")
def visit_key(seed, shopper, day, visit):
    """The key of one shopper's visit (uint64); visit 0 is the day itself, visits count from 1."""
    when = (np.int64(day) + DAY_ZERO) * VISITS + np.int64(visit)
    key = mix(np.uint64(seed) + GOLDEN) ^ np.uint64(shopper)
    return mix(mix(key + GOLDEN) ^ np.uint64(when))


@njit(nogil=True, cache=True, inline="always")
def luck(key, number):
    """Draw `number` of a key: a float64 in [0, 1), evenly spread."""
    return np.float64(mix(np.uint64(key) + np.uint64(number) * GOLDEN) >> BY_11) * 2.0**-53


@njit(nogil=True, cache=True, inline="always")
def bell(key, number):
    """A draw of the standard normal distribution from draws `number` and `number` + 1 (Box and Muller)."""
    radius = math.sqrt(-2.0 * math.log(1.0 - luck(key, number)))
    return radius * math.cos(2.0 * math.pi * luck(key, number + 1))


@njit(nogil=True, cache=True)
def luck_table(seed, shoppers, n_draws):
    """Draws (n, n_draws) that belong to shoppers themselves, not to any visit of theirs."""
    found = np.empty((shoppers.size, n_draws))
    for row in range(shoppers.size):
        key = visit_key(seed, shoppers[row], -DAY_ZERO, 0)
        for number in range(n_draws):
            found[row, number] = luck(key, number)
    return found
