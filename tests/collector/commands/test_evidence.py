"""`schoolpulse evidence remove` and `list`: what goes, what stays, and what is kept of it."""

from __future__ import annotations

import datetime as dt
import gzip
import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME, midnight_ns
from collector import cli
from collector.archive import lookup
from collector.commands.evidence import work
from collector.commands.evidence.removals import FILE as REMOVALS
from collector.commands.evidence.removals import Removals
from collector.commands.evidence.selection import runs
from collector.config import Config
from collector.ingest import Held, Source
from collector.roster.book import RegisterBook
from collector.roster.sheets import read_folder
from collector.service.pipeline.held_book import FILE as HELD
from collector.service.pipeline.held_book import HeldBook
from collector.service.pipeline.pending_days import FILE as DAYS
from collector.service.pipeline.pending_days import PendingDays
from collector.store.base import Limits, Point, Store, UnavailableError, Value
from collector.store.factory import open_store
from collector.store.sqlite import SqliteStore

SCHOOL, OTHER, DISTRICT = "9900000001", "9900000002", "630102"
PC, FORGED = "ab" * 16, "cd" * 16
TODAY = dt.datetime.now(CITY_TIME).date()
ALL = (-(2**63), 2**63 - 1)


def day(ago: int) -> int:
    return midnight_ns(TODAY - dt.timedelta(days=ago))


def agent(ago: int, machine: str = PC, school: str = SCHOOL, at: int = 1, **more: Value) -> Point:
    fields: dict[str, Value] = {"boot": "0" * 16, "number": at + 2, **more}
    return Point("agent", {"school": school, "machine": machine}, fields, day(ago) + at)


def machine_day(ago: int, machine: str = PC, **more: Value) -> Point:
    tags = {"school": SCHOOL, "district": DISTRICT, "machine": machine}
    return Point("machine_day", tags, {"seen": True, "reports": 1, **more}, day(ago))


def room_day(ago: int, **more: Value) -> Point:
    tags = {"school": SCHOOL, "district": DISTRICT, "room": "6-1"}
    return Point("room_day", tags, {"pcs": 2, **more}, day(ago))


def line_test(ago: int, line: str, machine: str = PC) -> Point:
    tags = {"school": SCHOOL, "machine": machine, "line": line}
    return Point("line_test", tags, {"outcome": "ok", "test": f"{ago}"}, day(ago) + 5)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    sheets = tmp_path / "sheets"
    sheets.mkdir()
    for name, text in {
        "schools": f"code,name,district,type,responsible\n{SCHOOL},示例,630102,小学,630102\n",
        "campuses": f"school,campus\n{SCHOOL},本部\n",
        "lines": "school,line,campus,contract_mbps\n",
        "rooms": "school,campus,room,type\n", "classes": "school,class,rooms\n",
    }.items():  # fmt: skip
        (sheets / f"{name}.csv").write_text(text, "utf-8")
    rows, _ = read_folder(sheets)
    data = tmp_path / "data"
    RegisterBook(data / "register.db").import_rows(rows, who="test")
    (tmp_path / "c.toml").write_text(f'data = "{data}"\n')
    return data


@pytest.fixture
def store(folder: Path) -> Iterator[Store]:
    with open_store(Config(data=str(folder))) as opened:
        yield opened


def ask(folder: Path, *words: str) -> int:
    argv = ["schoolpulse", *words, "--config", str(folder.parent / "c.toml")]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sys.argv", argv)
        return cli.main()


def remove(folder: Path, *where: str, more: tuple[str, ...] = ("--yes",)) -> int:
    words = ("--school", SCHOOL, "--where", *where, "--why", "伪造")
    return ask(folder, "evidence", "remove", *words, *more)


def everything(store: Store) -> list[Point]:
    names = ("agent", "machine_day", "room_day", "line_test", "school_day", "indicator")
    return [point for name in names for point in store.read(name, *ALL)]


class KilledError(BaseException):
    """The process ends here."""


def unfinished(folder: Path) -> list[bool]:
    removals = Removals(folder / REMOVALS)
    found = [row["done_ms"] is None for row in removals.rows()]
    removals.close()
    return found


def marked_days(folder: Path) -> set[dt.date]:
    pending = PendingDays(folder / DAYS)
    found = {key[1] if isinstance(key, tuple) else key for key in pending.take()}
    pending.close()
    return found


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


def test_one_that_did_not_end_shows_and_can_be_run_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    def fail(*_: object) -> None:
        raise UnavailableError("down")

    store.write([agent(1), machine_day(1)])
    with monkeypatch.context() as patched:
        patched.setattr(work, "delete", fail)
        assert remove(folder, f"machine={PC}") == 1
    assert "再运行一次" in capsys.readouterr().err
    assert unfinished(folder) == [True]
    assert remove(folder, f"machine={FORGED}") == 0
    assert unfinished(folder) == [True]
    assert remove(folder, f"machine={PC}") == 0
    assert list(store.read("agent", *ALL)) == []
    assert unfinished(folder) == [False, False]


