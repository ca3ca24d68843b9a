"""A cheap crowd for benches: raw MQTT 3.1.1 over few sockets, so that the load costs little.

Each PC keeps to the agent's rules that matter here: at most sixteen reports under way, and none
forgotten before its receipt. Run as a process of its own; prints its findings as JSON.
"""

from __future__ import annotations

import argparse
import json
import selectors
import socket
import struct
import sys
import time
from collections import deque
from collections.abc import Iterator

import msgspec

from agent import wire

WINDOW = 16
#: A PC's reports are so far apart, and the first so long ago: 600 of each are of the past, and the
#: keeper, which reads from the oldest new one on, need not read each again in its next run.
_STEP_MS, _AGO_S = 15_000, 9000
_START_MS = (int(time.time()) - _AGO_S) // 60 * 60_000


class _Receipt(msgspec.Struct):
    stored: list[tuple[str, int, int]] = []


_receipt = msgspec.json.Decoder(_Receipt)


class Pc:
    """One PC: its number, what it has sent and what was receipted."""

    __slots__ = ("boot", "flying", "next", "topic")

    def __init__(self, school: str, n: int) -> None:
        self.boot = f"{n:016x}"
        self.topic = f"schoolpulse/v1/{school}/{n:032x}/report/{self.boot}/"
        self.next = 2
        self.flying: dict[int, float] = {}


def payload(whole: bool = False) -> tuple[bytes, bytes]:
    """A report before and after its time in ms: some 280 bytes, the two readings that all have.

    `whole`: 1.2 kB, as a classroom's PC sends it each five minutes: its disk, interfaces and
    probes too, and four devices.
    """
    memory = {"memory_total": 8_000_000_000, "memory_used": 4_000_000_000}
    host = wire.Host(cpu_percent=12.5, uptime_s=123.4, os="Linux 6.1", **memory)
    health = wire.AgentHealth(version="0.1.0", rss_bytes=25_000_000, cpu_s=1.5, uptime_s=1.5)
    readings: list[wire.Reading] = [host, health]
    if whole:
        readings = [_with_nics(host), _with_probes(health), *_devices()]
    text = wire.encode(wire.Report(v=1, time=_START_MS, readings=tuple(readings), offset_ms=12))
    before, _, after = text.partition(str(_START_MS).encode())
    return before, after


def _with_nics(host: wire.Host) -> wire.Host:
    wired = wire.Nic("以太网", True, "wired", 1000.0, 5_496_375, 1_443_879_726)
    nics = wired, wire.Nic("WLAN", False, "wifi", None, 0, 0), wire.Nic("lo", True, "loopback")
    disk = {"disk_total": 256_000_000_000, "disk_used": 120_000_000_000}
    return msgspec.structs.replace(host, nics=nics, **disk)


def _with_probes(health: wire.AgentHealth) -> wire.AgentHealth:
    probes = "host", "displays", "sound", "cameras", "touch", "printers"
    return msgspec.structs.replace(health, probes=probes, room="6-1", outbox_rows=1)


def _devices() -> list[wire.Device]:
    projector = {"maker": "EPSON", "model": "EPSON PJ", "serial": "X4J123", "connection": "HDMI"}
    display = {"maker": "DEL", "model": "P2419H", "width_cm": 53, "height_cm": 30}
    return [
        wire.Device("projector", "HDMI-1", power="on", **projector),
        wire.Device("monitor", "DP-1", power="on", connection="DisplayPort", **display),
        wire.Device("sound", "card0", name="HDA Intel PCH", connection="internal"),
        wire.Device("camera", "usb1", name="HD Webcam", connection="USB"),
    ]


def _string(text: str) -> bytes:
    raw = text.encode()
    return struct.pack(">H", len(raw)) + raw


def _packet(kind: int, body: bytes) -> bytes:
    length, size = len(body), bytearray()
    while True:
        length, low = divmod(length, 128)
        size.append(low | (0x80 if length else 0))
        if not length:
            return bytes([kind]) + bytes(size) + body


