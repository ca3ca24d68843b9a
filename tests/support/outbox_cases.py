"""What the outbox's tests share: a PC's outbox, and what a collector answers it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from agent.clock import Clock
from agent.outbox import Outbox
from agent.wire import AgentHealth, Receipt, Report, StoredRange, decode_message

MACHINE = "0123456789abcdef" * 2
NOW = 1_790_000_000_000
READING = (AgentHealth(version="1"),)
BIG = (AgentHealth(version="1", room="x" * 250),)
MADE = 120


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


def use(path: Path, clock: Clock | None = None) -> Outbox:
    """Start on it as an agent does: open, learn the time, put, send, take receipts."""
    clock = clock or Clock()
    outbox = Outbox(path, MACHINE, clock)
    sent = clock.mark()
    clock.on_echo(sent, NOW)
    outbox.put(BIG, evidence=True)
    for _ in range(MADE):
        due = outbox.due()
        for one in due:
            report = decode_message(one.payload)
            assert isinstance(report, Report)
            assert report.readings == BIG  # a flipped byte is counted as a loss, never reported
            run = StoredRange(one.boot, one.number, one.number)
            outbox.receipt(Receipt(v=1, now=NOW, stored=(run,)))
        if not outbox.counts().rows:
            break
    return outbox


def sound(outbox: Outbox, most: int = MADE + 1) -> None:
    """All was sent; and nothing vanished without being counted, as far as the file can tell."""
    counts = outbox.counts()
    assert counts.rows == 0
    outbox.close()
    assert counts.lost <= most
