"""What the outbox's tests share: a PC's outbox, and what a collector answers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.outbox import Outbox
from agent.wire import AgentHealth, Receipt, Report, StoredRange, decode_message

MACHINE = "0123456789abcdef" * 2
NOW = 1_790_000_000_000
READING = (AgentHealth(version="1"),)


def opened(tmp_path: Path, pc: Any, machine: str = MACHINE, **more: Any) -> Outbox:
    """The outbox of a PC's folder."""
    return Outbox(tmp_path / "outbox.db", machine, pc.clock, draw=lambda: 0.5, **more)


def report(payload: bytes) -> Report:
    """What was sent, read again."""
    message = decode_message(payload)
    assert isinstance(message, Report)
    return message


def stored(outbox: Outbox, first: int, last: int, now: int = NOW) -> Receipt:
    """These numbers of its boot are stored."""
    return Receipt(v=1, now=now, stored=(StoredRange(outbox.boot, first, last),))
