"""Traffic in, effects out: who sees what, how long to wait, and what it was worth."""
