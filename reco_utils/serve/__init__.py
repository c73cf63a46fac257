"""Lists out to the world: the only room with a clock, threads and a port."""
