"""The collector tells PCs that are behind, once a hello or a new file says so."""

from __future__ import annotations

import os
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent import wire
from agent.wire.topics import receipt_topic
from collector.enrol import pki, seen
from collector.ingest import Source
from collector.service import renewals
from collector.service.renewals import Renewals
from voice import until

SCHOOL, OTHER = "9900000001", "9900000002"
PC = tuple(f"{number:032x}" for number in range(4))
BOOT = "0123456789abcdef"
CA = pki.new_ca(pki.new_key(), pki.dt.datetime(2026, 9, 1, tzinfo=pki.dt.UTC)).decode()


def renewal(generation: int = 2, ca: str = CA) -> wire.Renewal:
    return wire.Renewal(
        generation=generation, username=f"{SCHOOL}-{generation}", password="p" * 64,
        line_key="l" * 64, ca=ca, source_key="c" * 64,
    )  # fmt: skip


def put(folder: Path, made: wire.Renewal, school: str = SCHOOL) -> None:
    path = folder / "renewals" / f"{school}.json"
    path.parent.mkdir(exist_ok=True)
    whole = path.with_suffix(".new")
    whole.write_bytes(msgspec.json.encode(made))
    os.replace(whole, path)


class Said:
    """What was published."""

    def __init__(self) -> None:
        self.receipts: dict[str, list[wire.Renewal | None]] = {}
        self.lock = threading.Lock()

    def __call__(self, topic: str, payload: bytes) -> bool:
        with self.lock:
            self.receipts.setdefault(topic, []).append(wire.decode_receipt(payload).renewal)
        return True


@pytest.fixture
def said() -> Said:
    return Said()


@pytest.fixture
def running(tmp_path: Path, said: Said, monkeypatch: Any) -> Iterator[Renewals]:
    monkeypatch.setattr(renewals, "_EVERY_S", 0.02)
    made = Renewals(tmp_path, said)
    made.start()
    yield made
    made.stop()


def hello(found: Renewals, machine: str, credential: int, ca: str = "", boot: str = BOOT) -> Any:
    return found.answer(Source(SCHOOL, machine, boot, 1), credential, ca)


@pytest.mark.parametrize(
    ("credential", "ca", "behind"),
    [
        (0, "", True), (1, "", True), (2, "", False), (3, "", False),
        (2, "ours", False), (2, "0" * 16, True), (1, "ours", True),
    ],
)  # fmt: skip
def test_who_is_behind_gets_it(
    running: Renewals, tmp_path: Path, credential: int, ca: str, behind: bool
) -> None:
    put(tmp_path, renewal())
    ca = wire.ca_digest(CA) if ca == "ours" else ca
    assert hello(running, PC[0], credential, ca) == (renewal() if behind else None)


def test_at_the_first_generation_an_old_bundle_is_up_to_date(
    running: Renewals, tmp_path: Path
) -> None:
    put(tmp_path, renewal(1))
    assert hello(running, PC[0], 0) is None


def test_a_school_without_a_credential_of_ours_is_not_written_down(
    running: Renewals, tmp_path: Path
) -> None:
    """Else whoever may speak as some school fills the disk with codes."""
    assert hello(running, PC[0], 0) is None
    running.stop()
    assert seen.read(tmp_path / "credentials.db") == {}


def test_what_they_said_is_kept_and_the_boot_with_it(running: Renewals, tmp_path: Path) -> None:
    put(tmp_path, renewal())
    hello(running, PC[0], 1)
    hello(running, PC[0], 2)
    hello(running, PC[1], 2, ca="d" * 16)
    running.stop()
    rows = {row.machine: row for row in seen.read(tmp_path / "credentials.db")[SCHOOL]}
    assert (rows[PC[0]].generation, bool(rows[PC[0]].kept)) == (2, False)
    assert (rows[PC[1]].generation, bool(rows[PC[1]].kept), rows[PC[1]].ca) == (2, True, "d" * 16)


def test_who_was_answered_by_the_old_file_is_told_of_a_new_one_at_once(
    running: Renewals, tmp_path: Path, said: Said, monkeypatch: Any
) -> None:
    """Its hello and the new file come while others' hellos are being written down."""
    put(tmp_path, renewal(1))
    note, once = running._book.note, threading.Event()

    def noted(heard: Any) -> None:
        note(heard)
        if not once.is_set():
            once.set()
            assert hello(running, PC[1], 1) is None
            put(tmp_path, renewal(2))

    monkeypatch.setattr(running._book, "note", noted)
    hello(running, PC[0], 1)
    until(lambda: set(said.receipts) == {receipt_topic(SCHOOL, machine) for machine in PC[:2]})


