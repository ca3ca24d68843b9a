"""Archives added up: the sum is that of its parts, and what cannot be added is refused by name."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collector import config
from collector.archive import rollup
from collector.archive.checking import check
from collector.archive.errors import ArchiveError, DamagedError
from collector.archive.freezing import freeze
from collector.archive.parts import Part, added, remarks
from collector.compliance.model import Verdict
from small_town import Town

LAST = dt.date(2025, 12, 31)
NOW = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
_GOOD = (1, 2, 3, 7, 8)


def county(number: int, classes: int = 3, cutoff: dt.date = LAST) -> Any:
    """A county of one counted school and one teaching point."""
    made = Town()
    made.cutoff = cutoff
    made.city = config.City(f"63020{number}", f"第{number}县")
    code = f"990{number}020001"
    made.school(code, responsible=f"63020{number}")
    made.school(f"990{number}020002", kind="教学点", responsible=f"63020{number}")
    for nth in range(classes):
        room = made.room(str(nth), code=code, computer=1, projector=nth % 2)
        made.taught(f"{nth}班", room, code=code)
        if nth != 1:
            made.saw(room, (1, 2, 3), *(["display"] if nth % 2 == 0 else []), code=code)
    made.line(contract=20 if number % 2 else 4, code=code)
    made.tested(9.8, _GOOD, times=2, code=code)
    return made


def put(made: Any, folder: Path, **settings: Any) -> Path:
    return freeze(made.figure(**settings), made.evidence(), (), folder, now=NOW).path


@pytest.fixture
def three(tmp_path: Path) -> list[Path]:
    return [put(county(n, classes=n + 1), tmp_path / str(n)) for n in (1, 2, 3)]


def parts_of(paths: Sequence[Path]) -> list[Part]:
    return [rollup.part(path) for path in paths]


def test_three_cities_are_their_sum(three: list[Path]) -> None:
    figure = added(parts_of(three), "630000", "青海省")
    own = [county(n, classes=n + 1).figure() for n in (1, 2, 3)]
    for indicator in ("multimedia", "computer_room", "line"):
        for verdict in Verdict:
            each = [row.tallies[row.areas[0].code, indicator].counts[verdict] for row in own]
            assert figure.tallies["630000", indicator].counts[verdict] == sum(each)
    assert figure.tallies["630000", "multimedia"].all == 2 + 3 + 4
    for verdict in Verdict:
        each = [row.contract[row.areas[0].code].counts[verdict] for row in own]
        assert figure.contract["630000"].counts[verdict] == sum(each)
    assert figure.apart == {"教学点": 3}
    assert figure.notes["lines"] == 3
    assert [area.name for area in figure.areas] == ["青海省", "第1县", "第2县", "第3县"]
    for row in own:
        for indicator in ("multimedia", "computer_room", "line"):
            code = row.areas[0].code
            assert figure.tallies[code, indicator].counts == row.tallies[code, indicator].counts


def test_a_sum_is_an_archive_that_verifies_and_adds_again(
    three: list[Path], tmp_path: Path
) -> None:
    first = parts_of(three[:2])
    path = tmp_path / "sum.zip"
    kept = rollup.write(added(first, "630200", "两县"), first, path)
    assert check(path, kept.root).faults == []
    assert kept.parts == tuple(part.summary.root for part in first)
    both = added(parts_of([path, three[2]]), "630000", "青海省")
    whole = added(parts_of(three), "630000", "青海省")
    for indicator in ("multimedia", "computer_room", "line"):
        key = "630000", indicator
        assert both.tallies[key] == whole.tallies[key]
    assert (both.notes, both.apart) == (whole.notes, whole.apart)
    with pytest.raises(ArchiveError, match="9901020001"):
        added(parts_of([path, three[0]]), "630000", "青海省")


def test_a_sum_that_was_forged_is_found(three: list[Path], tmp_path: Path) -> None:
    from collector.archive.container import pack
    from collector.archive.opened import MANIFEST, opened
    from collector.archive.writing import with_manifest

    path = tmp_path / "sum.zip"
    parts = parts_of(three)
    rollup.write(added(parts, "630000", "青海省"), parts, path)
    with opened(path) as archive:
        found = {name: archive.member(name) for name in archive.names if name != MANIFEST}
    found["figure.json"] = found["figure.json"].replace(b'"verified": 3', b'"verified": 4')
    (tmp_path / "forged.zip").write_bytes(pack(with_manifest(found.items())))
    assert any("figure.json" in fault for fault in check(tmp_path / "forged.zip").faults)


def test_the_same_sum_is_the_same_file(three: list[Path], tmp_path: Path) -> None:
    for name in ("a.zip", "b.zip"):
        parts = parts_of(three)
        rollup.write(added(parts, "630000", "青海省"), parts, tmp_path / name)
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


@given(st.permutations([0, 1, 2]))
def test_the_order_is_no_matter(order: list[int]) -> None:
    parts = [_part(n) for n in (1, 2, 3)]
    one = added(parts, "x", "x")
    other = added([parts[n] for n in order], "x", "x")
    assert one.tallies == other.tallies
    assert one.notes == other.notes


def _part(number: int) -> Part:
    from collector.archive import writing
    from collector.archive.writing import Before

    figure = county(number).figure()
    summary = writing.summary(figure, Before(), NOW, "")
    schools = {row.code: row.name for row in figure.areas if row.level == "school"}
    return Part(summary, figure.settings, schools, dict(figure.apart), dict(figure.notes))


def test_a_school_in_two_of_them_is_named(three: list[Path], tmp_path: Path) -> None:
    other = county(4)
    other.school("9901020001", name="实验小学", responsible="630204")
    twice = put(other, tmp_path / "4")
    with pytest.raises(ArchiveError) as caught:
        added(parts_of([*three, twice]), "630000", "青海省")
    assert "9901020001" in str(caught.value)
    assert "第1县" in str(caught.value)
    assert "第4县" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [({"threshold_mbps": 100.0}, "threshold_mbps"), ({"rule": "fcc80"}, "rule")],
)
def test_other_thresholds_and_rules_are_refused(
    three: list[Path], tmp_path: Path, settings: dict[str, Any], said: str
) -> None:
    other = put(county(4), tmp_path / "4", **settings)
    with pytest.raises(ArchiveError, match=said):
        added(parts_of([*three, other]), "630000", "青海省")


def test_another_year_is_refused(three: list[Path], tmp_path: Path) -> None:
    other = put(county(4, cutoff=LAST.replace(year=2024)), tmp_path / "4")
    with pytest.raises(ArchiveError, match="年度不同"):
        added(parts_of([*three, other]), "630000", "青海省")


def test_another_method_is_refused() -> None:
    import dataclasses

    import msgspec

    old = _part(2)
    newer = msgspec.structs.replace(old, summary=dataclasses.replace(old.summary, method=2))
    with pytest.raises(ArchiveError, match="方法不同"):
        added([_part(1), newer], "630000", "青海省")


def test_other_cutoffs_and_settings_are_told(three: list[Path], tmp_path: Path) -> None:
    other = put(county(4, cutoff=dt.date(2025, 11, 30)), tmp_path / "4", min_tests=8)
    told = "\n".join(remarks(parts_of([*three, other])))
    assert "截止日不同" in told
    assert "2025-11-30" in told
    assert "min_tests" in told
    assert not list(remarks(parts_of(three)))


def test_a_code_that_is_there_already_is_refused(three: list[Path]) -> None:
    with pytest.raises(ArchiveError, match="--code"):
        added(parts_of(three), "630201", "青海省")


def test_a_damaged_one_is_refused(three: list[Path]) -> None:
    data = bytearray(three[1].read_bytes())
    data[len(data) // 2] ^= 4
    three[1].chmod(0o644)
    three[1].write_bytes(data)
    with pytest.raises(DamagedError, match="schoolpulse-630202-2025"):
        parts_of(three)
