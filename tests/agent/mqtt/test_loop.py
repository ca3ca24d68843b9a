"""One thread for many links: what one of them does is not the others' end."""

from __future__ import annotations

import sqlite3
import threading

import pytest

from agent.mqtt import loop as loops
from agent.mqtt.loop import Loop


class Quiet:
    """Has no socket; notes its steps."""

    socket = None
    want_write = False

    def __init__(self) -> None:
        self.stepped = threading.Semaphore(0)

    def step(self, *, readable: bool = False) -> None:
        self.stepped.release()

    def next_step(self) -> float | None:
        return None


class OnAFailingDisk(Quiet):
    def next_step(self) -> float | None:
        raise sqlite3.OperationalError("disk I/O error")


def test_a_link_that_cannot_tell_its_time_is_asked_again_and_stops_no_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loops, "_RETRY_S", 0.01)
    monkeypatch.setattr(loops, "_LONGEST", 3600.0)  # what others wait for helps no failing one
    loop, failing, other = Loop(), OnAFailingDisk(), Quiet()
    loop.start()
    loop.wake(failing)
    assert failing.stepped.acquire(timeout=120)
    loop.wake(other)
    assert other.stepped.acquire(timeout=120)
    assert failing.stepped.acquire(timeout=120), "looked at again by itself"
    loop.stop()
