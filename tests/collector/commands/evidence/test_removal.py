"""`schoolpulse evidence remove` and `list`: what goes, what stays, and what is kept of it."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import midnight_ns
from collector.archive import lookup
from collector.commands.evidence.removals import FILE as REMOVALS
from collector.commands.evidence.selection import runs
from collector.store.base import Limits, Point, Store
from collector.store.sqlite import SqliteStore
from removal_town import (
    ALL,
    DISTRICT,
    FORGED,
    OTHER,
    PC,
    SCHOOL,
    TODAY,
    agent,
    ask,
    day,
    everything,
    line_test,
    machine_day,
    marked_days,
    remove,
    room_day,
)


def test_one_forged_pc_goes_with_its_days_and_the_rest_stays(
    folder: Path, store: Store, capsys: Any
) -> None:
    good = [agent(2), agent(2, FORGED, OTHER), machine_day(2), machine_day(3), room_day(3)]
    good += [line_test(2, "主线"), line_test(200, "主线")]
    bad = [agent(2, FORGED), agent(300, FORGED), machine_day(2, FORGED), line_test(2, "x", FORGED)]
    rest = [room_day(2)]  # rests on the forged PC: derived again
    store.write([*good, *bad, *rest])
    assert remove(folder, f"machine={FORGED}") == 0
    assert sorted(everything(store), key=repr) == sorted(good, key=repr)
    [copy] = (folder / "removed").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    lines = gzip.decompress(copy.read_bytes()).decode().splitlines()
    assert len(lines) == len(bad) + len(rest)
    assert sum(FORGED in line for line in lines) == len(bad)
    assert marked_days(folder) == {TODAY - dt.timedelta(days=2)}
    assert "agent" in capsys.readouterr().out


def test_the_day_that_starts_from_a_removed_one_is_derived_too(folder: Path, store: Store) -> None:
    store.write([agent(9), machine_day(9), machine_day(5), machine_day(4)])
    there = f"{TODAY - dt.timedelta(days=9)}"
    assert remove(folder, f"from={there}", f"to={there}") == 0
    assert marked_days(folder) == {TODAY - dt.timedelta(days=days) for days in (9, 5)}


def test_a_line_and_days(folder: Path, store: Store) -> None:
    names = ["主线", "a'b", 'q"; DROP', "p=1, q"]
    tests = [line_test(ago, name) for ago in (1, 2, 3, 4) for name in names]
    store.write([*tests, machine_day(2), room_day(2)])
    first, last = (TODAY - dt.timedelta(days=ago) for ago in (3, 2))
    for name in names[1:]:
        assert remove(folder, f"line={name}", f"from={first}", f"to={last}") == 0
    left = [t for t in tests if t.tags["line"] == "主线" or t.fields["test"] in ("1", "4")]
    assert sorted(store.read("line_test", *ALL), key=repr) == sorted(left, key=repr)
    assert list(store.read("room_day", *ALL)) == [room_day(2)], "no room rests on a test"


def test_simulated_rows_go_one_by_one_and_their_marks_with_them(
    folder: Path, store: Store, capsys: Any
) -> None:
    marked = {"simulated": True}
    good = [agent(1, at=at) for at in (1, 3, 5)]
    verdicts = Point("school_day", {"school": SCHOOL, "district": DISTRICT}, {"pcs": 3}, day(1))
    area = {"area": SCHOOL, "district": DISTRICT, "indicator": "line_10"}
    share = Point("indicator", area, {"level": "school", "all": 1}, day(1))
    store.write([*good, *(agent(1, at=at, **marked) for at in (2, 4, 6, 7))])
    store.write([p._replace(fields={**p.fields, **marked}) for p in (verdicts, share)])
    assert ask(folder, "figure") == 2
    told = capsys.readouterr().err
    assert SCHOOL in told
    assert "agent: 4" in told
    assert "evidence remove --school" in told
    assert remove(folder, "simulated=yes") == 0
    assert not store.simulated()
    assert list(store.read("agent", *ALL)) == good
    [kept] = store.read("school_day", *ALL)
    assert kept.fields == {"pcs": 3, "simulated": False}
    assert ask(folder, "figure") == 0


def test_another_schools_simulated_rows_keep_the_citys_mark(folder: Path, store: Store) -> None:
    area = {"area": "630100", "district": DISTRICT, "indicator": "line_10"}
    store.write([Point("indicator", area, {"level": "city", "simulated": True}, day(1))])
    store.write([agent(1, simulated=True), agent(1, school=OTHER, simulated=True)])
    assert remove(folder, "simulated=yes") == 0
    assert {row.school for row in store.simulated_rows()} == {OTHER, "630100"}


def test_a_century_of_forged_days(folder: Path, store: Store) -> None:
    start = midnight_ns(dt.date(1990, 1, 1))
    base = agent(0, FORGED)
    store.write([base._replace(time=start + n * 86_400 * 10**9) for n in range(36_525)])
    store.write([agent(1), machine_day(1)])
    assert remove(folder, f"machine={FORGED}") == 0
    assert list(store.read("agent", *ALL)) == [agent(1)]
    assert len(marked_days(folder)) <= 91, "only days of which reports are kept"


def test_dry_run_changes_nothing(folder: Path, store: Store, capsys: Any) -> None:
    store.write([agent(1)])
    assert remove(folder, f"machine={PC}", more=("--dry-run", "--json")) == 0
    assert json.loads(capsys.readouterr().out)["rows"] == {"agent": 1}
    assert list(store.read("agent", *ALL)) == [agent(1)]
    assert not (folder / REMOVALS).exists()
    assert marked_days(folder) == set()


def test_nobody_to_ask_is_a_refusal(folder: Path, store: Store, capsys: Any) -> None:
    store.write([agent(1)])
    assert remove(folder, f"machine={PC}", more=()) == 2
    assert "--yes" in capsys.readouterr().err
    assert list(store.read("agent", *ALL)) == [agent(1)]


def test_a_frozen_year_is_left_alone(
    folder: Path, store: Store, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    year = (TODAY - dt.timedelta(days=1)).year
    monkeypatch.setattr(lookup, "years", lambda *_, **__: {year: object()})
    store.write([agent(1), agent(1000)])
    assert remove(folder, f"machine={PC}") == 2
    assert str(year) in capsys.readouterr().err
    assert len(list(store.read("agent", *ALL))) == 2
    assert remove(folder, f"machine={PC}", f"to={year - 1}-12-31") == 0
    assert list(store.read("agent", *ALL)) == [agent(1)]


@pytest.mark.parametrize(
    "word",
    ["colour=red", "machine", "machine=xyz", "measurement=nothing", "measurement=indicator",
     "from=yesterday", "to=9999-12-31", "simulated=no", "from=-1"],
)  # fmt: skip
def test_wrong_conditions_are_named(folder: Path, store: Store, capsys: Any, word: str) -> None:
    store.write([agent(1)])
    assert remove(folder, word) == 2
    assert word in capsys.readouterr().err
    assert list(store.read("agent", *ALL)) == [agent(1)]


def test_conditions_that_no_measurement_has_together(folder: Path, store: Store) -> None:
    assert remove(folder, "measurement=school_day", f"machine={PC}") == 2


def test_it_is_written_down_for_good(folder: Path, store: Store, capsys: Any) -> None:
    store.write([agent(1)])
    remove(folder, f"machine={PC}", more=("--yes", "--by", "[red]x\x1b[2J"))
    capsys.readouterr()
    assert ask(folder, "evidence", "list", "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert row["why"] == "伪造"
    assert row["rows"] == {"agent": 1}
    assert row["what"] == f"machine={PC}"
    assert row["done_ms"]
    assert (folder / "removed" / row["file"]).exists()
    assert ask(folder, "evidence", "list") == 0
    with sqlite3.connect(folder / REMOVALS) as db:
        for statement in ("DELETE FROM removal", "UPDATE removal SET why = ''", "DELETE FROM done"):
            with pytest.raises(sqlite3.Error, match="append-only"):
                db.execute(statement)
    db.close()


def test_runs_never_cover_a_row_that_stays() -> None:
    rows = [
        (agent(1, m, at=at), (at * 7 + len(m)) % 3 == 0) for at in range(90) for m in (PC, FORGED)
    ]
    found = list(runs(rows, ("school", "machine")))
    for point, meant in rows:
        machine = ("machine", point.tags["machine"])
        inside = [r for r in found if machine in r.tags and r.first <= point.time <= r.last]
        assert bool(inside) is meant


def test_a_store_that_cannot_delete_is_named_before_anything_is_done(
    folder: Path, store: Store, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([machine_day(2)])
    monkeypatch.setattr(SqliteStore, "limits", Limits(deletes=False))
    assert remove(folder, f"machine={PC}") == 2
    assert "openGemini" in capsys.readouterr().err
    assert everything(store) == [machine_day(2)]
    assert not (folder / "removed").exists()
    assert not (folder / REMOVALS).exists()
