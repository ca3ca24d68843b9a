"""A running test's bytes: those that are counted late are in its record all the same."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator

import pytest

from agent.wire import LineRecord
from collector.lineserver.ledger import Ledger
from collector.lineserver.running import Running
from collector.lineserver.turns import Wish

WISH = Wish(school="9963010001", machine="ab" * 16, line="主线", max_seconds=15)


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def test_what_was_sent_before_the_end_is_counted_though_its_thread_comes_late(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    ledger = Ledger(lambda record: None)
    running = ledger.ask(WISH)
    assert isinstance(running, Running)
    found: list[LineRecord | None] = []
    ends = threading.Thread(target=lambda: found.append(ledger.close(running, "ok")))
    with running.transfer(ours, sends=True):
        ours.sendall(b"x" * 1000)
        assert theirs.recv(1000) == b"x" * 1000  # all is there, and not yet counted
        ends.start()
        with contextlib.suppress(OSError):
            assert theirs.recv(1) == b"", "cut by the end of the test"
        running.count_sent(1000)
    ends.join()
    assert [record.sent_bytes for record in found if record] == [1000]


def test_a_transfer_that_hangs_does_not_keep_the_record(
    pair: tuple[socket.socket, socket.socket], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("collector.lineserver.ledger._SETTLE_S", 0.01)
    ledger = Ledger(lambda record: None)
    running = ledger.ask(WISH)
    assert isinstance(running, Running)
    with running.transfer(pair[0], sends=True):
        running.count_sent(5)
        record = ledger.close(running, "ok")
    assert record is not None
    assert record.sent_bytes == 5
