"""Freezes a year: one archive more in the folder, whole or not at all."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from agent.common import ownership
from agent.common.files import replace
from agent.common.language import say
from agent.common.lock import Lock
from collector.archive import changes, results, table, writing
from collector.archive.changes import Change, Left
from collector.archive.checking import Tell, check_bytes, silent
from collector.archive.container import TooLargeError, pack
from collector.archive.errors import ArchiveError
from collector.archive.inputs import Inputs
from collector.archive.opened import opened
from collector.archive.results import VERDICTS_CSV, VerdictRow
from collector.archive.summary import ENDING, FrozenYear, frozen, in_force
from collector.archive.writing import Before
from collector.compliance.model import Evidence, Figure
from collector.roster.book import Import
from collector.roster.register import Inspection

_READ_ONLY = 0o444


@dataclass(frozen=True)
class Done:
    """What was written, and what it changed."""

    path: Path
    summary: FrozenYear
    changes: list[Change]  # against the revision before
    left: list[Left]  # since the last freeze
    late: list[Inspection]  # entered after the cut-off


def freeze(
    figure: Figure,
    evidence: Evidence,
    imports: Sequence[Import],
    folder: Path,
    *,
    now: dt.datetime,
    reason: str = "",
    tell: Tell = silent,
) -> Done:
    """Write the next archive of the figure's year into `folder`, which is made where missing.

    It is read back and judged again before it gets its name; a process that is killed leaves the
    folder as it was.

    Raises:
        ArchiveError: the year is frozen and no reason is given; an archive of the folder is
            damaged; the new one would not verify.
        OSError: it cannot be written; what stood there before stands.
    """
    ownership.make_folder(folder)
    lock = Lock(folder / "freeze.lock", say("冻结", "freeze"))
    try:
        before = _before(figure, folder)
        if before.revision and not reason:
            raise ArchiveError(_is_frozen(before.revision))
        return _write(figure, evidence, imports, folder, before, now, reason, tell)
    finally:
        lock.release()


def _write(
    figure: Figure,
    evidence: Evidence,
    imports: Sequence[Import],
    folder: Path,
    before: Before,
    now: dt.datetime,
    reason: str,
    tell: Tell,
) -> Done:
    tell(say("写成文件", "members"))
    summary = writing.summary(figure, before, now, reason)
    path = folder / file_name(summary)
    data = _packed(figure, Inputs.of(figure, evidence), imports, summary, before)
    checked = check_bytes(data, path, tell=tell)
    if checked.faults or checked.summary is None:
        raise ArchiveError(_would_not_verify(checked.faults))
    _put(path, data, checked.summary.root)
    rows = results.verdicts(figure)
    return Done(
        path,
        checked.summary,
        changes.between(before.verdicts, rows) if before.revision else [],
        changes.left(before.last_verdicts, rows, before.last) if before.last else [],
        changes.late(figure.register.inspections, figure.cutoff),
    )


def _packed(
    figure: Figure,
    made_of: Inputs,
    imports: Sequence[Import],
    summary: FrozenYear,
    before: Before,
) -> bytes:
    try:
        return pack(writing.members(figure, made_of, imports, summary, before))
    except TooLargeError as error:
        text = say("超过 4 GiB，一个存档放不下", "over 4 GiB: too much for one archive")
        raise ArchiveError(text) from error


def _put(path: Path, data: bytes, root: str) -> None:
    """The hash first: the archive's name is what makes the year frozen."""
    if path.exists():  # of a city whose code differs only in what no file name may hold
        raise ArchiveError(say(f"{path} 已存在，不会覆盖", f"{path} exists and is not overwritten"))
    for partial in path.parent.glob(f"{path.stem}{ENDING}*.[0-9]*"):  # of a killed process
        partial.unlink(missing_ok=True)
    beside = hash_file(path)
    try:
        replace(beside, f"{root}  MANIFEST.sha256\n".encode(), mode=_READ_ONLY)
        replace(path, data, mode=_READ_ONLY)
    except OSError:
        with suppress(OSError):
            beside.unlink(missing_ok=True)
        raise


def hash_file(path: Path) -> Path:
    """The file beside an archive that holds its root hash."""
    return path.parent / f"{path.name}.sha256"


def file_name(row: FrozenYear) -> str:
    """What an archive is called."""
    city = re.sub(r"[^0-9A-Za-z_-]", "_", row.city) or "city"
    mark = "-simulated" if row.simulated else ""
    return f"schoolpulse-{city}-{row.year}-r{row.revision}{mark}{ENDING}"


def _before(figure: Figure, folder: Path) -> Before:
    """What the folder holds of the same city: this year's last revision, and the last freeze."""
    city = figure.areas[0].code
    known = [row for row in frozen(folder) if row.city == city]
    found = in_force(known, simulated=figure.simulated)
    own = found.get(figure.year)
    earlier = [year for year in found if year <= figure.year]
    last = found[max(earlier)] if earlier else None
    return Before(own, _verdicts(folder, own), last, _verdicts(folder, last))


def _verdicts(folder: Path, row: FrozenYear | None) -> list[VerdictRow]:
    return [] if row is None else verdicts_of(folder / row.file)


def verdicts_of(path: Path) -> list[VerdictRow]:
    """The verdicts of an archive.

    Raises:
        ArchiveError: the file cannot be read, or is damaged.
    """
    with opened(path) as archive:
        return table.read(VerdictRow, archive.checked(VERDICTS_CSV))


def _is_frozen(row: FrozenYear) -> str:
    return say(
        f"{row.year} 年已冻结（第 {row.revision} 版，{row.file}）；更正请用 --reason 写明原因，"
        "另成新的一版",
        f"{row.year} is frozen (revision {row.revision}, {row.file}); for a correction give "
        "--reason TEXT, which makes a new revision",
    )


def _would_not_verify(faults: list[str]) -> str:
    text = "; ".join(faults)
    return say(
        f"没有冻结：写成的存档不能重新算出同样的指标：{text}",
        f"not frozen: the archive would not give the same figure again: {text}",
    )
