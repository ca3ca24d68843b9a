"""Opens the store that the settings name."""

from __future__ import annotations

from msgspec import structs

from collector import config as settings
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
    addresses = (config.store.url, *config.store.urls)
    members = [_server(structs.replace(config.store, url=url)) for url in addresses]
    if len(members) == 1:
        return members[0]
    from collector.store.failover import FailoverStore

    return FailoverStore(members)


def _server(store: settings.Store) -> Store:
    if store.kind == "opengemini":
        from collector.store.opengemini import OpenGeminiStore

        return OpenGeminiStore(store)
    from collector.store.influx import InfluxStore

    return InfluxStore(store)
