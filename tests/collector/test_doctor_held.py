"""What doctor says of held reports: one school's fault, or this machine's clock."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from collector.config import Config
from collector.doctor import held
from collector.ingest import Held, Source
from collector.service.pipeline.held_book import FILE, HeldBook

NOW = dt.datetime(2026, 11, 28, 12, tzinfo=dt.UTC)
NOW_MS = int(NOW.timestamp() * 1000)
DAY = 86_400_000


def note(folder: Path, reason: str, schools: int, at_ms: int = NOW_MS) -> None:
    book = HeldBook(folder / FILE)
    many = [Held(Source(f"99{n:08}", "ab" * 16, "0" * 16, 2), reason) for n in range(schools)]
    book.note(many, at_ms)
    book.close()


def test_none(tmp_path: Path) -> None:
    assert held.check(Config(data=str(tmp_path)), NOW).ok
    note(tmp_path, "simulated", 1, NOW_MS - 2 * DAY)
    assert held.check(Config(data=str(tmp_path)), NOW).ok, "that is over"


def test_one_school(tmp_path: Path) -> None:
    note(tmp_path, "time_out_of_bounds", 1)
    found = held.check(Config(data=str(tmp_path)), NOW)
    assert not found.ok
    assert "9900000000" in found.detail
    assert "schoolpulse held" in found.fix


def test_a_clock_that_jumped_years_and_came_back(tmp_path: Path) -> None:
    note(tmp_path, "time_out_of_bounds", 40, NOW_MS + 3650 * DAY)
    found = held.check(Config(data=str(tmp_path)), NOW)
    assert not found.ok
    assert "+35" in found.detail
    assert "NTP" in found.fix


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"no database" * 100)
    found = held.check(Config(data=str(tmp_path)), NOW)
    assert not found.ok
    assert FILE in found.fix
