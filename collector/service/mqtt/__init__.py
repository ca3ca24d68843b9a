"""The collector's connection to the broker."""
