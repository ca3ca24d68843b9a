"""An archive checked by itself: golden ones, forged ones, newer ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from collector.archive.checking import Checked, check, check_bytes
from collector.archive.container import pack
from collector.archive.errors import ArchiveError
from collector.archive.freezing import Done, verdicts_of
from collector.archive.opened import MANIFEST, Opened, opened
from collector.archive.writing import with_manifest
from collector.compliance.model import Verdict
from golden_archives import FOLDER, ROOTS

GOLDEN = dict(reversed(line.split("  ")) for line in ROOTS.read_text().splitlines())


def test_there_are_golden_archives() -> None:
    assert {path.name for path in FOLDER.glob("*.zip")} == set(GOLDEN)
    assert len(GOLDEN) >= 3


@pytest.mark.parametrize("name", sorted(GOLDEN))
def test_a_golden_archive_gives_the_same_figure_again(name: str) -> None:
    checked = check(FOLDER / name, GOLDEN[name])
    assert checked.faults == []
    assert checked.figure
    assert checked.figure.root == GOLDEN[name]


def test_the_golden_ones_hold_every_verdict_but_none_is_guessed() -> None:
    rows = verdicts_of(FOLDER / "method-1-r2.zip")
    assert set(Counter(row.verdict for row in rows)) >= {str(v) for v in Verdict} - {"unknown"}


def forged(path: Path, change: Callable[[str, bytes], bytes]) -> bytes:
    """The archive with other members and a manifest that fits them."""
    with opened(path) as archive:
        found = _members(archive)
    return pack(with_manifest((name, change(name, data)) for name, data in found.items()))


def _members(archive: Opened) -> dict[str, bytes]:
    return {name: archive.member(name) for name in archive.names if name != MANIFEST}


def swapped(member: str, old: str, new: str) -> Callable[[str, bytes], bytes]:
    def change(name: str, data: bytes) -> bytes:
        if name != member:
            return data
        assert old.encode() in data
        return data.replace(old.encode(), new.encode(), 1)

    return change


def verified(frozen: Done, member: str, old: str, new: str, root: str = "") -> Checked:
    return check_bytes(forged(frozen.path, swapped(member, old, new)), Path("x.zip"), root)


@pytest.mark.parametrize(
    ("member", "old", "new", "said"),
    [
        ("verdicts.csv", ",short,", ",verified,", "verdicts.csv"),
        ("verdicts.csv", "9901020001,", "9901020009,", "verdicts.csv"),
        ("figure.json", '"verified": 1', '"verified": 2', "figure.json"),
        ("figure.json", "66.7%", "80.0%", "shown"),
        ("lines.csv", "9.8", "19.8", "lines.csv"),
        ("summary.json", '"verified": 1', '"verified": 3', "summary.json"),
        ("summary.json", '"threshold_mbps": 10', '"threshold_mbps": 4', "threshold_mbps"),
        ("evidence/line_tests.csv", "9.8", "30.8", "lines.csv"),
        ("evidence/room_days.csv", '""display""', '""camera""', "verdicts.csv"),
        ("inspections.csv", "true", "false", "verdicts.csv"),
        ("settings.json", '"tolerance": 0.97', '"tolerance": 0.90', ""),
        ("register/classes.csv", "一班", "九班", "verdicts.csv"),
    ],
)
def test_what_was_forged_with_a_fitting_manifest(
    frozen_town: Done, member: str, old: str, new: str, said: str
) -> None:
    """The root hash tells it always; the figure made again, where it has any effect."""
    checked = verified(frozen_town, member, old, new, frozen_town.summary.root)
    assert "不是签字时的那一份" in checked.faults[0]
    alone = verified(frozen_town, member, old, new)
    if said:
        assert any(said in fault for fault in alone.faults), alone.faults
        assert alone.figure is None
    else:
        assert alone.summary
        assert alone.summary.root != frozen_town.summary.root


def test_many_differences_are_counted(frozen_town: Done) -> None:
    def none(name: str, data: bytes) -> bytes:
        return data.replace(b"9901020001", b"9901020007") if name == "verdicts.csv" else data

    faults = check_bytes(forged(frozen_town.path, none), Path("x.zip")).faults
    assert 3 < len(faults) <= 21


@pytest.mark.parametrize(
    ("member", "old", "new", "said"),
    [
        ("summary.json", '"method": 1', '"method": 99', "方法 99"),
        ("evidence/room_days.csv", "school,room,day", "school,room,hour", "hour"),
        ("settings.json", '"bonded"', '"braided"', "braided"),
        ("summary.json", "{", "[", "summary"),
    ],
)
def test_what_this_version_cannot_read_is_refused(
    frozen_town: Done, member: str, old: str, new: str, said: str
) -> None:
    with pytest.raises(ArchiveError) as caught:
        verified(frozen_town, member, old, new)
    assert said in str(caught.value) or "更新的 SchoolPulse" in str(caught.value)


def test_the_root_hash_is_compared_whatever_its_case(frozen_town: Done) -> None:
    assert check(frozen_town.path, frozen_town.summary.root.upper()).faults == []
    assert "根哈希" in check(frozen_town.path, "0" * 64).faults[0]


def test_each_stage_is_told(frozen_town: Done) -> None:
    told: list[str] = []
    check(frozen_town.path, tell=told.append)
    assert len(told) == len(set(told)) == 4


def test_the_members_are_plain_files(frozen_town: Done) -> None:
    with opened(frozen_town.path) as archive:
        for name in archive.names:
            data = archive.checked(name) if name != MANIFEST else archive.member(name)
            if name.endswith((".csv", ".txt")):
                assert data.startswith(b"\xef\xbb\xbf")
                assert b"\n" not in data.replace(b"\r\n", b"") or b'"' in data
            if name.endswith(".json"):
                msgspec.json.decode(data)
        text = archive.member("README.txt").decode("utf-8-sig")
    assert "西宁市 2025 年" in text
    assert "revision 1" in text
    assert all(name in text for name in archive.names if "/" not in name and name != "README.txt")
