"""What attacks on the measurement server cost others, as `make bench-line-attack` prints.

The server is a process of its own. First on loopback: how long a school's request for a turn
takes, alone, beside idle connections, beside requests for nonces without end, beside a key that is
used without end, and 40 schools at once. Then, as root on Linux, in network namespaces: what a
line of 10 Mbit/s reads while another school's key loads the server at full speed.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import shaped
from agent.probes.line.turn import EndedError, LaterError, Server
from collector.lineserver import keys

SCHOOL, ATTACKER = "9963010001", "9963020001"
RATE, RUNS, ASKS = 10.0, 3, 10
#: The server, with keys and no end of tests by hand; its lines are known.
SERVE = """
import sys
from pathlib import Path
from collector.lineserver.keys import Keys
from collector.lineserver.ledger import Ledger
from collector.lineserver.server import LineServer
from collector.lineserver.turns import Limits
ledger = Ledger(lambda record: None, limits=lambda wish: Limits(by_hand=1_000_000))
server = LineServer(sys.argv[1], 0, lambda record: None, ledger, Keys(Path(sys.argv[2])))
server.start()
print(server.port, flush=True)
input()
server.stop()
"""
#: Eight connections ask and load as fast as they can, with the key in standard input.
ATTACK = """
import sys, threading, time
from agent.probes.line.turn import EndedError, LaterError, Server
import http.client
url, school, seconds = sys.argv[1], sys.argv[2], float(sys.argv[3])
key = sys.stdin.readline().strip()
end = time.monotonic() + seconds
granted = []
def attack(n):
    while time.monotonic() < end:
        try:
            wish = {"school": school, "machine": "cd" * 16, "line": f"L{n % 4}", "max_seconds": 60}
            turn = Server(url, 10).ask(wish, key)
        except (EndedError, LaterError):
            continue
        granted.append(1)
        load(turn["path"])
def load(path):
    host = url.removeprefix("http://")
    while time.monotonic() < end:
        line = http.client.HTTPConnection(host, timeout=10)
        try:
            line.request("GET", path + "/speedtest/random9000x9000.jpg")
            reply = line.getresponse()
            if reply.status != 200:
                return
            while time.monotonic() < end and reply.read(1 << 20):
                pass
        except (OSError, http.client.HTTPException):
            return
        finally:
            line.close()
threads = [threading.Thread(target=attack, args=(n,), daemon=True) for n in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join(max(0.1, end + 5 - time.monotonic()))
print(len(granted))
"""


def main() -> int:
    """Print both tables; the second is left out where there are no namespaces."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--idle", default="1000,5000", help="idle connections, by comma")
    args = parser.parse_args()
    table = Table(title="a turn asked for on loopback (nonce and signed request)")
    for title in ("beside", "granted", "median, ms", "worst, ms"):
        table.add_column(title, justify="right")
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        for school in (SCHOOL, ATTACKER, *(f"99630300{n:02}" for n in range(40))):
            keys.make(kept, school)
        for name, beside in _besides([int(n) for n in args.idle.split(",")]):
            with _server(kept) as url, beside(url, kept):
                _row(table, name, _turns(url, kept, SCHOOL))
        with _server(kept) as url:
            _row(table, "40 schools at once", _forty(url, kept))
        Console(width=120).print(table)
        with contextlib.suppress(shaped.NoLabError):
            Console(width=120).print(_on_a_line(kept))
    return 0


Beside = Callable[[str, Path], contextlib.AbstractContextManager[None]]


def _besides(idle: list[int]) -> list[tuple[str, Beside]]:
    return [
        ("nothing", lambda url, kept: contextlib.nullcontext()),
        *((f"{n} idle connections", _Idle(n)) for n in idle),
        ("nonces without end", _nonces),
        ("a key without end", _attack),
    ]


@contextlib.contextmanager
def _server(kept: Path, host: str = "127.0.0.1") -> Iterator[str]:
    words = [sys.executable, "-c", SERVE, host, str(kept)]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    try:
        yield f"http://{host}:{server.stdout.readline().strip()}"
    finally:
        server.communicate("\n", timeout=60)


