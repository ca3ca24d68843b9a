"""How much the measurement server carries over loopback, as `make bench-lineserver` prints.

The server is a process of its own with one test on it; the client is another, with eight
connections, that reads into one buffer or sends from one. Both share this machine's cores, so
the server alone carries more.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.table import Table

import shaped

Carry = Callable[[int, str, list[int], int, float], None]
STREAMS, SECONDS, RUNS = 8, 4.0, 3
GOAL_GBIT = 2.0
_BLOCK = 1 << 20
_LENGTH = 900_000_000


def main() -> int:
    """Measure both ways; 1 where the goal is missed."""
    server = subprocess.Popen(
        [sys.executable, "-c", shaped.SERVE, "127.0.0.1"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert server.stdout is not None
    port = int(server.stdout.readline())
    try:
        down = [_rate(port, _receive, f"down{n}") for n in range(RUNS)]
        up = [_rate(port, _send, f"up{n}") for n in range(RUNS)]
        held = _metric(port, "sent_bytes_total"), _metric(port, "received_bytes_total")
    finally:
        server.communicate("\n", timeout=20)
    table = Table(title=f"{STREAMS} connections over loopback, {SECONDS:g} s")
    for title in ("way", "Gbit/s", "goal", "/metrics says, GB"):
        table.add_column(title, justify="right")
    rates = {"down": statistics.median(down), "up": statistics.median(up)}
    for (way, rate), count in zip(rates.items(), held, strict=True):
        table.add_row(way, f"{rate:.2f}", f"≥ {GOAL_GBIT:g}", f"{count / 1e9:.2f}")
    Console(width=120).print(table)
    return 0 if min(rates.values()) >= GOAL_GBIT else 1


def _rate(port: int, carry: Carry, line: str) -> float:
    """Gbit/s of payload over all connections."""
    turn = _ask(port, line)
    counts = [0] * STREAMS
    end = time.perf_counter() + SECONDS
    threads = [
        threading.Thread(target=carry, args=(port, turn["path"], counts, n, end))
        for n in range(STREAMS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = sum(counts) * 8 / (time.perf_counter() - started) / 1e9
    _post(port, f"/v1/tests/{turn['id']}/done", {})
    return rate


def _receive(port: int, path: str, counts: list[int], n: int, end: float) -> None:
    buffer = bytearray(_BLOCK)
    head = f"GET {path}/speedtest/random9000x9000.jpg HTTP/1.1\r\nConnection: close\r\n\r\n"
    while time.perf_counter() < end:
        with socket.create_connection(("127.0.0.1", port), 10) as line:
            line.sendall(head.encode())
            while time.perf_counter() < end and (count := line.recv_into(buffer)):
                counts[n] += count


def _send(port: int, path: str, counts: list[int], n: int, end: float) -> None:
    block = bytes(_BLOCK)
    with socket.create_connection(("127.0.0.1", port), 10) as line:
        head = f"POST {path}/speedtest/upload.php HTTP/1.1\r\nContent-Length: {_LENGTH}\r\n\r\n"
        line.sendall(head.encode())
        while time.perf_counter() < end and counts[n] < _LENGTH - _BLOCK:
            line.sendall(block)
            counts[n] += _BLOCK


def _ask(port: int, line: str) -> dict[str, str]:
    wish = {"school": "9963010001", "machine": "ab" * 16, "line": line, "max_seconds": 60}
    found: dict[str, str] = _post(port, "/v1/tests", wish)
    return found


def _post(port: int, path: str, body: object) -> Any:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("POST", path, json.dumps(body))
    reply = json.loads(connection.getresponse().read())
    connection.close()
    return reply


def _metric(port: int, name: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    found = re.search(rf"^schoolpulse_lineserver_{name} (\d+)$", text, re.M)
    assert found is not None, text
    return float(found[1])


if __name__ == "__main__":
    sys.exit(main())
