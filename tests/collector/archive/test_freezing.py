"""One archive more, whole or not at all; the earlier ones stay."""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import freeze_town
import services
from agent.common.lock import Lock
from collector import config
from collector.archive.checking import check
from collector.archive.errors import ArchiveError
from collector.archive.freezing import Done, file_name, hash_file
from collector.archive.opened import MANIFEST, opened
from collector.archive.summary import frozen, in_force
from freeze_town import put, town

SCRIPT = freeze_town.__file__


def run(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Freeze in another process; `env` is added to the environment."""
    path = os.pathsep.join(filter(None, sys.path))
    return subprocess.run(
        [sys.executable, SCRIPT, str(folder), *words],
        capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path, **env},
    )  # fmt: skip


def test_the_first_revision(frozen_town: Done) -> None:
    row = frozen_town.summary
    assert (row.year, row.revision, row.reason, row.before) == (2025, 1, "", "")
    assert frozen(frozen_town.path.parent) == [row]
    with opened(frozen_town.path) as archive:
        manifest = archive.member(MANIFEST)
        assert row.root == hashlib.sha256(manifest).hexdigest()
        assert "changes.csv" not in archive.names
    assert hash_file(frozen_town.path).read_text() == f"{row.root}  {MANIFEST}\n"
    assert stat.S_IMODE(frozen_town.path.stat().st_mode) == 0o444


def test_a_frozen_year_is_frozen_again_only_with_a_reason(frozen_town: Done) -> None:
    before = frozen_town.path.read_bytes()
    with pytest.raises(ArchiveError, match="--reason"):
        put(town(), frozen_town.path.parent)
    assert len(frozen(frozen_town.path.parent)) == 1
    assert frozen_town.path.read_bytes() == before


def test_a_correction_is_a_new_revision_with_what_changed(frozen_town: Done) -> None:
    before = frozen_town.path.read_bytes()
    made = town()
    made.inspected("computer_room", 2, False)
    done = put(made, frozen_town.path.parent, reason="漏登一次核查")
    row = done.summary
    assert (row.revision, row.reason, row.before) == (2, "漏登一次核查", frozen_town.summary.root)
    assert [(one.indicator, one.school, one.before, one.after) for one in done.changes] == [
        ("computer_room", "9901020001", "verified", "contradicted")
    ]
    assert frozen_town.path.read_bytes() == before
    with opened(done.path) as archive:
        assert b"computer_room,9901020001" in archive.checked("changes.csv")
        assert "漏登一次核查".encode() in archive.checked("README.txt")
    assert in_force(frozen(done.path.parent)) == {2025: row}
    assert check(done.path).faults == []


def test_units_that_left_the_register_are_listed_with_their_last_verdict(
    frozen_town: Done,
) -> None:
    made = town()
    made.cutoff = made.cutoff.replace(year=2026)
    made.classes = [row for row in made.classes if row.name != "一班"]
    del made.schools["9901030001"]
    for rows in (made.campuses, made.lines):
        rows[:] = [row for row in rows if row.school != "9901030001"]
    made.tests = [row for row in made.tests if row.school != "9901030001"]
    made.records = [row for row in made.records if row.school != "9901030001"]
    done = put(made, frozen_town.path.parent)
    gone = {(one.indicator, one.school, one.unit): one.verdict for one in done.left}
    assert gone["multimedia", "9901020001", "一班"] == "verified"
    assert gone["line", "9901030001", ""] == "declared"
    assert {(one.year, one.revision) for one in done.left} == {(2025, 1)}
    assert done.changes == []
    with opened(done.path) as archive:
        assert archive.checked("left.csv").count(b"\r\n") == 1 + len(done.left)


def test_records_that_were_entered_after_the_cutoff_are_listed(tmp_path: Path) -> None:
    made = town()
    hour = dt.timedelta(hours=1)
    midnight = dt.datetime(2025, 12, 31, 16, tzinfo=dt.UTC)  # of the city, as the cut-off ends
    kinds: list[dict[str, Any]] = [
        {"note": "in time", "entered": midnight - hour},
        {"note": "late", "entered": midnight + hour},
        {"note": "void", "entered": midnight + hour, "void": "笔误"},
        {"note": "next year", "entered": midnight + hour, "day": dt.date(2026, 1, 1)},
        {"note": "not known"},
    ]
    seen = made.inspections[0]
    made.inspections = [dataclasses.replace(seen, **kind) for kind in kinds]
    assert [row.note for row in put(made, tmp_path).late] == ["late"]


def test_a_damaged_earlier_archive_stops_the_next(frozen_town: Done) -> None:
    data = bytearray(frozen_town.path.read_bytes())
    data[-1] ^= 1
    frozen_town.path.chmod(0o644)
    frozen_town.path.write_bytes(data)
    with pytest.raises(ArchiveError, match="schoolpulse-630100-2025-r1"):
        put(town(), frozen_town.path.parent, reason="x")


def test_simulated_years_have_their_own_archives(frozen_town: Done) -> None:
    made = town()
    made.saw("101", (4,), "display", simulated=True)
    done = put(made, frozen_town.path.parent)
    assert done.path.name == "schoolpulse-630100-2025-r1-simulated.zip"
    assert done.summary.simulated
    with opened(done.path) as archive:
        assert "模拟数据" in archive.checked("README.txt").decode()
    assert in_force(frozen(done.path.parent)) == {2025: frozen_town.summary}


def test_an_odd_code_of_a_city_makes_no_path(frozen_town: Done) -> None:
    row = dataclasses.replace(frozen_town.summary, city="../6301/x")
    assert file_name(row) == "schoolpulse-___6301_x-2025-r1.zip"


def test_another_citys_archive_is_not_overwritten(tmp_path: Path) -> None:
    made = town()
    made.city = config.City("63/01", "甲")
    first = put(made, tmp_path)
    before = first.path.read_bytes()
    made.city = config.City("63_01", "乙")
    with pytest.raises(ArchiveError, match="不会覆盖"):
        put(made, tmp_path)
    assert first.path.read_bytes() == before
    assert hash_file(first.path).read_text().startswith(first.summary.root)


def test_two_at_once(frozen_town: Done) -> None:
    lock = Lock(frozen_town.path.parent / "freeze.lock", "test")
    try:
        done = run(frozen_town.path.parent, "--reason", "x")
    finally:
        lock.release()
    assert done.returncode
    assert "HeldError" in done.stderr
    assert len(frozen(frozen_town.path.parent)) == 1


SURROUNDINGS: list[dict[str, str]] = [
    {"PYTHONHASHSEED": "1", "LC_ALL": "C", "TZ": "America/New_York"},
    {"PYTHONHASHSEED": "2", "LC_ALL": "en_US.UTF-8", "TZ": "Asia/Kathmandu", "LANG": "en_US.UTF-8"},
    {"PYTHONHASHSEED": "3", "PYTHONUTF8": "0", "LC_ALL": "POSIX", "TZ": "UTC"},
]


@pytest.mark.parametrize("env", SURROUNDINGS)
def test_the_same_bytes_whatever_surrounds_it(
    frozen_town: Done, tmp_path: Path, env: dict[str, str]
) -> None:
    done = run(tmp_path / "other", "--shuffle", env["PYTHONHASHSEED"], **env)
    assert done.stdout.strip() == frozen_town.summary.root, done.stderr
    assert (
        tmp_path / "other" / frozen_town.path.name
    ).read_bytes() == frozen_town.path.read_bytes()


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("words", [(), ("--reason", "更正")])
def test_killed_at_any_moment_the_old_state_stands(
    tmp_path: Path, nth: int, words: tuple[str, ...]
) -> None:
    folder = tmp_path / "archives"
    if words:
        put(town(), folder)
    before = frozen(folder)
    assert run(folder, "--kill", str(nth), *words).returncode == -signal.SIGKILL
    assert frozen(folder) == before
    done = put(town(), folder, reason="" if not words else words[1])
    assert done.summary.revision == len(before) + 1
    names = {path.name for path in folder.iterdir()}
    assert names == {"freeze.lock"} | {
        name for row in frozen(folder) for name in (row.file, f"{row.file}.sha256")
    }


def test_a_full_disk_leaves_the_old_state(tmp_path: Path) -> None:
    with services.small_disk(tmp_path / "disk") as disk:
        folder = disk / "archives"
        first = put(town(), folder)
        services.fill(disk)
        made = town()
        made.inspected("computer_room", 2, False)
        with pytest.raises(OSError, match="No space left"):
            put(made, folder, reason="更正")
        assert frozen(folder) == [first.summary]
        assert not list(folder.glob("*r2*"))
        assert check(first.path, first.summary.root).faults == []
        (disk / "others").unlink()
        assert put(made, folder, reason="更正").summary.revision == 2


def test_a_file_that_may_not_grow_leaves_the_old_state(tmp_path: Path) -> None:
    done = run(tmp_path, "--bytes", "20000")
    assert "File too large" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["freeze.lock"]


def test_a_read_only_archive_is_verified_where_it_lies(frozen_town: Done) -> None:
    folder = frozen_town.path.parent
    folder.chmod(0o555)
    try:
        before = sorted(path.name for path in folder.iterdir())
        assert check(frozen_town.path).faults == []
        assert sorted(path.name for path in folder.iterdir()) == before
    finally:
        folder.chmod(0o755)


def test_an_archive_that_would_not_verify_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Say, a rule that looks at the order of its evidence: found before it is signed."""
    from collector.archive import method

    made = town()

    def otherwise(inputs: Any) -> Any:
        made.saw("102", (1, 2, 3), "display")
        return made.figure()

    monkeypatch.setitem(method.METHODS, 1, otherwise)
    with pytest.raises(ArchiveError, match="没有冻结"):
        put(town(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["freeze.lock"]