class _Idle:
    """So many silent connections, of 50 addresses."""

    def __init__(self, count: int) -> None:
        self._count = count

    @contextlib.contextmanager
    def __call__(self, url: str, _kept: Path) -> Iterator[None]:
        host, port = url.removeprefix("http://").split(":")
        with contextlib.ExitStack() as held:
            for n in range(self._count):
                one = held.enter_context(socket.socket())
                one.bind((f"127.0.1.{n % 50 + 1}", 0))
                one.settimeout(5)
                with contextlib.suppress(OSError):
                    one.connect((host, int(port)))
            yield


@contextlib.contextmanager
def _nonces(url: str, _kept: Path) -> Iterator[None]:
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            with contextlib.suppress(EndedError):
                Server(url, 10).ask(_wish(SCHOOL))

    threads = [threading.Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    yield
    over.set()
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def _attack(url: str, kept: Path, *before: str, seconds: float = 8.0) -> Iterator[None]:
    words = [*before, sys.executable, "-c", ATTACK, url, ATTACKER, str(seconds)]
    process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(_key(kept, ATTACKER) + "\n")
    process.stdin.flush()
    time.sleep(1)  # it is under way: nothing tells when
    try:
        yield
    finally:
        process.kill()
        process.wait()


def _key(kept: Path, school: str) -> str:
    return (kept / f"{school}.key").read_text().strip()


def _wish(school: str, line: str = "L0") -> dict[str, Any]:
    return {"school": school, "machine": "ab" * 16, "line": line, "max_seconds": 20}


def _turns(url: str, kept: Path, school: str) -> list[float | None]:
    """Seconds that each request took, None where it failed; each turn is ended again."""
    return [_turn(url, kept, school) for _ in range(ASKS)]


def _turn(url: str, kept: Path, school: str) -> float | None:
    started = time.perf_counter()
    server = Server(url, 10)
    try:
        turn = server.ask(_wish(school), _key(kept, school))
        took = time.perf_counter() - started
        server.done(turn["id"], True)
    except (EndedError, LaterError):
        return None
    finally:
        server.close()
    return took


def _forty(url: str, kept: Path) -> list[float | None]:
    """40 schools at once, each with a download of 2 MB."""
    found: list[float | None] = []

    def one(school: str) -> None:
        started = time.perf_counter()
        try:
            server = Server(url, 20)
            turn = server.ask(_wish(school), _key(kept, school))
            found.append(time.perf_counter() - started)
            server._request("GET", f"{turn['path']}/speedtest/random1000x1000.jpg", None)
            server.done(turn["id"], True)
        except (EndedError, LaterError):
            found.append(None)

    threads = [threading.Thread(target=one, args=(f"99630300{n:02}",)) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _row(table: Table, name: str, took: list[float | None]) -> None:
    good = [1000 * one for one in took if one is not None]
    median = f"{statistics.median(good):.1f}" if good else "-"
    worst = f"{max(good):.1f}" if good else "-"
    table.add_row(name, f"{len(good)} of {len(took)}", median, worst)


def _on_a_line(kept: Path) -> Table:
    table = Table(title=f"a line of {RATE:g} Mbit/s, the attacker beside the server")
    for title in ("beside", "down, Mbit/s", "up, Mbit/s", "outcome"):
        table.add_column(title, justify="right")
    with shaped.lab() as lab:
        lab.shape(RATE)
        for _ in range(RUNS):
            for name in ("nothing", "a key without end"):
                words = lab.inside(shaped.SERVER, sys.executable, "-c", SERVE)
                table.add_row(name, *_measured(lab, kept, words, attacked=name != "nothing"))
    return table


def _measured(lab: shaped.Lab, kept: Path, words: list[str], *, attacked: bool) -> list[str]:
    words = [*words, shaped.SERVER_ADDRESS, str(kept)]
    server = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert server.stdout is not None
    url = f"http://{shaped.SERVER_ADDRESS}:{server.stdout.readline().strip()}"
    before = lab.inside(shaped.SERVER)
    try:
        with _attack(url, kept, *before, seconds=40) if attacked else contextlib.nullcontext():
            more = json.dumps({"school": SCHOOL, "key": _key(kept, SCHOOL)})
            test = json.loads(lab.output(shaped.PC, shaped.MEASURE, url, more))
    finally:
        server.communicate("\n", timeout=60)
    rates = [f"{test[way]:.3f}" if test.get(way) else "-" for way in ("down_mbps", "up_mbps")]
    limited = " (server-limited)" if test.get("server_limited") else ""
    return [*rates, f"{test.get('outcome')} {test.get('reason', '')}{limited}".strip()]


if __name__ == "__main__":
    sys.exit(main())
