"""What is read of an archive for lists and trends."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
from pathlib import Path

import msgspec
import pytest

from collector.archive.container import pack
from collector.archive.errors import ArchiveError, DamagedError
from collector.archive.summary import FrozenArea, FrozenIndicator, FrozenYear, frozen, in_force

LINE = FrozenIndicator("line", "带宽", "line", "4/5", 2020, "文件")
AREA = FrozenArea("city", "630100", "西宁市", {"line": {"verified": 3, "unknown": 1}})
YEAR = FrozenYear(
    2025, 1, "630100", "西宁市", dt.date(2025, 12, 31), dt.datetime(2026, 1, 5, tzinfo=dt.UTC),
    1, "1.0", 10.0, [LINE], [AREA],
)  # fmt: skip


def put(folder: Path, name: str, row: FrozenYear, manifest: str | None = None) -> str:
    """An archive of a summary alone; returns its root hash."""
    data = msgspec.json.encode(row)
    lines = manifest or f"{hashlib.sha256(data).hexdigest()}  summary.json\n"
    members = {"summary.json": data, "MANIFEST.sha256": lines.encode()}
    (folder / name).write_bytes(pack(members))
    return hashlib.sha256(lines.encode()).hexdigest()


def test_all_archives_by_year_and_revision(tmp_path: Path) -> None:
    second = dataclasses.replace(YEAR, revision=2, reason="补录核查")
    roots = [
        put(tmp_path, "a.zip", second),
        put(tmp_path, "b.zip", YEAR),
        put(tmp_path, "c.zip", dataclasses.replace(YEAR, year=2024)),
    ]
    found = frozen(tmp_path)
    assert [(row.year, row.revision, row.file) for row in found] == [
        (2024, 1, "c.zip"), (2025, 1, "b.zip"), (2025, 2, "a.zip"),
    ]  # fmt: skip
    assert [row.root for row in found] == roots[::-1]
    assert dataclasses.replace(found[2], root="", file="") == second
    assert in_force(found) == {2024: found[0], 2025: found[2]}


def test_tallies_and_targets() -> None:
    assert str(AREA.tally("line").verified) == "3/4"
    assert AREA.tally("other").verified is None
    assert str(LINE.goal) == "4/5"


def test_simulated_years_are_apart(tmp_path: Path) -> None:
    put(tmp_path, "a.zip", dataclasses.replace(YEAR, simulated=True))
    found = frozen(tmp_path)
    assert in_force(found) == {}
    assert list(in_force(found, simulated=True)) == [2025]


def test_no_folder_is_no_frozen_year(tmp_path: Path) -> None:
    assert frozen(tmp_path / "none") == []


def test_a_damaged_archive_is_not_passed_over(tmp_path: Path) -> None:
    put(tmp_path, "a.zip", YEAR, f"{'0' * 64}  summary.json\n")
    with pytest.raises(DamagedError, match=r"summary\.json"):
        frozen(tmp_path)
    (tmp_path / "a.zip").write_bytes(b"")
    with pytest.raises(DamagedError, match=r"a\.zip"):
        frozen(tmp_path)
    (tmp_path / "a.zip").unlink()
    (tmp_path / "a.zip").mkdir()
    with pytest.raises(ArchiveError, match=r"a\.zip"):
        frozen(tmp_path)
