"""What the collector keeps on disk beside the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.config import Config
from collector.roster.register import Register
from collector.service.pipeline.held_book import FILE as HELD_FILE
from collector.service.pipeline.held_book import HeldBook
from collector.service.pipeline.known_machines import FILE as MACHINES_FILE
from collector.service.pipeline.known_machines import KnownMachines
from collector.service.pipeline.pending_days import FILE as DAYS_FILE
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import FILE as QUARANTINE_FILE
from collector.service.pipeline.quarantine import Quarantine
from collector.service.pipeline.resend_request import ResendRequest


class Files:
    """Days to be derived, the quarantine, what is held, and the request to send evidence again."""

    def __init__(self, config: Config) -> None:
        """Open or make the files.

        Raises:
            OSError, sqlite3.Error: one cannot be opened or written.
            NewerFileError: a later version made it.
        """
        with _named(config.folder / DAYS_FILE) as path:
            self.pending_days = PendingDays(path)
        self.resend_request = ResendRequest(config.folder)
        with _named(config.folder / QUARANTINE_FILE) as path:
            self.quarantine = Quarantine(path, config.quarantine_bytes)
        with _named(config.folder / HELD_FILE) as path:
            self.held = HeldBook(path)

    def machines(self, config: Config, register: Callable[[], Register]) -> KnownMachines:
        """The PCs that have a place; raises as the others. The caller's to close."""
        with _named(config.folder / MACHINES_FILE) as path:
            return KnownMachines(path, register)

    def close(self) -> None:
        """Close them; the threads that use them have ended."""
        self.held.close()
        self.quarantine.close()
        self.pending_days.close()


@contextmanager
def _named(path: Path) -> Iterator[Path]:
    """SQLite does not say which file it cannot use."""
    try:
        yield path
    except sqlite3.Error as error:
        raise sqlite3.DatabaseError(f"{path}: {error}") from error
