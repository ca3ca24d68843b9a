"""One command a module; the table is in `agent.cli`."""
