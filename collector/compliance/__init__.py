"""Evidence to verdict to figure. Pure: no store, no clock, no file."""