def test_a_file_that_changes_while_a_hello_is_answered_is_told(
    running: Renewals, tmp_path: Path, said: Said, monkeypatch: Any
) -> None:
    put(tmp_path, renewal(1))
    hello(running, PC[0], 1)
    until(lambda: seen.read(tmp_path / "credentials.db"))
    read = running._file

    def slowly(school: str) -> Any:
        found = read(school)
        if threading.current_thread() is threading.main_thread():
            put(tmp_path, renewal(2))
            threading.Event().wait(0.3)  # time enough to tell of it too early
        return found

    monkeypatch.setattr(running, "_file", slowly)
    hello(running, PC[1], 1)
    until(lambda: set(said.receipts) == {receipt_topic(SCHOOL, machine) for machine in PC[:2]})


def test_what_changed_while_we_were_away_is_told_once_there_is_a_connection(
    running: Renewals, tmp_path: Path, said: Said
) -> None:
    put(tmp_path, renewal(1))
    hello(running, PC[0], 1)
    running.stop()
    put(tmp_path, renewal(2))
    refused: list[str] = []

    def publish(topic: str, payload: bytes) -> bool:
        refused.append(topic)
        return len(refused) > 3 and said(topic, payload)

    again = Renewals(tmp_path, publish)
    again.start()
    until(lambda: said.receipts == {receipt_topic(SCHOOL, PC[0]): [renewal(2)]})
    again.stop()


def test_a_city_s_schools_are_told_a_few_at_once_and_all_in_the_end(
    tmp_path: Path, said: Said
) -> None:
    """Those with nobody to be told take nobody's place."""
    made = Renewals(tmp_path, said)
    for number in range(50):
        school = f"99000001{number:02}"
        put(tmp_path, renewal(1), school)
        if number % 2:
            made.answer(Source(school, PC[0], BOOT, 1), 1, "")
        put(tmp_path, renewal(2), school)
    told = []
    for _ in range(4):
        made._look()
        told.append(len(said.receipts))
    assert told == [10, 20, 25, 25]
    assert all(len(renewals) == 1 for renewals in said.receipts.values())
    made._book.close()


def test_hellos_are_written_down_where_the_files_cannot_be_listed(
    running: Renewals, tmp_path: Path, monkeypatch: Any
) -> None:
    put(tmp_path, renewal(1))

    def failing() -> Any:
        raise OSError(24, "too many open files")

    monkeypatch.setattr(running, "_changed", failing)
    hello(running, PC[0], 1)
    until(lambda: seen.read(tmp_path / "credentials.db"))


def test_a_new_file_is_told_to_those_who_are_here(
    running: Renewals, tmp_path: Path, said: Said
) -> None:
    """A PC that runs on for weeks says no hello."""
    put(tmp_path, renewal(1))
    for machine in PC[:2]:
        hello(running, machine, 1)
    until(lambda: seen.read(tmp_path / "credentials.db"))
    assert said.receipts == {}
    put(tmp_path, renewal(2))
    topics = [receipt_topic(SCHOOL, machine) for machine in PC[:2]]
    until(lambda: set(said.receipts) == set(topics))
    put(tmp_path, renewal(1), OTHER)
    put(tmp_path, renewal(3))
    until(lambda: all(len(said.receipts[topic]) == 2 for topic in topics))
    assert said.receipts[topics[0]] == [renewal(2), renewal(3)]
    assert set(said.receipts) == set(topics)


def test_a_damaged_file_renews_nobody_and_ends_nothing(running: Renewals, tmp_path: Path) -> None:
    put(tmp_path, renewal())
    path = tmp_path / "renewals" / f"{SCHOOL}.json"
    for damaged in (b"", b"{", b"[]", b'{"generation": 0}', b"\xff", b"null"):
        path.write_bytes(damaged)
        assert hello(running, PC[0], 1) is None
    put(tmp_path, renewal())
    assert hello(running, PC[0], 1) == renewal()


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
