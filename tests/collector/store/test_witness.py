"""An answer counts only where the rows that must be there are there, before it and after it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator, Mapping
from typing import Any
from unittest import mock

import pytest

from collector.store import witness
from collector.store.base import UnavailableError
from collector.store.witness import Witness


class Clock:
    """Time that passes by waiting alone."""

    def __init__(self) -> None:
        self.now, self.wall_ns, self.waits = 1000.0, 1_700_000_000 * 10**9, list[float]()

    def monotonic(self) -> float:
        return self.now

    def time_ns(self) -> int:
        return self.wall_ns

    def wait(self, seconds: float) -> bool:
        self.now += seconds
        self.waits.append(seconds)
        return False


class Server:
    """A database of many partitions, some of which may be away or have missed the last writes."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.late_until = 0.0  # until then it does not show what was written last
        self.rows: dict[tuple[int, int], int] = {}  # by time and part
        self.old: dict[tuple[int, int], int] | None = None  # what a store that was away has
        self.away: set[int] = set()
        self.takes = True
        self.writes = self.asks = 0

    def write(self, database: str, lines: bytes) -> None:
        if not self.takes:
            raise UnavailableError("no connections available")
        self.writes += 1
        for part, number, at in re.findall(r"part=(\d+) n=(\d+)i (\d+)", lines.decode()):
            self.rows[int(at), int(part)] = int(number)

    def ask(self, database: str, asked: str) -> Iterator[Mapping[str, Any]]:
        self.asks += 1
        rows = self.rows if self.old is None else self.old
        if self.clock.now < self.late_until:
            rows = dict.fromkeys(rows, 0)
        day = int(asked.rpartition("= ")[2])
        here = [n for (at, part), n in rows.items() if at == day and part not in self.away]
        if here:
            yield {"columns": ["time", "n"], "values": [[0, number] for number in here]}


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(witness, "time", made)
    return made


@pytest.fixture
def server(clock: Clock) -> Server:
    return Server(clock)


def of(server: Server, *, cluster: bool = False) -> Witness:
    one = Witness(server.write, server.ask, 10.0, cluster=cluster)
    one._closing = mock.Mock(wait=server.clock.wait, set=server.clock.waits.clear)
    return one


def asked(one: Witness) -> None:
    """As a question is: before it, and after it."""
    one.before("d")
    try:
        one.after("d")
    except UnavailableError:
        one.failed("d")
        raise


def test_a_whole_server_is_asked_little(server: Server, clock: Clock) -> None:
    one = of(server)
    for _ in range(20):
        asked(one)
    assert (server.writes, len(server.rows)) == (1, 256)
    assert server.asks == 2 + 20, "before the first question, and after each"
    clock.now += 1.0
    asked(one)
    assert (server.writes, server.asks) == (1, 2 + 20 + 2), "what was seen serves for a moment"
    clock.now += 5.0
    asked(one)
    assert server.writes == 2
    assert clock.waits == []


@pytest.mark.parametrize("gone", [range(256), range(32), [17]])
def test_a_partition_that_nobody_serves_is_never_no_rows(server: Server, gone: Any) -> None:
    one = of(server)
    asked(one)
    server.away = set(gone)
    with pytest.raises(UnavailableError, match="256"):
        one.after("d")  # after an answer: at once
    for reader in (one, of(server)):
        with pytest.raises(UnavailableError):
            asked(reader)
    server.away = set()
    for reader in (one, of(server)):
        asked(reader)


def test_a_copy_that_missed_writes_is_found_though_it_has_every_row(
    server: Server, clock: Clock
) -> None:
    one = of(server)
    asked(one)
    server.old = dict(server.rows)
    clock.now += 6
    clock.wall_ns += 6 * 10**9
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


def test_what_failed_is_given_time_before_it_counts_again(server: Server, clock: Clock) -> None:
    """A store that has caught up gives old series at once, and new ones a moment later."""
    one = of(server, cluster=True)
    asked(one)
    assert clock.now >= 1010, "it may have come back just now"
    for fault in ("no quorum", "a miss", "an answer"):
        clock.now += 6
        begun = clock.now
        asked(one)
        assert clock.now == begun
        server.takes, server.away = fault != "no quorum", {1} if fault == "a miss" else set()
        if fault == "an answer":
            one.failed("d")
        else:
            clock.now += 6
            with pytest.raises(UnavailableError):
                asked(one)
        server.takes, server.away = True, set()
        begun, writes = clock.now, server.writes
        asked(one)
        assert 10 <= clock.now - begun < 11
        assert server.writes - writes <= 2, "a new one after the wait, no more"


def test_what_comes_late_is_given_time_too(server: Server, clock: Clock) -> None:
    one = of(server)
    asked(one)
    for late_s, given in ((0.2, False), (1.0, True)):
        clock.now += 6
        server.late_until = clock.now + late_s
        begun = clock.now
        asked(one)
        assert (clock.now - begun > 10) == given


def test_a_wait_ends_when_the_store_is_closed(server: Server) -> None:
    one = Witness(server.write, server.ask, 10.0, cluster=True)
    one.close()
    with pytest.raises(UnavailableError):
        one.before("d")


DAY_NS = 86_400 * 10**9


def test_its_rows_are_in_the_shard_that_reports_go_into(server: Server, clock: Clock) -> None:
    """A shard of its own, written to disk alone, would count for that of the reports."""
    one = of(server)
    for day in (19_675, 19_676, 19_677):
        clock.wall_ns = day * DAY_NS + 3600 * 10**9
        server.late_until = clock.now + 3.0  # a new shard's rows are
        asked(one)
    assert {at // DAY_NS for at, _ in server.rows} == {19_675, 19_676, 19_677}
    assert clock.now < 1050, "no longer than new rows take"


def test_a_new_days_rows_are_written_before_they_are_waited_for(
    server: Server, clock: Clock
) -> None:
    one = of(server)
    asked(one)
    clock.wall_ns += DAY_NS
    asked(one)
    assert server.writes == 2, "though the day before had a number just now"
    assert clock.waits == []


def test_a_day_whose_rows_were_not_taken_is_tried_again(server: Server, clock: Clock) -> None:
    one = of(server)
    asked(one)
    clock.wall_ns += DAY_NS
    server.takes = False
    with pytest.raises(UnavailableError):
        asked(one)
    server.takes = True
    waited = len(clock.waits)
    one._looked("d")
    assert len(clock.waits) == waited, "not for rows that nobody wrote"


@pytest.mark.parametrize("apart", [3600 * 10**9, 9 * 10**18])
def test_readers_with_other_clocks_do_not_stop_each_other(
    server: Server, clock: Clock, apart: int
) -> None:
    ahead, behind = of(server), of(server)
    for _ in range(3):
        for ns, one in ((10**18 + apart, ahead), (10**18, behind), (10**18 + apart, ahead)):
            clock.wall_ns = ns
            clock.now += 6
            one.before("d")
    clock.wall_ns = 10**18 + apart
    ahead.before("d")
    clock.wall_ns = 10**18
    clock.now += 6
    behind.before("d")
    ahead.after("d")
    assert clock.waits == []


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
