"""Writing a city: what is written, how it is marked, and what is refused."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

import pytest

from agent.common.command_line import RefusedError
from collector import cli
from collector.config import City as CitySettings
from collector.roster.book import RegisterBook
from collector.roster.register import School
from collector.roster.rows import Rows, rows_of
from collector.simulate import evidence, writing
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store.base import Point
from collector.store.sqlite import SqliteStore

EVER = 2**62
TODAY = dt.date(2026, 11, 24)
MEASUREMENTS = {
    "machine_day", "device_day", "room_day", "line_test", "line_record", "event", "school_hour",
}  # fmt: skip


@pytest.fixture
def city() -> City:
    return build(Size(7, 3, 2026), TODAY, TODAY - dt.timedelta(days=1), days=0)


@pytest.fixture
def book(tmp_path: Path) -> RegisterBook:
    return RegisterBook(tmp_path / "register.db")


def test_the_same_seed_makes_the_same_city(city: City) -> None:
    again = build(Size(7, 3, 2026), TODAY, TODAY - dt.timedelta(days=1), days=0)
    assert list(evidence.days(again)) == list(evidence.days(city))
    assert again.expected == city.expected
    other = build(Size(7, 4, 2026), TODAY, TODAY - dt.timedelta(days=1), days=0)
    assert other.pcs != city.pcs


def test_everything_written_says_that_it_is_simulated(city: City) -> None:
    points = [point for _, day in evidence.days(city) for point in day]
    assert {point.measurement for point in points} == MEASUREMENTS
    assert all(point.fields["simulated"] is True for point in points)


def test_no_test_stands_on_a_day_to_come_and_no_two_points_collide(city: City) -> None:
    points = [point for _, day in evidence.days(city) for point in day]
    keys = {(p.measurement, tuple(sorted(p.tags.items())), p.time) for p in points}
    assert len(keys) == len(points)
    midnight = dt.datetime(2026, 11, 24, tzinfo=dt.timezone(dt.timedelta(hours=8)))
    assert max(point.time for point in points) < midnight.timestamp() * 10**9


def test_a_device_is_as_its_newest_event_says_and_since_then(city: City) -> None:
    """What boards show of now, and the list of changes, tell the same."""
    newest: dict[str, Point] = {}
    said: dict[tuple[str, str], Point] = {}
    for _, day in evidence.days(city):
        for point in day:
            if point.measurement == "device_day":
                newest[point.tags["device"]] = point
            if point.measurement == "event":
                kind = "health" if point.fields["event"] in ("fault", "repaired") else "presence"
                said[point.tags["device"], kind] = point
    faulty = {d for d, point in newest.items() if point.fields["fault"]}
    missing = {d for d, point in newest.items() if point.fields["missing"]}
    open_faults = {
        d for (d, k), p in said.items() if k == "health" and p.fields["event"] == "fault"
    }
    gone = {d for (d, k), p in said.items() if k == "presence" and p.fields["event"] == "gone"}
    assert (faulty, missing) == (open_faults, gone)
    assert missing
    for (device, kind), point in said.items():
        assert newest[device].fields[f"{kind}_ms"] == point.time // 10**6
    texts = {newest[d].fields["fault_text"] for d in faulty}
    assert texts == {said[d, "health"].fields["detail"] for d in faulty}


def test_each_school_has_its_open_hours(city: City) -> None:
    for day, points in evidence.days(city):
        hours = [point for point in points if point.measurement == "school_hour"]
        assert {point.tags["school"] for point in hours} == {one.code for one in city.schools}
        busiest = {s.code: 0 for s in city.schools}
        for point in hours:
            busiest[point.tags["school"]] = max(busiest[point.tags["school"]], point.fields["pcs"])
        on = [p.tags["school"] for p in points if p.measurement == "machine_day"]
        assert busiest == {code: on.count(code) for code in busiest}, day


def test_the_register_comes_back_from_the_book_as_it_was(city: City, book: RegisterBook) -> None:
    writing.write_register(book, city)
    assert writing.holds(book, city)
    loaded = book.load()
    assert rows_of(loaded) == rows_of(city.register())
    assert len(loaded.inspections) == len(city.inspections)


def test_codes_and_names_cannot_be_taken_for_real(city: City) -> None:
    assert all(school.code.startswith("99") and len(school.code) == 10 for school in city.schools)
    assert all("模拟" in school.name for school in city.schools)
    assert len({school.code for school in city.schools}) == len(city.schools)


def test_a_register_of_real_schools_is_refused(book: RegisterBook) -> None:
    real = School("3163010001", "某校", "630102", "小学", "630102")
    book.import_rows(Rows(schools=(real,)))
    with pytest.raises(RefusedError, match="--force"):
        writing.check_register(book)


def test_a_second_city_over_the_first_is_refused(city: City, book: RegisterBook) -> None:
    writing.check_register(book)
    writing.write_register(book, city)
    with pytest.raises(RefusedError, match="--force"):
        writing.check_register(book)


def test_a_store_with_evidence_is_refused(tmp_path: Path) -> None:
    with SqliteStore(tmp_path / "store.db", 90) as store:
        writing.check_store(store)
        tags = {"school": "3163010001", "machine": "a" * 32}
        store.write([Point("machine_day", tags, {"seen": True}, 0)])
        with pytest.raises(RefusedError, match="3163010001"):
            writing.check_store(store)


def test_truth_counts_add_up(city: City, tmp_path: Path) -> None:
    path = writing.write_truth(tmp_path, city, CitySettings())
    truth = json.loads(path.read_text("utf-8"))
    assert truth["simulated"] is True
    whole = truth["areas"]["630100"]["multimedia"]
    parts = [
        counts["multimedia"]["all"]
        for area, counts in truth["areas"].items()
        if not area.startswith("99") and area != "630100"
    ]
    assert whole["all"] == sum(parts) == sum(u["indicator"] == "multimedia" for u in truth["units"])
    assert whole["all"] == sum(count for name, count in whole.items() if name != "all")


def test_the_command_writes_once_and_then_refuses(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "collector.toml"
    config.write_text(f'data = "{tmp_path}/data"\n', "utf-8")
    argv = ["schoolpulse", "simulate", "--config", str(config), "--schools", "7", "--days", "1"]
    monkeypatch.setattr("sys.argv", argv)
    assert cli.main() == 0
    assert "truth.json" in capsys.readouterr().out
    assert cli.main() == 2
    assert "--force" in capsys.readouterr().err
    monkeypatch.setattr("sys.argv", ["schoolpulse", "figure", "--config", str(config)])
    assert cli.main() == 2
    monkeypatch.setattr(
        "sys.argv", ["schoolpulse", "figure", "--config", str(config), "--simulated"]
    )
    assert cli.main() == 0
    assert "模拟数据" in capsys.readouterr().out


def test_changed_rules_are_reported_to_differ_from_the_truth(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path / "collector.toml"
    config.write_text(f'data = "{tmp_path}/data"\n[figure]\nopen_days = 20\n', encoding="utf-8")
    words = ["simulate", "--schools", "2", "--days", "3", "--config", str(config)]
    monkeypatch.setattr("sys.argv", ["schoolpulse", *words])
    assert cli.main() == 0
    assert "[figure]" in capsys.readouterr().err


def test_the_live_command_wants_bounds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = tmp_path / "collector.toml"
    config.write_text(f'data = "{tmp_path}/data"\n', "utf-8")
    monkeypatch.setattr("sys.argv", ["schoolpulse", "simulate", "--live", "--config", str(config)])
    assert cli.main() == 2
