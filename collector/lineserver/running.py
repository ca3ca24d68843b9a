"""One test while it runs: its connections, its bytes, its samples, and the record of it.

What was handed to the kernel is not yet on the line, so the bytes that went down are those
which the other side's TCP has, as ours knows.
"""

from __future__ import annotations

import contextlib
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator

from agent.common.steady import Sample, overall, steady
from agent.wire import LineRecord
from collector.lineserver.tcp import Tally, delivered, delivered_frames, frames
from collector.lineserver.turns import Ending, Turn

#: A test sampled for longer than this keeps no more samples.
_MAX_SAMPLES = 4000


def _waiting(connection: socket.socket) -> int:
    """Bytes in a connection's send queue that the other side has not acknowledged; Linux only."""
    if sys.platform != "linux":
        return 0
    import fcntl
    import termios

    try:
        reply = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, b"\0\0\0\0")
    except (OSError, ValueError):  # closed between two looks
        return 0
    return int(struct.unpack("i", reply)[0])


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
        self.up_frames: list[Sample] = []  # s since the start, bytes on the wire that came
        self._lock = threading.Lock()
        self._connections: set[socket.socket] = set()
        self._senders: set[socket.socket] = set()
        self.down_frames: list[Sample] = []  # s since the start, bytes on the wire that arrived
        self._delivered, self._frames = Tally(delivered), Tally(frames)
        self._down_frames = Tally(delivered_frames)
        self._segments, self._repeats = Tally(lambda i: i.sent), Tally(lambda i: i.repeated)
        self._looks = 0
        self._dry = 0
        self.closed = False

    @contextlib.contextmanager
    def carrying(self, connection: socket.socket, *, sends: bool) -> Iterator[None]:
        """While a connection carries bytes of this test, it is counted and can be cut."""
        with self._lock:
            self._connections.add(connection)
            if sends:
                self._senders.add(connection)
            down = (self._delivered, self._down_frames, self._segments, self._repeats)
            tallies = down if sends else (self._frames,)
            for tally in tallies:
                tally.add(connection)
            first = self.down if sends else self.up
            if not first:
                first.append((round(self._clock() - self.turn.started, 4), 0))
        try:
            yield
        finally:
            with self._lock:
                self._connections.discard(connection)
                for tally in tallies:
                    tally.look(connection)

    def count_sent(self, count: int) -> None:
        """So many bytes were handed to the kernel."""
        with self._lock:
            self.sent += count

    def count_received(self, count: int) -> None:
        """So many bytes of payload came."""
        with self._lock:
            self.received += count

    def sample(self, now: float) -> None:
        """Note the counters at `now` (s, the server's monotonic clock)."""
        with self._lock:
            self._sample_down(now)
            if self.up:
                _note(self.up, now - self.turn.started, self.received)
                if (came := self._frames.sum()) is not None:
                    _note(self.up_frames, now - self.turn.started, came)

    def _sample_down(self, now: float) -> None:
        if not self._senders:
            return
        # One that has sent all of its reply stays until it is closed: its queue still drains.
        self._senders = {one for one in self._senders if one.fileno() >= 0}
        self._looks += 1
        self._dry += sum(_waiting(one) for one in self._senders) == 0
        arrived = self._delivered.sum()
        if (wire := self._down_frames.sum()) is not None:
            _note(self.down_frames, now - self.turn.started, wire)
        _note(self.down, now - self.turn.started, self.sent if arrived is None else arrived)

    @property
    def young(self) -> bool:
        """Whether a direction has just begun: a fast line needs finer samples then."""
        newest = self.up or self.down
        return not newest or newest[-1][0] - newest[0][0] < 1.0

    @property
    def server_limited(self) -> bool:
        """Whether this server, not the line, was the bottleneck: its queues mostly ran dry."""
        return self._looks > 0 and self._dry * 2 > self._looks

    @property
    def loss_share(self) -> float | None:
        """Segments that were sent again, of all that were sent; None where nobody knows."""
        with self._lock:
            sent, again = self._segments.sum(), self._repeats.sum()
        return None if not sent or again is None else round(min(1.0, again / sent), 5)

    def cut(self) -> bool:
        """End all connections; says whether any still carried bytes."""
        with self._lock:
            self.closed = True
            carried = list(self._connections)
        for connection in carried:
            with contextlib.suppress(OSError):  # gone by itself meanwhile
                connection.shutdown(socket.SHUT_RDWR)
        return bool(carried)

    def record(self, outcome: Ending, now: float) -> LineRecord:
        """This server's record of the test."""
        down, up = steady(self.down), steady(self.up)
        wish = self.turn.wish
        return LineRecord(
            test=self.turn.id,
            school=wish.school,
            machine=wish.machine,
            line=wish.line,
            outcome=outcome,
            sent_bytes=self.sent,
            received_bytes=self.received,
            down_mbps=down.mbps if down else overall(self.down),
            up_mbps=up.middle if up else overall(self.up),
            seconds=round(now - self.turn.started, 3),
            solo=self.solo,
        )


def _note(samples: list[Sample], t: float, count: int) -> None:
    """Keep a sample; a send queue that shrank late must not make the counter run backwards."""
    if len(samples) < _MAX_SAMPLES:
        samples.append((round(t, 4), max(count, samples[-1][1] if samples else 0)))
