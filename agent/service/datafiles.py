"""What the agent leaves in its data folder: all that `uninstall --purge` takes away.

By name, because the folder may be one that others use too.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

LOG, OLD_LOG, INSTALL_LOG = "agent.log", "agent.old.log", "install.log"
#: The outbox with its journal, reserve and damaged forerunners; the rest by their writers.
_STATE = ("outbox.db", "outbox.db-*", "outbox.db.*", "status.json", "status.json.*")
_LOGS = (LOG, OLD_LOG, INSTALL_LOG)


def state(folder: Path) -> Iterator[Path]:
    """What makes this agent that of this PC: its outbox, its status, its logs."""
    for pattern in (*_STATE, *_LOGS):
        yield from sorted(folder.glob(pattern))


def erase(folder: Path) -> int:
    """Delete the state; how many files that were.

    Raises:
        OSError: one cannot be deleted, it names the file.
    """
    files = list(state(folder))
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def purge(folder: Path, *others: Path) -> None:
    """Delete the state, the lock and `others`, and the folders that are empty then.

    Raises:
        OSError: one cannot be deleted, it names the file.
    """
    erase(folder)
    for file in (folder / "agent.lock", *others):
        file.unlink(missing_ok=True)
    for parent in (folder, *(file.parent for file in others)):
        _remove_if_empty(parent)


def _remove_if_empty(folder: Path) -> None:
    """An empty folder that must stay, such as a mount point, does no harm."""
    with contextlib.suppress(OSError):
        folder.resolve().rmdir()  # systemd's state folder is a link to the real one
        folder.unlink(missing_ok=True)
