"""SIGTERM ends the collector within 5 s, whatever does not answer: on a clock of our own."""

from __future__ import annotations

import gc
import signal
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from collector.commands import collect
from collector.config import Config
from collector.roster.register import Register
from collector.service import Collector
from collector.service import collector as collector_module
from collector.store.sqlite import SqliteStore

PROMISED_S = 5.0


class _Stuck:
    """A thread that never ends: whoever waits for it waits for as long as he will."""

    alive = True

    def __init__(self) -> None:
        self.waited_s = 0.0

    def join(self, seconds: float) -> None:
        self.waited_s += seconds

    flush = stop = join

    def ask_to_stop(self) -> None:
        """Takes no time."""


def test_all_waits_together_keep_what_is_promised(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stuck = _Stuck()
    clock = SimpleNamespace(monotonic=lambda: stuck.waited_s, time_ns=time.time_ns)
    with SqliteStore(tmp_path / "store.db") as store:
        made = Collector(Config(data=str(tmp_path)), store, Register)
        links = SimpleNamespace(reports=stuck, outgoing=stuck, presences=stuck)
        monkeypatch.setattr(made, "_links", links)
        for part in ("_worker", "_roster", "_keeper_thread"):
            monkeypatch.setattr(made, part, stuck)
        monkeypatch.setattr(collector_module, "time", clock)
        assert not made.stop(), "its threads have not ended"
    assert 0 < stuck.waited_s < PROMISED_S


class _Service(Collector):
    """Told to stop as soon as it has started; `ended`: whether all of its threads did."""

    def __init__(self, ended: bool) -> None:
        self._ended = ended

    def start(self) -> None:
        signal.raise_signal(signal.SIGTERM)

    def stop(self) -> bool:
        return self._ended


@pytest.fixture
def _signals() -> Iterator[None]:
    """The handlers, and when garbage is collected, are the whole process's."""
    before = {sign: signal.getsignal(sign) for sign in (signal.SIGTERM, signal.SIGINT)}
    garbage = gc.get_threshold()
    yield
    gc.set_threshold(*garbage)
    for sign, handler in before.items():
        signal.signal(sign, handler)


@pytest.mark.usefixtures("_signals")
@pytest.mark.parametrize("ended", [True, False])
def test_a_store_that_a_thread_still_waits_for_is_not_closed(ended: bool) -> None:
    """Closing it would wait as long as the thread does."""
    closed: list[Any] = []
    with ExitStack() as opened:
        opened.callback(closed.append, "the store")
        assert collect._serve(_Service(ended), opened) == 0
    assert bool(closed) is ended
