"""A line test: its load, its counters and the rate from them; and the network interfaces."""
