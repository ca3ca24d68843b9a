"""Turns a message into points and an answer. Pure: keeps nothing between messages."""

from collector.ingest.bounds import Bounds
from collector.ingest.decode import (
    Answered,
    Held,
    Ignored,
    Known,
    Noted,
    Outcome,
    Quarantined,
    Source,
    Stored,
    day_of,
    decode,
)

__all__ = [
    "Answered",
    "Bounds",
    "Held",
    "Ignored",
    "Known",
    "Noted",
    "Outcome",
    "Quarantined",
    "Source",
    "Stored",
    "day_of",
    "decode",
]
