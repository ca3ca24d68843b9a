"""Files that are replaced whole: a crash leaves the old one or the new one, never a part."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from agent.common import ownership


def replace(
    path: Path,
    data: bytes,
    *,
    durable: bool = True,
    mode: int | None = 0o644,
    given: bool = True,
) -> None:
    """Put `data` at `path`, readable by everybody; `durable`: it is on the disk on return.

    Where `mode` is None, the umask of the process decides who may read it. `given`: what root
    writes belongs to whoever owns the folder (`ownership`); else to root. One thread of a process
    at a time may replace the same file; several processes may.

    Raises:
        OSError: the old file is as it was.
    """
    with ownership.held(path.parent) as folder:
        _replace(folder / path.name, data, durable=durable, mode=mode, given=given)


def _replace(path: Path, data: bytes, *, durable: bool, mode: int | None, given: bool) -> None:
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    try:
        # Left by a killed process with our number, or by somebody else: never written through,
        # as it may be a link, and root writes into folders that others may write too.
        partial.unlink(missing_ok=True)
        with open(partial, "xb", opener=_private if mode is not None else None) as file:
            if given:
                ownership.hand_over(file.fileno(), path.parent)
            file.write(data)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if mode is not None:
            partial.chmod(mode)
        partial.replace(path)
    except BaseException:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)
        raise
    if durable:
        _flush_names(path.parent)


def _private(path: str, flags: int) -> int:
    """Nobody else may open it before it has the mode that it is to have."""
    return os.open(path, flags, 0o600)


def _flush_names(folder: Path) -> None:
    """The new name too must survive a power cut; Windows writes it through by itself."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
