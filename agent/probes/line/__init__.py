"""One test of the line: the load, the counters, the rate; and the interfaces they are read from."""