class Crowd:
    """The PCs of one school over one socket.

    `receipts` false: a report is done once the broker acknowledges it, for a consumer that
    sends no receipts.
    """

    def __init__(
        self, port: int, school: str, pcs: list[Pc], receipts: bool = True, whole: bool = False
    ) -> None:
        self.pcs = {pc.boot: pc for pc in pcs}
        self._unacknowledged: dict[int, tuple[Pc, int]] | None = None if receipts else {}
        self.free = deque(pcs)  # whose window is half empty
        self.latencies: list[float] = []
        self._before, self._after = payload(whole)
        self._mid = 0
        self._out: deque[bytes] = deque()
        self._in = b""
        self.socket = socket.create_connection(("127.0.0.1", port))
        hello = _string("MQTT") + bytes([4, 2]) + struct.pack(">H", 600) + _string(f"load-{school}")
        self.socket.sendall(_packet(0x10, hello))
        asked = b"\0\1" + _string(f"schoolpulse/v1/{school}/+/receipt") + b"\1"
        self.socket.sendall(_packet(0x82, asked))
        got = b""
        while len(got) < 9:  # CONNACK, SUBACK
            got += self.socket.recv(9 - len(got))
        self.socket.setblocking(False)

    def say(self, pc: Pc) -> None:
        """The PC's next report."""
        number, pc.next = pc.next, pc.next + 1
        self._mid = self._mid % 65535 + 1
        time_ms = str(_START_MS + number * _STEP_MS).encode()
        body = b"".join(
            (_string(f"{pc.topic}{number}"), struct.pack(">H", self._mid),
             self._before, time_ms, self._after)
        )  # fmt: skip
        pc.flying[number] = time.perf_counter()
        if self._unacknowledged is not None:
            self._unacknowledged[self._mid] = pc, number
        self._out.append(_packet(0x32, body))

    def write(self) -> None:
        """As much as the socket takes."""
        while self._out:
            chunk = b"".join(self._out)
            self._out.clear()
            try:
                sent = self.socket.send(chunk)
            except BlockingIOError:
                sent = 0
            if sent < len(chunk):
                self._out.append(chunk[sent:])
                return

    def read(self) -> int:
        """Take what has come; how many reports were receipted."""
        data = self.socket.recv(1 << 18)
        if not data:
            raise SystemExit("the broker closed a connection")
        receipted = 0
        for kind, body in self._packets(data):
            if kind >> 4 == 3:
                receipted += self._hear(body)
            elif kind >> 4 == 4 and self._unacknowledged is not None:
                pc, number = self._unacknowledged.pop(struct.unpack(">H", body)[0])
                receipted += self._done(pc, number)
        return receipted

    def _done(self, pc: Pc, number: int) -> int:
        left = pc.flying.pop(number, None)
        if left is None:
            return 0
        if len(pc.flying) == WINDOW // 2:
            self.free.append(pc)
        self.latencies.append(time.perf_counter() - left)
        return 1

    def _packets(self, data: bytes) -> Iterator[tuple[int, bytes]]:
        buffer, at = self._in + data, 0
        while len(buffer) - at >= 2:
            length, shift, head = 0, 0, at + 1
            while head < len(buffer):
                length |= (buffer[head] & 127) << shift
                shift += 7
                head += 1
                if buffer[head - 1] < 128:
                    break
            else:
                break
            if head + length > len(buffer):
                break
            yield buffer[at], buffer[head : head + length]
            at = head + length
        self._in = buffer[at:]

    def _hear(self, body: bytes) -> int:
        topic = struct.unpack_from(">H", body)[0]
        self._out.append(b"\x40\x02" + body[2 + topic : 4 + topic])
        stored = _receipt.decode(body[4 + topic :]).stored
        return sum(
            self._done(self.pcs[boot], number)
            for boot, first, last in stored
            for number in range(first, last + 1)
        )


def run(crowds: list[Crowd], total: int, rate: float) -> dict[str, float]:
    """Send `total` reports: as fast as the windows allow, or `rate` a second."""
    waiting = selectors.DefaultSelector()
    for crowd in crowds:
        waiting.register(crowd.socket, selectors.EVENT_READ, crowd)
    order = deque((crowd, pc) for crowd in crowds for pc in crowd.pcs.values())
    begun, sent, receipted = time.perf_counter(), 0, 0
    while receipted < total:
        if rate:
            due = int((time.perf_counter() - begun) * rate)
            sent += _one_each(order, min(total, due) - sent)
        else:
            for crowd in crowds:
                sent += _fill(crowd, total - sent)
        for crowd in crowds:
            crowd.write()
        for key, _ in waiting.select(0.002 if rate else 0.05):
            receipted += key.data.read()
        if time.perf_counter() - begun > 600:
            raise SystemExit(f"{total - receipted} of {total} reports without a receipt")
    seconds = time.perf_counter() - begun
    late = sorted(x for crowd in crowds for x in crowd.latencies)
    p50, p99 = (late[int(len(late) * q)] for q in (0.5, 0.99))
    return {"seconds": seconds, "sent": sent, "p50": p50, "p99": p99, "most": late[-1]}


def _one_each(order: deque[tuple[Crowd, Pc]], due: int) -> int:
    """The next report of so many PCs."""
    for _ in range(due):
        crowd, pc = order[0]
        order.rotate(-1)
        crowd.say(pc)
    return max(due, 0)


def _fill(crowd: Crowd, left: int) -> int:
    """Fill the windows that have room; how many reports it took, at most `left`."""
    made = 0
    while crowd.free and made < left:
        pc = crowd.free.popleft()
        for _ in range(min(WINDOW - len(pc.flying), left - made)):
            crowd.say(pc)
            made += 1
    return made


def _pcs(school: str, first: int, count: int) -> list[Pc]:
    return [Pc(school, first + n) for n in range(count)]


def main() -> None:
    """Send and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--port", type=int, required=True)
    add("--schools", nargs="+", required=True)
    add("--pcs", type=int, default=400, help="in all")
    add("--total", type=int, default=100_000)
    add("--rate", type=float, default=0.0, help="reports a second; 0: as fast as receipts allow")
    add("--first", type=int, default=1, help="number of the first PC")
    add("--whole", action="store_true", help="reports with everything that a PC has")
    add("--no-receipts", dest="receipts", action="store_false")
    args = parser.parse_args()
    each = args.pcs // len(args.schools)
    crowds = [
        Crowd(
            args.port, school, _pcs(school, args.first + at * each, each), args.receipts, args.whole
        )
        for at, school in enumerate(args.schools)
    ]
    json.dump(run(crowds, args.total, args.rate), sys.stdout)


if __name__ == "__main__":
    main()
