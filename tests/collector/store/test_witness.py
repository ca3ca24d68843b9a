"""An answer counts only where the rows that must be there are there, before it and after it."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from collector.store import witness
from collector.store.base import UnavailableError
from collector.store.witness import Witness


class Server:
    """A database of many partitions, some of which may be away or have missed the last writes."""

    def __init__(self) -> None:
        self.rows: dict[int, int] = {}
        self.old: dict[int, int] | None = None  # what a store that was away answers with
        self.away: set[int] = set()
        self.takes = True
        self.writes = self.asks = 0

    def write(self, database: str, lines: bytes) -> None:
        if not self.takes:
            raise UnavailableError("no connections available")
        self.writes += 1
        for part, number in re.findall(r"part=(\d+) n=(\d+)i", lines.decode()):
            self.rows[int(part)] = int(number)

    def ask(self, database: str, asked: str) -> Iterator[Mapping[str, Any]]:
        self.asks += 1
        rows = self.rows if self.old is None else self.old
        here = [number for part, number in rows.items() if part not in self.away]
        if here:
            yield {"columns": ["time", "n"], "values": [[0, number] for number in here]}


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Server:
    for name in ("_PATIENCE_S", "_POLL_S", "SETTLES_S"):
        monkeypatch.setattr(witness, name, 0.001)
    return Server()


def of(server: Server) -> Witness:
    return Witness(server.write, server.ask, 0.01)


def asked(one: Witness) -> None:
    """As a question is: before it, and after it."""
    one.before("d")
    one.after("d")


def test_a_whole_server_is_asked_little(server: Server) -> None:
    one = of(server)
    for _ in range(20):
        asked(one)
    assert server.writes == 1
    assert len(server.rows) == 64
    assert server.asks < 2 * 20 + 3


@pytest.mark.parametrize("gone", [range(64), range(32), [17]])
def test_a_partition_that_nobody_serves_is_never_no_rows(server: Server, gone: Any) -> None:
    one = of(server)
    asked(one)
    server.away = set(gone)
    with pytest.raises(UnavailableError, match="64"):
        one.after("d")  # after an answer: at once
    for reader in (one, of(server)):
        with pytest.raises(UnavailableError):
            asked(reader)
    server.away = set()
    for reader in (one, of(server)):
        asked(reader)


def test_a_copy_that_missed_writes_is_found_though_it_has_every_row(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = of(server)
    asked(one)
    server.old = dict(server.rows)
    monkeypatch.setattr(witness, "_EVERY_S", 0.0)
    with pytest.raises(UnavailableError):
        one.before("d")
    with pytest.raises(UnavailableError):
        of(server).before("d")
    server.old = None
    asked(one)


def test_a_server_that_takes_no_writes_is_not_read(server: Server) -> None:
    asked(of(server))
    server.takes = False
    with pytest.raises(UnavailableError, match="no connections"):
        of(server).before("d")


def test_it_goes_between_question_and_answer(server: Server) -> None:
    one = of(server)
    one.before("d")
    server.away = {3}
    with pytest.raises(UnavailableError):
        one.after("d")
    server.away = set()
    asked(one)


def test_readers_with_other_clocks_do_not_stop_each_other(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def at(ns: int, call: Callable[[str], None]) -> None:
        monkeypatch.setattr(witness.time, "time_ns", lambda: ns)
        call("d")

    ahead, behind = of(server), of(server)
    monkeypatch.setattr(witness, "_EVERY_S", 0.0)
    for _ in range(3):
        for ns, one in ((9 * 10**18, ahead), (10**18, behind), (9 * 10**18, ahead)):
            at(ns, one.before)
    one, two = of(server), of(server)
    at(9 * 10**18, one.before)
    at(10**18, two.before)
    one.after("d")


def test_threads_share_one(server: Server) -> None:
    one, failed = of(server), []

    def many() -> None:
        try:
            for _ in range(50):
                asked(one)
        except UnavailableError as error:
            failed.append(error)

    threads = [threading.Thread(target=many) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed
    assert server.writes == 1
