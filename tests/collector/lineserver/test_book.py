"""Turns on disk: a server that is killed forgets no lease and no count."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from agent.wire import LineRecord
from collector.lineserver.book import TurnBook
from collector.lineserver.ledger import Ledger
from collector.lineserver.running import Running
from collector.lineserver.turns import Later, Limits, Wish

NOON = 1_788_753_600.0  # 2026-09-07 12:00 in the city
WISH = Wish("9963010001", "ab" * 16, "主线", 15, "q0")


class Server:
    """A ledger on one file, started again and again; its clock stands where it is put."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.now = NOON
        self.records: list[LineRecord] = []

    def start(self, limits: Limits = Limits(), *, dies: bool = False) -> Ledger:  # noqa: B008
        self.book = TurnBook(self.path)
        made = Ledger(self.records.append, self.book, lambda _: limits, lambda: self.now)
        if not dies:  # the sampler of one that was killed samples no more
            made.start()
        return made


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return Server(tmp_path / "turns.db")


def granted(ledger: Ledger, wish: Wish = WISH) -> Running:
    running = ledger.ask(wish)
    assert isinstance(running, Running), running
    return running


def test_a_served_window_stays_served(server: Server) -> None:
    first = server.start()
    first.close(granted(first), "ok")
    again = server.start()
    assert isinstance(again.ask(WISH), Later)


def test_a_lease_outlives_the_server_and_its_record_is_made(server: Server) -> None:
    running = granted(server.start(dies=True))
    again = server.start()
    assert [(r.test, r.outcome) for r in server.records] == [(running.turn.id, "expired")]
    assert isinstance(again.ask(WISH), Later)
    server.now += 60
    granted(again)


def test_the_months_bytes_are_counted_over_restarts(server: Server) -> None:
    first = server.start()
    running = granted(first)
    running.count_sent(600)
    first.close(running, "ok")
    wish = Wish(WISH.school, "cd" * 16, WISH.line, 15, "q1")
    assert isinstance(server.start(Limits(month_bytes=600)).ask(wish), Later)
    granted(server.start(Limits(month_bytes=601)), wish)


def test_what_cannot_be_kept_is_not_granted(server: Server) -> None:
    ledger = server.start()
    server.book._base.execute("PRAGMA query_only = ON")  # a full disk
    assert ledger.ask(WISH) == Later("full", 60)
    server.book._base.execute("PRAGMA query_only = OFF")
    granted(ledger)


def test_a_file_that_is_none_of_ours_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "turns.db").write_bytes(b"no database at all, but long enough" * 50)
    with pytest.raises(sqlite3.DatabaseError):
        TurnBook(tmp_path / "turns.db")


def test_a_disk_that_took_nothing_for_a_while_costs_no_window(server: Server) -> None:
    ledger = server.start()
    server.book._base.execute("PRAGMA query_only = ON")
    assert [ledger.ask(WISH) for _ in range(4)] == [Later("full", 60)] * 4
    server.book._base.execute("PRAGMA query_only = OFF")
    granted(ledger)


def test_a_turn_on_disk_that_cannot_be_read_is_reported_with_its_file(server: Server) -> None:
    granted(server.start(dies=True))
    server.book._base.execute("UPDATE turn SET wish = '{}'")
    with pytest.raises(sqlite3.DatabaseError, match=r"turns\.db"):
        server.start()
