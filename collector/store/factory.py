"""Opens the store that the settings name."""

from __future__ import annotations

from collector.config import Config
from collector.store.base import Store

FILE = "schoolpulse.db"  # the SQLite store, in the collector's folder


def open_store(config: Config) -> Store:
    """Open the configured store. Its client is imported only here, to save memory.

    Raises:
        UnavailableError, MisconfiguredError: the SQLite file cannot be opened.
    """
    if config.store.kind == "sqlite":
        from collector.store.sqlite import SqliteStore

        return SqliteStore(config.folder / FILE, config.store.telemetry_days)
    from collector.store.influx import InfluxStore

    return InfluxStore(config.store)
