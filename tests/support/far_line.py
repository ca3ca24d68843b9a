"""A line with delay and loss: two namespaces, joined by a program that passes frames on.

For kernels without netem. Each way has a rate, a queue in bytes that drops what does not fit, a
delay and a share of frames that are lost, at random and repeatable. It passes some 40,000 frames
a second, so lines up to 100 Mbit/s.
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import heapq
import json
import os
import random
import secrets
import select
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

from agent.common.steady import Sample, after_burst, aligned, later_half, steady_of
from shaped import PC, PC_ADDRESS, SERVER, SERVER_ADDRESS, Lab, NoLabError, make_space, run

_TUNSETIFF, _TAP_WITHOUT_INFO = 0x400454CA, 0x1002
_FRAME = 2048
_NEWNET = 0x40000000
_READ_S = 0.05
_LATE_S = 0.01  # a frame so much later than the line would have brought it is one of a busy machine


class Way:
    """Frames in one direction, from one TAP device to the other."""

    def __init__(self, source: int, sink: int) -> None:
        self.source, self.sink = source, sink
        self.rate, self.queue, self.delay, self.loss = 1e9, 1 << 20, 0.0, 0.0  # bytes/s, bytes, s
        self._free = 0.0  # when the line has sent what is queued
        self._flying: list[tuple[float, int, bytes]] = []
        self._count = 0
        self._draw = random.Random(1)
        self.given, self.late, self.bytes = 0, 0, 0
        self.readings: list[Sample] = []  # s, bytes delivered

    def take(self, now: float) -> None:
        """Queue what the source has sent."""
        with contextlib.suppress(BlockingIOError):
            while True:
                frame = os.read(self.source, _FRAME)
                waiting = max(0.0, self._free - now) * self.rate
                if waiting + len(frame) > self.queue or self._draw.random() < self.loss:
                    continue
                self._free = max(now, self._free) + len(frame) / self.rate
                self._count += 1
                heapq.heappush(self._flying, (self._free + self.delay, self._count, frame))

    def give(self, now: float) -> float:
        """Deliver what has arrived; returns the seconds until the next arrives."""
        while self._flying and self._flying[0][0] <= now:
            self.given += 1
            self.late += now - self._flying[0][0] > _LATE_S
            self.bytes += len(self._flying[0][2])
            with contextlib.suppress(OSError):  # the device's own queue is full, as a NIC's may be
                os.write(self.sink, heapq.heappop(self._flying)[2])
        if not self.readings or now - self.readings[-1][0] >= _READ_S:
            self.readings.append((now, self.bytes))
        return self._flying[0][0] - now if self._flying else 1.0

    def told(self) -> dict[str, Any]:
        """What it delivered since it was last asked."""
        found = {"given": self.given, "late": self.late, "readings": self.readings}
        self.given, self.late, self.readings = 0, 0, []
        return found


def tap(space: str, name: str) -> int:
    """A TAP device in a namespace; its file descriptor."""
    libc = ctypes.CDLL(None, use_errno=True)
    with open("/proc/self/ns/net") as home, open(f"/run/netns/{space}") as there:
        if libc.setns(there.fileno(), _NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
        try:
            device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            fcntl.ioctl(device, _TUNSETIFF, struct.pack("16sH", name.encode(), _TAP_WITHOUT_INFO))
        finally:
            libc.setns(home.fileno(), _NEWNET)
    return device


def main() -> None:
    """Pass frames on; each line of the input is the new settings, as `FarLab.shape` writes them."""
    a, b = (tap(space, "far0") for space in sys.argv[1:3])
    ways = Way(a, b), Way(b, a)

    def follow() -> None:
        for line in sys.stdin:
            found = [way.told() for way in ways]
            for way in ways:
                vars(way).update(json.loads(line))
            print(json.dumps(found), flush=True)
        os._exit(0)

    threading.Thread(target=follow, daemon=True).start()
    print("up", flush=True)
    wait = 0.0
    while True:
        readable, _, _ = select.select([a, b], [], [], min(wait, 0.05))
        now = time.monotonic()
        for way in ways:
            if way.source in readable:
                way.take(now)
        wait = min(way.give(time.monotonic()) for way in ways)
        wait = max(0.0, wait)


class Brought(NamedTuple):
    """What a line brought: the share of frames that a busy machine brought late (above some per
    cent the line was not the one that was asked for), and each way's (s, bytes).
    """

    late: float
    down: list[Sample]
    up: list[Sample]


def carried(readings: list[Sample], *, far: bool, down: bool) -> float | None:
    """The rate in Mbit/s that a way carried, once it was steady; None of a way without any.

    Down, what a burst at first brought is not the line's rate.

    Where a PC counts what it received, and a server what it was told, this counts each frame that
    was delivered. Both ends of the readings are the acknowledgements of the other way.
    """
    if not readings:
        return None
    start, whole = readings[0][1], readings[-1][1] - readings[0][1]
    part = [one for one in readings if 0.1 * whole <= one[1] - start <= 0.9 * whole]
    counter = after_burst(aligned(part)) if down else aligned(part)
    found = steady_of(later_half(counter) if far else counter)
    return found.mbps if found else None


class FarLab(Lab):
    """PC and server, with the program between them."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        spaces = [name + part for part in (PC, SERVER)]
        self._program = subprocess.Popen(
            [sys.executable, __file__, *spaces], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
            text=True,
        )  # fmt: skip
        assert self._program.stdout is not None
        if self._program.stdout.readline() != "up\n":
            raise NoLabError("no TAP devices here")
        for part, address in ((PC, PC_ADDRESS), (SERVER, SERVER_ADDRESS)):
            run("ip", "-n", name + part, "addr", "add", f"{address}/16", "dev", "far0")
            run("ip", "-n", name + part, "link", "set", "far0", "up", "txqueuelen", "10000")
        self.congestion("cubic")  # as most servers and every Windows send

    def far(
        self, mbps: float, *, rtt_ms: float = 0, loss: float = 0, queue_ms: float = 100
    ) -> None:
        """Set both ways: rate, half the round trip, share of lost frames, queue in ms of it."""
        rate = mbps * 1e6 / 8
        settings = {
            "rate": rate, "queue": max(8000, rate * queue_ms / 1000), "delay": rtt_ms / 2000,
            "loss": loss,
        }  # fmt: skip
        self._ask(settings)

    def brought(self) -> Brought:
        """What it brought since it was last set or asked."""
        up, down = self._ask({})
        late, given = up["late"] + down["late"], up["given"] + down["given"]
        return Brought(late / max(1, given), down["readings"], up["readings"])

    def _ask(self, settings: dict[str, float]) -> list[dict[str, Any]]:
        assert self._program.stdin is not None
        assert self._program.stdout is not None
        self._program.stdin.write(json.dumps(settings) + "\n")
        self._program.stdin.flush()
        found: list[dict[str, Any]] = json.loads(self._program.stdout.readline())
        return found

    def close(self) -> None:
        """End the program, and its devices with it."""
        self._program.kill()
        self._program.communicate()


def waited_s() -> float:
    """For how long some process has waited for a processor so far; 0 where the kernel is silent.

    Of a line that is made and measured on a machine with nothing else to do, 5% of the time.
    """
    try:
        said = Path("/proc/pressure/cpu").read_text("ascii")
    except OSError:
        return 0.0
    return int(said.splitlines()[0].rpartition("total=")[2]) / 1e6


@contextlib.contextmanager
def far_lab() -> Iterator[FarLab]:
    """Two namespaces and the line between them, gone at the end.

    Raises:
        NoLabError: not root, no ip, no TAP devices.
    """
    if os.geteuid() != 0 or not os.path.exists("/dev/net/tun"):
        raise NoLabError("TAP devices need root and /dev/net/tun")
    name = f"sp{secrets.token_hex(3)}"
    made = None
    try:
        for part in (PC, SERVER):
            make_space(name + part)
        made = FarLab(name)
        yield made
    finally:
        if made is not None:
            made.close()
        for part in (PC, SERVER):
            subprocess.run(["ip", "netns", "del", name + part], capture_output=True)


if __name__ == "__main__":
    main()
