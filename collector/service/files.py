"""What the collector keeps on disk beside the store."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from collector.config import Config
from collector.service.pipeline.pending_days import FILE as DAYS_FILE
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import FILE as QUARANTINE_FILE
from collector.service.pipeline.quarantine import Quarantine
from collector.service.pipeline.resend_request import ResendRequest


class Files:
    """Days to be derived, the quarantine, and the request to send evidence again."""

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

    def close(self) -> None:
        """Close them; the threads that use them have ended."""
        self.quarantine.close()
        self.pending_days.close()


@contextmanager
def _named(path: Path) -> Iterator[Path]:
    """SQLite does not say which file it cannot use."""
    try:
        yield path
    except sqlite3.Error as error:
        raise sqlite3.DatabaseError(f"{path}: {error}") from error
