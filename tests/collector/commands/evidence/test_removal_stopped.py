"""A removal that is stopped anywhere: run again, it ends, and no day is left as it was."""

from __future__ import annotations

import datetime as dt
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import midnight_ns
from collector.commands.evidence import work
from collector.commands.evidence.removals import FILE as REMOVALS
from collector.commands.evidence.removals import Removals
from collector.store.base import Store, UnavailableError
from removal_town import (
    ALL,
    FORGED,
    PC,
    SCHOOL,
    TODAY,
    agent,
    machine_day,
    marked_days,
    remove,
    room_day,
    unfinished,
)


class KilledError(BaseException):
    """The process ends here."""


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
