"""Files that earlier versions left are taken over whole, and those of later ones refused by name.

tests/gold/sqlite holds what the code wrote before layouts had numbers, as SQL.
"""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import RefusedError
from collector.lineserver.book import TurnBook
from collector.roster.book import RegisterBook
from collector.roster.book.mutes import Mute, mutes, set_mute
from collector.roster.register import Decision
from collector.roster.rows import Rows, rows_of
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.service.pipeline.quarantine import Quarantine, Row

GOLD = Path(__file__).parents[1] / "gold/sqlite"
DAY = dt.date(2026, 3, 1)
ENTERED = dt.datetime(2026, 3, 2, 1, tzinfo=dt.UTC)
TODAY = dt.date(2026, 3, 2)
ROWS = [
    Row(1, "topic/1", b"{", "unreadable: no JSON"),
    Row(2, "topic/2", b"\0\xff", "store: type"),
]


def older(folder: Path, name: str) -> Path:
    path = folder / "old.db"
    with closing(sqlite3.connect(path)) as db:
        db.executescript((GOLD / f"{name}.sql").read_text("utf-8"))
        db.execute("PRAGMA journal_mode = WAL")
    return path


def layout(path: Path) -> int:
    with closing(sqlite3.connect(path)) as db:
        (found,) = db.execute("PRAGMA user_version").fetchone()
    return int(found)


def test_a_quarantine_keeps_its_messages_and_its_bound(tmp_path: Path) -> None:
    path = older(tmp_path, "quarantine_v0")
    quarantine = Quarantine(path, 400)
    assert list(quarantine.rows()) == ROWS
    assert quarantine.size() == (2, 303)
    assert quarantine.add([ROWS[0], Row(3, "topic/3", b"x", "bad")]) == [True, False]
    quarantine.remove([1])
    assert quarantine.size() == (1, 148)
    quarantine.close()
    assert layout(path) == 2


def test_days_stay_marked(tmp_path: Path) -> None:
    path = older(tmp_path, "days_v0")
    days = PendingDays(path)
    every = [Pair("", TODAY), Pair("", TODAY + dt.timedelta(days=1))]
    first = days.take()
    assert {pair: one.since for pair, one in first.items()} == dict.fromkeys(every, 0)
    days.mark({every[0]: 0})
    assert set(days.take()) == set(every)
    days.done(first)
    assert set(days.take()) == {every[0]}, "it was marked since"
    days.close()
    assert layout(path) == 3


def test_turns_are_remembered(tmp_path: Path) -> None:
    path = older(tmp_path, "turns_v0")
    book = TurnBook(path)
    kept = {past.turn.id[:2]: past for past in book.past(1_772_415_110.0)}
    assert (kept["11"].outcome, kept["11"].bytes, kept["11"].turn.long) == ("ok", 1234, True)
    assert kept["22"].outcome is None
    book.ended(kept["22"].turn, "expired", 5, 1_772_415_120.0)
    book.close()
    assert layout(path) == 1


def test_a_register_is_read_as_it_is_and_brought_up_to_date_when_written(tmp_path: Path) -> None:
    path = older(tmp_path, "register_v1")
    book = RegisterBook(path)
    assert book.load().decided == {}
    assert [one.who for one in book.history()] == ["管理员"]
    assert book.policies()["city"].report_s == 600
    assert layout(path) == 1, "reading changes nothing"
    book.decide([Decision("9900000001", "ab" * 16, "retire", "")], who="x")
    assert len(book.load().decided) == 1
    assert book.policies()["city"].report_s == 600
    set_mute(path, Mute("9900000001", TODAY, "repair", "x"), dt.datetime.now(dt.UTC))
    assert [mute.school for mute in mutes(path, TODAY)] == ["9900000001"]
    assert (layout(path), book.version()) == (3, 3)


def test_inspections_of_before_their_thresholds_are_read_and_taken_over(tmp_path: Path) -> None:
    path = older(tmp_path, "register_v2")
    book = RegisterBook(path)
    before = book.load()
    room, line, lesson = before.inspections
    assert (line.id, line.indicator, line.threshold_mbps) == ("0001-3", "line", 10.0)
    assert (line.day, line.inspector, line.found, line.note) == (DAY, "核查组", True, "测过")
    assert (lesson.id, lesson.indicator, lesson.unit) == ("0002-1", "multimedia", "一班")
    assert (lesson.threshold_mbps, room.threshold_mbps) == (None, None)
    assert (line.entered, line.entered_by) == (ENTERED, "某人")
    assert (layout(path), book.version()) == (2, 2), "reading changes nothing"
    book.void(line.id, "看错了", who="乙")
    assert (layout(path), book.version()) == (3, 3)
    assert [row for row in book.inspections() if not row.void] == [room, lesson]
    assert book.rows() == rows_of(before)
    (new,) = book.record([replace(lesson, found=True, replaces=lesson.id)])
    assert (new.id, book.inspection(lesson.id).void) == ("0004-8", "→ 0004-8")


def opened(cls: Callable[..., Any], *more: object) -> Callable[[Path], object]:
    return lambda path: cls(path, *more)


@pytest.mark.parametrize(
    ("name", "use"),
    [
        ("quarantine_v0", opened(Quarantine, 400)),
        ("days_v0", opened(PendingDays)),
        ("turns_v0", opened(TurnBook)),
        ("register_v1", lambda path: RegisterBook(path).load()),
        ("register_v2", lambda path: RegisterBook(path).void("1-3", "x")),
        ("register_v1", lambda path: RegisterBook(path).import_rows(Rows())),
    ],
)
def test_a_file_of_a_later_version_is_refused_by_name(
    tmp_path: Path, name: str, use: Callable[[Path], object]
) -> None:
    path = older(tmp_path, name)
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")
    with pytest.raises(RefusedError, match=r"old\.db.*升级"):
        use(path)
    assert layout(path) == 99
