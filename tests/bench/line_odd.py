"""Lines with something beside the test, or with a burst bucket, as `make bench-line-odd` prints.

A result may be right, or be flagged; never valid and wrong. Exit code 1 where one is. The
laboratory's interfaces are virtual, which every result says; that flag is not counted here.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table

import shaped
from shaped import PC, PC_ADDRESS, ROUTER, SERVER, Lab

RUNS = 3
WORST = 0.03
#: UDP at so many Mbit/s to the PC: address, port, rate.
_UDP = """
import socket, sys, time
sock, rate = socket.socket(socket.AF_INET, socket.SOCK_DGRAM), float(sys.argv[2])
data, start, sent = bytes(1472), time.perf_counter(), 0
while True:
    while sent * 1514 * 8 < (time.perf_counter() - start) * rate * 1e6:
        sock.sendto(data, (sys.argv[1], 9))
        sent += 1
    time.sleep(0.005)
"""
#: Multicast frames on the school's LAN, past the shaping: interface, rate.
_MULTICAST = """
import socket, sys, time
sock, rate = socket.socket(socket.AF_PACKET, socket.SOCK_RAW), float(sys.argv[2])
sock.setsockopt(263, 20, 1)  # SOL_PACKET, PACKET_QDISC_BYPASS
sock.bind((sys.argv[1], 0))
frame = bytes.fromhex("01005e010203" "020000000001" "88b5") + bytes(1500)
start, sent = time.perf_counter(), 0
while True:
    while sent * 1514 * 8 < (time.perf_counter() - start) * rate * 1e6:
        sock.send(frame)
        sent += 1
    time.sleep(0.005)
"""


class Case(NamedTuple):
    """What is beside the test, the line's true rate, and whether the test is the weekly one."""

    name: str
    rate: float
    beside: Callable[[Lab], AbstractContextManager[Any]] = lambda lab: contextlib.nullcontext()
    bucket: int = 0
    long: bool = False


def _cross(lab: Lab) -> AbstractContextManager[Any]:
    return lab.running(SERVER, sys.executable, "-c", _UDP, PC_ADDRESS, "3")


def _multicast(mbps: str) -> Callable[[Lab], AbstractContextManager[Any]]:
    def run(lab: Lab) -> AbstractContextManager[Any]:
        return lab.running(ROUTER, sys.executable, "-c", _MULTICAST, lab.link(PC), mbps)

    return run


CASES = (
    Case("nothing beside", 10),
    Case("30% from the same PC", 10, _cross),
    Case("LAN multicast, 20 Mbit/s", 10, _multicast("20")),
    Case("LAN multicast, 0.4 Mbit/s", 10, _multicast("0.4")),
    Case("burst bucket 2 MB, weekly test", 5, bucket=2_000_000, long=True),
    Case("burst bucket 2 MB, short test", 5, bucket=2_000_000),
)


def main() -> int:
    """Run all cases; 1 where a result was valid and wrong, 2 where this machine cannot."""
    table = Table(title="down, Mbit/s")
    for title in ("case", "true", "measured", "interval", "other", "long", "burst", "said", ""):
        table.add_column(title)
    wrong = 0
    try:
        for case, test in _tests():
            bad = _wrong(case, test)
            wrong += bad
            table.add_row(*_row(case, test), "WRONG" if bad else "")
    except shaped.NoLabError as error:
        print(error)
        return 2
    Console(width=160).print(table)
    return 1 if wrong else 0


def _tests() -> Iterator[tuple[Case, dict[str, Any]]]:
    with shaped.lab() as lab, lab.measurement_server() as url:
        lab.congestion("cubic")
        for case in CASES:
            for run in range(RUNS):
                lab.shape(case.rate, bucket=case.bucket)  # the bucket is full again
                wish = {"line": f"{case.name}{run}", "window": "q0" if case.long else ""}
                with case.beside(lab):
                    test = shaped.measured(lab, url, **wish)
                yield case, test


def _said(test: dict[str, Any]) -> str:
    reasons = [part for part in test.get("reason", "").split(", ") if part != "virtual"]
    return ", ".join(reasons) or test["outcome"]


def _wrong(case: Case, test: dict[str, Any]) -> bool:
    """Valid, and further from the truth than a single run may be.

    The short test of a burst bucket knows nothing of it: the weekly one is held against it.
    """
    if _said(test) != "ok" or (case.bucket and not case.long):
        return False
    return abs(test["down_mbps"] / case.rate - 1) > WORST


def _row(case: Case, test: dict[str, Any]) -> Iterator[str]:
    yield from (case.name, f"{case.rate:g}")
    rates = [test.get(name) for name in ("down_mbps", "down_low", "down_high")]
    down, low, high = ("—" if rate is None else f"{rate:.3f}" for rate in rates)
    yield from (down, f"{low}–{high}", f"{test.get('other_share', 0):.1%}")
    yield from (str(test.get(name, False)) for name in ("long", "burst"))
    yield _said(test)


if __name__ == "__main__":
    sys.exit(main())
