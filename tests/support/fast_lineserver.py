"""The measurement server as a process on a fast clock, for a day that passes in a minute.

python fast_lineserver.py PORT BROKER_PORT FOLDER START ORIGIN SPEED: the time is START (s since
1970 UTC) where time.monotonic(), which all processes share, is ORIGIN, and goes SPEED times as
fast from there.
"""

from __future__ import annotations

import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from agent.common.settings import Broker
from collector.lineserver.book import TurnBook
from collector.lineserver.ledger import Ledger
from collector.lineserver.publish import Publisher
from collector.lineserver.server import LineServer


def fast_clock(start: float, origin: float, speed: float) -> Callable[[], float]:
    """Seconds since 1970 UTC, `speed` times as fast as they pass."""
    return lambda: start + (time.monotonic() - origin) * speed


def main(port: str, broker: str, folder: str, *clock: str) -> None:
    """Serve until killed."""
    publisher = Publisher(Broker(port=int(broker)), Path(folder))
    book = TurnBook(Path(folder) / "turns.db")
    ledger = Ledger(publisher.publish, book, clock=fast_clock(*map(float, clock)))
    server = LineServer("127.0.0.1", int(port), publisher.publish, ledger)
    publisher.start()
    server.start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
