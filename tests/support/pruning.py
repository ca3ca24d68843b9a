"""Everything that is due to be pruned from a store, pruned at once."""

from __future__ import annotations

from collector.store.sqlite import SqliteStore


def prune(store: SqliteStore) -> int:
    """As writes do it, slice by slice; how many rows."""
    gone = 0
    while found := store._prune_slices():
        gone += found
    return gone
