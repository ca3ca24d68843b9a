"""The running agent's status file, for the command `status` and for the next start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from agent.common import decoding, log
from agent.common.files import replace
from agent.common.vocabulary.thresholds import THRESHOLD_MBPS

FILE = "status.json"


class Status(msgspec.Struct, frozen=True, omit_defaults=True):
    """Times are ms since 1970 UTC; `written` by the PC's own clock, the others corrected."""

    pid: int
    written: int
    school: str
    machine: str
    boot: str
    started: int
    weak_id: bool = False
    link: str = ""
    mqtt: str = ""
    error: str = ""
    room: str = ""
    line: str = ""
    report_s: int = 300
    last_receipt: int | None = None
    offset_ms: int | None = None
    next_test: int | None = None
    next_kind: str = ""
    threshold_mbps: float = THRESHOLD_MBPS  # of the policy, for `line`
    server: str = ""  # the measurement server of this PC's line, by policy or settings, for `line`
    exclude_sources: tuple[str, ...] = ()  # of the policy, for the id at the next start


def write(folder: Path, status: Status) -> None:
    """Replace the status file; if that fails, as on a full disk, the old one stays.

    Not flushed to the disk: it is written again within minutes. The umask decides who may read
    it, as it does for the outbox beside it.
    """
    data = msgspec.json.encode(status) + b"\n"
    try:
        replace(folder / FILE, data, durable=False, mode=None)
    except OSError as error:
        log.debug("status_not_written", reason=error)


def read(folder: Path) -> Status | None:
    """The last status; None where no agent has run, or the file cannot be decoded.

    Raises:
        PermissionError: this user may not read it.
    """
    try:
        return decoding.decode((folder / FILE).read_bytes(), Status)
    except (FileNotFoundError, NotADirectoryError, msgspec.DecodeError, UnicodeDecodeError):
        return None
