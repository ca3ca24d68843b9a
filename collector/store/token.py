"""The database's token, read from its file when it is needed."""

from __future__ import annotations

from agent.common.settings import SettingsError
from collector import config
from collector.store.base import MisconfiguredError


def of(settings: config.Store) -> str:
    """The token; empty where none is set.

    Raises:
        MisconfiguredError: its file cannot be read.
    """
    try:
        return settings.secret()
    except SettingsError as error:
        raise MisconfiguredError(str(error)) from error
