"""One command a module; the table is in `collector.cli`."""
