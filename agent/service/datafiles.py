"""The files that the agent creates in its data folder; `uninstall --purge` deletes them.

They are listed by name, because other programs may use the same folder.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

LOG, OLD_LOG, INSTALL_LOG = "agent.log", "agent.old.log", "install.log"
#: The outbox with its journal, reserve and damaged copies; the status with its partial files.
_STATE = ("outbox.db", "outbox.db-*", "outbox.db.*", "status.json", "status.json.*")
_LOGS = (LOG, OLD_LOG, INSTALL_LOG)
#: The school's renewed credentials, in a folder of their own; an image of the disk may keep them.
RENEWED = "renewed"
#: A new version's download and what is remembered of the manifests.
UPDATE = "update"
_RENEWALS = (f"{RENEWED}/renewal.json*", f"{RENEWED}/previous.json*")


def state(folder: Path) -> Iterator[Path]:
    """The files that belong to this PC alone: outbox, status, logs."""
    for pattern in (*_STATE, *_LOGS):
        yield from sorted(folder.glob(pattern))


def erase(folder: Path) -> int:
    """Delete these files; returns how many there were.

    Raises:
        OSError: a file cannot be deleted; the error names it.
    """
    files = list(state(folder))
    for file in files:
        file.unlink(missing_ok=True)
    return len(files)


def purge(folder: Path, *others: Path) -> None:
    """Delete state, renewed credentials, the lock and `others`, then their folders if empty.

    Raises:
        OSError: a file cannot be deleted; the error names it.
    """
    erase(folder)
    renewals = (file for pattern in _RENEWALS for file in sorted(folder.glob(pattern)))
    updates = sorted((folder / UPDATE).glob("*"))
    for file in (folder / "agent.lock", *renewals, *updates, *others):
        file.unlink(missing_ok=True)
    for parent in (folder / RENEWED, folder / UPDATE, folder, *(file.parent for file in others)):
        _remove_if_empty(parent)


def _remove_if_empty(folder: Path) -> None:
    """Errors are ignored: an empty folder that must stay, such as a mount point, does no harm."""
    with contextlib.suppress(OSError):
        folder.resolve().rmdir()  # systemd's state folder is a link to the real one
        folder.unlink(missing_ok=True)
