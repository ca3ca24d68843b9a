"""The sample register: as its script makes it, sound, and rich enough to show every case."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

import pytest

from collector.roster.areas import DIRECT, XINING
from collector.roster.register import COMPUTER_ROOM, Register
from collector.roster.sample import make, sample_folder
from collector.roster.sheets import read_folder
from collector.roster.sheets.writing import write_folder


@pytest.fixture
def register() -> Register:
    rows, problems = read_folder(sample_folder())
    assert [(p.file, p.value) for p in problems] == [("lines.csv", "0")]  # is it meant?
    return rows.register()


def test_the_committed_sheets_are_what_the_script_makes(tmp_path: Path) -> None:
    for file in write_folder(make.rows(), tmp_path):
        assert file.read_bytes() == (sample_folder() / file.name).read_bytes(), file.name


def test_every_district_has_schools_and_all_are_plainly_examples(register: Register) -> None:
    schools = register.schools.values()
    assert {school.district for school in schools} == set(XINING) - {DIRECT}
    assert all(s.code.startswith("9963") and "示例" in s.name for s in schools)
    assert DIRECT in {school.responsible for school in schools}
    assert {s.type for s in schools} == {
        "小学", "初中", "九年一贯制", "完全中学", "高中", "教学点",
    }  # fmt: skip


def test_it_has_the_odd_cases(register: Register) -> None:
    contracts = [line.contract_mbps for line in register.lines]
    assert None in contracts
    assert min(c for c in contracts if c is not None) == 0
    assert any(c is not None and 0 < c < 10 for c in contracts)
    assert any(len(row.rooms) > 1 for row in register.classes)
    assert any(not row.rooms for row in register.classes)
    assert any(len(rows) > 1 for rows in register.campuses_of.values())
    assert any(school.closed for school in register.schools.values())
    assert any(row.count == 0 for row in register.equipment)
    assert sum(room.type == COMPUTER_ROOM for room in register.rooms) > 20


def test_every_machine_pattern_finds_its_room(register: Register) -> None:
    for row in register.machines:
        hostname = row.pattern.replace("*", "01")
        assert len(hostname) <= 15, "Windows cuts longer names"
        assert register.room_for(row.school, "", hostname) == row.room


def test_the_calendar_of_2026(register: Register) -> None:
    open_day = register.calendar.is_open_day
    assert [open_day(dt.date(2026, month, day)) for month, day in (
        (1, 4), (5, 9), (9, 20), (10, 10), (9, 1), (11, 24),
    )] == [True] * 6  # fmt: skip
    assert not any(open_day(dt.date(2026, month, day)) for month, day in (
        (1, 1), (2, 14), (2, 17), (2, 28), (4, 6), (5, 5), (6, 19), (7, 20), (9, 25), (10, 7),
    ))  # fmt: skip
