"""A running test: bytes that are counted late are in its record, and who held it back is known."""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
import time
from collections.abc import Iterator

import pytest

from agent.wire import LineRecord
from collector.lineserver.ledger import Ledger
from collector.lineserver.running import Running
from collector.lineserver.turns import Turn, Wish

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


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell")
@pytest.mark.parametrize("reads", [True, False])
def test_time_in_which_the_other_side_s_window_is_full_is_known(reads: bool) -> None:
    """By a real connection, whose other side reads at once, or not at all."""
    running = Running(Turn("1" * 32, WISH, 0.0, 60.0), lambda: 0.0)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ours = socket.create_connection(listener.getsockname())
        theirs, _ = listener.accept()
    with ours, theirs, running.transfer(ours, sends=True):
        ours.setblocking(False)
        until = time.monotonic() + 30
        while time.monotonic() < until and not _known(running, reads):
            with contextlib.suppress(BlockingIOError):
                running.count_sent(ours.send(b"x" * 65_536))
            if reads:
                theirs.recv(65_536)
        share = running.window_share
    assert share is not None
    assert (share < 0.25) if reads else (share > 0.5)


def _known(running: Running, reads: bool) -> bool:
    """Enough has been sent to tell: the system counts time in steps of some milliseconds.

    Which of both times a step is counted in first is chance, so nearly all of it must be told.
    """
    share = running.window_share
    if reads:
        return running.sent > 50_000_000 and share is not None
    return (share or 0.0) > 0.9
