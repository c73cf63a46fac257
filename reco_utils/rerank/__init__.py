"""Lists in, better lists out: pure, without fit and clock, randomness passed in."""
