"""Files that cannot be read, and a disk that is full."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest

from agent.wire.topics import receipt_topic
from collector.enrol import seen
from collector.service.renewals import Renewals
from voice import until

from .conftest import PC, SCHOOL, Said, hello, put, renewal


def test_hellos_are_written_down_where_the_files_cannot_be_listed(
    running: Renewals, tmp_path: Path, monkeypatch: Any
) -> None:
    put(tmp_path, renewal(1))

    def failing() -> Any:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(running, "_changed", failing)
    hello(running, PC[0], 1)
    until(lambda: seen.read(tmp_path / "credentials.db"))


def test_a_damaged_file_renews_nobody_and_ends_nothing(
    running: Renewals, tmp_path: Path, caplog: Any
) -> None:
    put(tmp_path, renewal())
    path = tmp_path / "renewals" / f"{SCHOOL}.json"
    for damaged in (b"", b"{", b"[]", b'{"generation": 0}', b"\xff", b"null"):
        path.write_bytes(damaged)
        assert hello(running, PC[0], 1) is None
    assert "schoolpulse enrol --all" in caplog.text
    put(tmp_path, renewal())
    assert hello(running, PC[0], 1) == renewal()


def test_a_file_that_stays_damaged_is_logged_once(
    running: Renewals, tmp_path: Path, caplog: Any
) -> None:
    put(tmp_path, renewal())
    (tmp_path / "renewals" / f"{SCHOOL}.json").write_bytes(b"{")
    for machine in PC * 3:
        assert hello(running, machine, 1) is None
    assert caplog.text.count("renewal_unreadable") == 1


def test_a_full_disk_loses_no_word(running: Renewals, tmp_path: Path, monkeypatch: Any) -> None:
    put(tmp_path, renewal())
    real, failed = running._book.note, threading.Event()

    def failing(heard: Any) -> None:
        if not failed.is_set():
            failed.set()
            raise sqlite3.OperationalError("database or disk is full")
        real(heard)

    monkeypatch.setattr(running._book, "note", failing)
    hello(running, PC[0], 1)
    assert failed.wait(30)
    until(lambda: seen.read(tmp_path / "credentials.db"))


def test_a_file_that_could_not_be_read_is_read_again(
    running: Renewals, tmp_path: Path, said: Said, monkeypatch: Any, caplog: Any
) -> None:
    """And who said hello meanwhile is told. Writing it anew would be no fix."""

    def failing(_: Path) -> bytes:
        raise OSError(24, "Too many open files")

    with monkeypatch.context() as few:
        few.setattr(Path, "read_bytes", failing)
        put(tmp_path, renewal())
        for _ in range(3):
            assert hello(running, PC[0], 1) is None
    assert caplog.text.count("renewal_unreadable") == 1, "once, however often it is tried"
    assert "Too many open files" in caplog.text
    assert "enrol" not in caplog.text
    until(lambda: said.receipts == {receipt_topic(SCHOOL, PC[0]): [renewal()]})
    assert hello(running, PC[1], 1) == renewal()


def test_who_says_hello_while_the_file_is_damaged_is_told_once_it_is_whole(
    running: Renewals, tmp_path: Path, said: Said
) -> None:
    put(tmp_path, renewal())
    (tmp_path / "renewals" / f"{SCHOOL}.json").write_bytes(b"")
    assert hello(running, PC[0], 1) is None
    put(tmp_path, renewal())
    until(lambda: said.receipts == {receipt_topic(SCHOOL, PC[0]): [renewal()]})


def test_on_a_full_disk_they_are_told(tmp_path: Path, said: Said, monkeypatch: Any) -> None:
    """Those of whom nothing could be written down, too."""
    made = Renewals(tmp_path, said)
    put(tmp_path, renewal(1))
    hello(made, PC[0], 1)
    made._look()

    def full(_: Any) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    monkeypatch.setattr(made._book, "note", full)
    hello(made, PC[1], 1)
    put(tmp_path, renewal(2))
    with pytest.raises(sqlite3.OperationalError):
        made._look()
    assert set(said.receipts) == {receipt_topic(SCHOOL, machine) for machine in PC[:2]}
    made._book.close()


def test_who_was_to_be_told_while_the_file_was_gone_is_told_once_it_is_there(
    tmp_path: Path, said: Said, monkeypatch: Any
) -> None:
    """As on a network disk that does not answer for a moment."""
    room = False
    made = Renewals(tmp_path, lambda topic, payload: room and said(topic, payload))
    put(tmp_path, renewal(1))
    hello(made, PC[0], 1)
    put(tmp_path, renewal(2))
    made._look()
    path = tmp_path / "renewals" / f"{SCHOOL}.json"
    path.rename(tmp_path / "away")
    made._look()
    (tmp_path / "away").rename(path)
    room = True
    made._look()
    assert said.receipts == {receipt_topic(SCHOOL, PC[0]): [renewal(2)]}
    made._book.close()
