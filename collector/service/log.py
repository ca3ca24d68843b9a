"""Structured logs: a constant event name, then fields. Counters are for statistics, not logs."""

from __future__ import annotations

import json
import logging
from typing import Any

_logger = logging.getLogger("schoolpulse.collect")


def event(name: str, level: int = logging.INFO, **fields: Any) -> None:
    """Log one event as `name key=value ...`; values with spaces are quoted as JSON."""
    if _logger.isEnabledFor(level):
        _logger.log(level, "%s", " ".join([name, *map(_pair, fields.items())]))


def warn(name: str, **fields: Any) -> None:
    """An event that somebody may have to act on."""
    event(name, logging.WARNING, **fields)


def _pair(item: tuple[str, Any]) -> str:
    key, value = item
    text = str(value)
    # A newline in a payload's text must not start a line of its own.
    plain = text.isprintable() and " " not in text and '"' not in text
    return f"{key}={text if plain else json.dumps(text, ensure_ascii=False)}"