@pytest.mark.parametrize("step", ["delete", "unmark", "to_derive", "mark"])
def test_killed_after_any_step_it_still_has_the_days_derived_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch, capsys: Any, step: str
) -> None:
    """The rows are gone by then: only what was written down before tells their days."""
    store.write([agent(ago, machine) for ago in (1, 3) for machine in (PC, FORGED)])
    store.write([machine_day(1), machine_day(1, FORGED), machine_day(3, FORGED)])
    real = getattr(work, step)

    def killed(*given: Any) -> None:
        if step == "mark":
            raise KilledError
        real(*given)
        raise KilledError

    with monkeypatch.context() as patched:
        patched.setattr(work, step, killed)
        with pytest.raises(KilledError):
            remove(folder, f"machine={FORGED}")
    assert not marked_days(folder)
    assert remove(folder, f"machine={FORGED}", more=()) == 0  # it asked before: nothing is left
    yesterday, before = TODAY - dt.timedelta(days=1), TODAY - dt.timedelta(days=3)
    assert marked_days(folder) == {yesterday, before}
    assert unfinished(folder) == [False, False]
    assert remove(folder, f"machine={FORGED}") == 0
    assert "没有移除任何东西" in capsys.readouterr().out


def test_half_of_the_rows_removed_both_halves_days_are_derived_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.write([agent(1, FORGED), agent(3, FORGED)])
    half = midnight_ns(TODAY - dt.timedelta(days=2))

    def delete(*_: Any) -> None:
        store.delete("agent", half, ALL[1], {"machine": FORGED})
        raise UnavailableError("down")

    with monkeypatch.context() as patched:
        patched.setattr(work, "delete", delete)
        assert remove(folder, f"machine={FORGED}") == 1
    assert remove(folder, f"machine={FORGED}") == 0
    assert marked_days(folder) == {TODAY - dt.timedelta(days=ago) for ago in (1, 3)}
    assert unfinished(folder) == [False, False]


def test_killed_before_the_rooms_days_went_they_go_when_it_is_run_again(
    folder: Path, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They rest on rows that nothing tells any more; the words may come in another order."""
    store.write([machine_day(200, FORGED), room_day(200), room_day(3)])
    real = work._delete

    def killed(store: Store, name: str, found: Any) -> None:
        if name == "room_day":
            raise KilledError
        real(store, name, found)

    with monkeypatch.context() as patched:
        patched.setattr(work, "_delete", killed)
        with pytest.raises(KilledError):
            remove(folder, f"machine={FORGED}", "from=2020-01-01")
    assert remove(folder, "from=2020-01-01", f"machine={FORGED}") == 0
    assert [work.day_of(row) for row in store.read("room_day", *ALL)] == [
        TODAY - dt.timedelta(days=3)
    ]
    assert unfinished(folder) == [False, False]


def test_a_book_of_removals_of_an_older_version_goes_on(folder: Path, store: Store) -> None:
    old = Removals(folder / REMOVALS)
    old.begin(1, "who", "why", SCHOOL, f"machine={FORGED}", {"agent": 1}, "x.lp.gz", [TODAY])
    old.close()
    with sqlite3.connect(folder / REMOVALS) as db:
        db.executescript("DROP TABLE of_day; PRAGMA user_version = 1")
    db.close()
    store.write([agent(1, FORGED)])
    assert remove(folder, f"machine={FORGED}") == 0
    assert unfinished(folder) == [True, False]  # it wrote no days down


def test_runs_never_cover_a_row_that_stays() -> None:
    rows = [
        (agent(1, m, at=at), (at * 7 + len(m)) % 3 == 0) for at in range(90) for m in (PC, FORGED)
    ]
    found = list(runs(rows, ("school", "machine")))
    for point, meant in rows:
        machine = ("machine", point.tags["machine"])
        inside = [r for r in found if machine in r.tags and r.first <= point.time <= r.last]
        assert bool(inside) is meant


# schoolpulse held


def test_held_lists_school_reason_and_fix(folder: Path, capsys: Any) -> None:
    assert ask(folder, "held") == 0
    capsys.readouterr()
    book = HeldBook(folder / HELD)
    source = Source(SCHOOL, PC, "0" * 16, 7)
    book.note(
        [Held(source, "unknown_line", None, "[/x]\x1b[2J\0"), Held(source, "simulated")], 10**12
    )
    book.note([Held(source, "time_out_of_bounds", None, "631152000000")], 10**12)
    book.note([Held(source._replace(school=OTHER), "too_many_machines", None, "20")], 10**12)
    book.close()
    assert ask(folder, "held") == 0
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said
    assert "1990-01-01" in said
    assert (
        f"school:{OTHER} max_machines=N" in "".join(said.split("│")).replace("\n", "")
        or OTHER in said
    )
    assert ask(folder, "held", "--school", OTHER, "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["school"], row["reason"], row["times"]) == (OTHER, "too_many_machines", 1)


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
