"""PCs that are on are told once the file of their school changes."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

from agent.wire.topics import receipt_topic
from collector.enrol import seen
from collector.ingest import Source
from collector.service.renewals import Renewals
from voice import until

from .conftest import BOOT, OTHER, PC, SCHOOL, Said, hello, put, renewal


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


def test_where_there_is_room_for_some_each_is_told_once_and_of_the_newest(
    tmp_path: Path, said: Said
) -> None:
    room = 0

    def publish(topic: str, payload: bytes) -> bool:
        nonlocal room
        room -= 1
        return room >= 0 and said(topic, payload)

    made = Renewals(tmp_path, publish)
    put(tmp_path, renewal(1))
    for machine in PC:
        assert hello(made, machine, 1) is None
    put(tmp_path, renewal(2))
    told = []
    for more in (0, 1, 0, 2, 9, 9):
        room = more
        made._look()
        told.append(sum(map(len, said.receipts.values())))
    assert told == [0, 1, 1, 3, 4, 4]
    assert all(given == [renewal(2)] for given in said.receipts.values())
    made._book.close()


def test_a_file_that_changes_twice_before_there_is_room_is_told_once(
    tmp_path: Path, said: Said
) -> None:
    room = False
    made = Renewals(tmp_path, lambda topic, payload: room and said(topic, payload))
    put(tmp_path, renewal(1))
    for machine in PC:
        hello(made, machine, 1)
    for generation in (2, 3, 4):
        put(tmp_path, renewal(generation))
        made._look()
    room = True
    made._look()
    assert said.receipts == {receipt_topic(SCHOOL, machine): [renewal(4)] for machine in PC}
    made._book.close()


def test_no_hello_is_answered_with_a_later_file_before_the_earlier_one_is_sent(
    tmp_path: Path, said: Said
) -> None:
    """A PC takes a former CA of the same generation for news."""
    answered = threading.Event()
    late: list[threading.Thread] = []

    def publish(topic: str, payload: bytes) -> bool:
        put(tmp_path, renewal(3))
        late.append(threading.Thread(target=lambda: (hello(made, PC[0], 1), answered.set())))
        late[0].start()
        assert not answered.wait(0.2)
        return said(topic, payload)

    made = Renewals(tmp_path, publish)
    put(tmp_path, renewal(1))
    hello(made, PC[0], 1)
    put(tmp_path, renewal(2))
    made._look()
    late[0].join(30)
    assert answered.is_set()
    assert said.receipts == {receipt_topic(SCHOOL, PC[0]): [renewal(2)]}
    made._book.close()
