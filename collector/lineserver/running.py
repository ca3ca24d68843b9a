"""A running test: its connections, bytes and samples, and the record made of them.

Bytes given to the kernel are not on the line yet, so the bytes down are those that the other side's
TCP has acknowledged.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator

from agent.common.steady import Sample, confirmed, overall, steady
from agent.wire import LineRecord
from collector.lineserver.addresses import group, plain
from collector.lineserver.tcp import Frames, Tally, delivered, delivered_frames
from collector.lineserver.turns import Ending, Turn

#: A test keeps at most this many samples.
_MAX_SAMPLES = 4000
#: Transfers of a test at a time; speedtest-cli uses eight.
MAX_TRANSFERS = 32


def _unacknowledged(connection: socket.socket) -> int:
    """Bytes in a connection's send queue that the other side has not acknowledged; Linux only."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    try:
        reply = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, ValueError):  # closed in the meantime
        return 0
    return int(struct.unpack("i", reply)[0])


def _address(connection: socket.socket) -> str:
    """The other side's address; empty where it has hung up."""
    try:
        return str(plain(str(connection.getpeername()[0])) or "")
    except (OSError, IndexError):
        return ""


class Running:
    """A granted test. Safe to use from the threads of its connections and the sampler's."""

    def __init__(self, turn: Turn, clock: Callable[[], float] = time.monotonic) -> None:
        self.turn = turn
        self._clock = clock
        self.solo = True
        self.sent = 0
        self.received = 0
        self.down: list[Sample] = []  # s since the start, bytes of payload that arrived
        self.up: list[Sample] = []  # s since the start, bytes received
        self._up_full: list[Sample] = []  # s since the start, bytes of the frames received, if full
        self._lock = threading.Lock()
        self._freed = threading.Condition(self._lock)  # a connection has left
        self._connections: set[socket.socket] = set()
        self._senders: set[socket.socket] = set()
        self._addresses: set[str] = set()
        self.down_frames: list[Sample] = []  # s since the start, bytes on the wire that arrived
        self._delivered, self._frames = Tally(delivered), Frames()
        self._down_frames = Tally(delivered_frames)
        self._segments, self._repeats = Tally(lambda i: i.sent), Tally(lambda i: i.repeated)
        self._busy, self._held = Tally(lambda i: i.busy), Tally(lambda i: i.held)
        self._queue_checks = 0
        self._queues_empty = 0
        self.closed = False
        self._places = 0

    @contextlib.contextmanager
    def transfer(self, connection: socket.socket, *, sends: bool) -> Iterator[None]:
        """In the block, the connection's bytes count for this test, and `cut` closes it."""
        with self._lock:
            self._connections.add(connection)
            self._addresses.add(_address(connection))
            if sends:
                self._senders.add(connection)
            down = (self._delivered, self._down_frames, self._segments, self._repeats)
            tallies = (*down, self._busy, self._held) if sends else (self._frames,)
            for tally in tallies:
                tally.add(connection)
            samples = self.down if sends else self.up
            if not samples:
                samples.append((round(self._clock() - self.turn.started, 4), 0))
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)
                self._freed.notify_all()
                for tally in tallies:
                    tally.update(connection)

    def is_from(self, address: str) -> bool:
        """Whether bytes of the test went to this `addresses.group`."""
        with self._lock:
            return any(group(one) == address for one in self._addresses)

    def reserve(self) -> bool:
        """Take a transfer's place, until `release`; False where the test has all that it may."""
        with self._lock:
            free = not self.closed and self._places < MAX_TRANSFERS
            self._places += free
        return free

    def release(self) -> None:
        """Give a transfer's place back."""
        with self._lock:
            self._places -= 1

    @property
    def is_spent(self) -> bool:
        """Whether the line's bytes of the month are used up."""
        limit = self.turn.max_bytes
        return limit is not None and self.sent + self.received >= limit

    def count_sent(self, count: int) -> None:
        """Add bytes that were given to the kernel."""
        with self._lock:
            self.sent += count

    def count_received(self, count: int) -> None:
        """Add bytes of payload received."""
        with self._lock:
            self.received += count

    def sample(self) -> None:
        """Take a sample of the counters.

        The clock is read once the lock is held: the threads that carry a fast line's bytes keep it
        waiting for some hundredths of a second, in which further segments arrive.
        """
        with self._lock:
            now = self._clock()
            self._sample_down(now)
            if self.up:
                _note(self.up, now - self.turn.started, self.received)
                if (received := self._frames.sum()) is not None:
                    _note(self._up_full, now - self.turn.started, received)

    @property
    def up_frames(self) -> list[Sample]:
        """s since the start, bytes on the wire received; empty if the system does not say."""
        with self._lock:
            share = self._frames.full_share()
            return [(t, round(full * share)) for t, full in self._up_full]

    def _sample_down(self, now: float) -> None:
        if not self._senders:
            return
        # A connection stays here until it is closed, as its queue drains after the last send.
        self._senders = {one for one in self._senders if one.fileno() >= 0}
        self._queue_checks += 1
        self._queues_empty += sum(_unacknowledged(one) for one in self._senders) == 0
        arrived = self._delivered.sum()
        if (wire := self._down_frames.sum()) is not None:
            _note(self.down_frames, now - self.turn.started, wire)
        _note(self.down, now - self.turn.started, self.sent if arrived is None else arrived)

    @property
    def just_started(self) -> bool:
        """Whether a direction began within the last second; a fast line needs finer samples."""
        newest = self.up or self.down
        return not newest or newest[-1][0] - newest[0][0] < 1.0

    @property
    def server_limited(self) -> bool:
        """Whether the server was the bottleneck, not the line: its queues were mostly empty."""
        return self._queue_checks > 0 and self._queues_empty * 2 > self._queue_checks

    @property
    def loss_share(self) -> float | None:
        """The share of retransmitted segments; None if the system does not report them."""
        with self._lock:
            sent, repeated = self._segments.sum(), self._repeats.sum()
        return None if not sent or repeated is None else round(min(1.0, repeated / sent), 5)

    @property
    def window_share(self) -> float | None:
        """The share of the download in which the PC's receive windows were full; None: unknown."""
        with self._lock:
            busy, held = self._busy.sum(), self._held.sum()
        return None if not busy or held is None else round(min(1.0, held / busy), 5)

    def cut(self) -> bool:
        """Close all connections; returns whether any was still transferring."""
        with self._lock:
            self.closed = True
            open_ones = list(self._connections)
        for connection in open_ones:
            with contextlib.suppress(OSError):  # closed in the meantime
                connection.shutdown(socket.SHUT_RDWR)
        return bool(open_ones)

    def settle(self, seconds: float) -> None:
        """Wait, after `cut`, until what the transfers have sent is counted, or the time is over.

        The other side has a transfer's last bytes before the thread that sent them can count them.
        """
        with self._freed:
            self._freed.wait_for(lambda: not self._connections, seconds)

    def record(self, outcome: Ending, now: float) -> LineRecord:
        """This server's record of the test."""
        up = steady(self.up)
        wish = self.turn.wish
        return LineRecord(
            test=self.turn.id,
            school=wish.school,
            machine=wish.machine,
            line=wish.line,
            outcome=outcome,
            sent_bytes=self.sent,
            received_bytes=self.received,
            down_mbps=confirmed(self.down),
            up_mbps=up.middle if up else overall(self.up),
            seconds=round(now - self.turn.started, 3),
            solo=self.solo,
            server_limited=self.server_limited,
            address=", ".join(sorted(filter(None, self._addresses)))[:256],
        )


def _note(samples: list[Sample], t: float, count: int) -> None:
    """Add a sample; the counter must not decrease, as it may when a send queue shrinks late."""
    if len(samples) < _MAX_SAMPLES:
        samples.append((round(t, 4), max(count, samples[-1][1] if samples else 0)))
