"""The measurement server as a process on a clock that a test sets, for a day that passes at once.

python fast_lineserver.py PORT BROKER_PORT FOLDER CLOCK: the time is what the file CLOCK holds.
"""

from __future__ import annotations

import mmap
import signal
import sys
from pathlib import Path

from agent.common.settings import Broker
from collector.lineserver.book import TurnBook
from collector.lineserver.ledger import Ledger
from collector.lineserver.publish import Publisher
from collector.lineserver.server import LineServer


class Clock:
    """Seconds since 1970 UTC in a file, the same for every process that has it open."""

    def __init__(self, path: Path) -> None:
        path.touch()
        with path.open("r+b") as file:
            file.truncate(8)
            self._held = memoryview(mmap.mmap(file.fileno(), 8)).cast("d")

    def __call__(self) -> float:
        return float(self._held[0])

    def set(self, now: float) -> None:
        """From now on it is `now`."""
        self._held[0] = now


def main(port: str, broker: str, folder: str, clock: str) -> None:
    """Serve until killed."""
    publisher = Publisher(Broker(port=int(broker)), Path(folder))
    book = TurnBook(Path(folder) / "turns.db")
    ledger = Ledger(publisher.publish, book, clock=Clock(Path(clock)))
    server = LineServer("127.0.0.1", int(port), publisher.publish, ledger)
    publisher.start()
    server.start()
    print("ready", flush=True)
    signal.pause()


if __name__ == "__main__":
    main(*sys.argv[1:])
