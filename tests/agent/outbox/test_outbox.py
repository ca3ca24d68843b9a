"""The outbox: nothing is lost, and every sending of a report is the same bytes."""

from __future__ import annotations

import datetime as dt
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.clock import Clock
from agent.outbox import WINDOW, FullError, Limits, Outbox, TooLargeError
from agent.outbox.receipt import KEEP_MS
from agent.outbox.reserve import SIZE
from agent.wire import AgentHealth, Device, Held, Receipt, Report, StoredRange, decode_message

MACHINE = "0123456789abcdef" * 2
OTHER = "fedcba9876543210" * 2
NOW = 1_790_000_000_000
READING = (AgentHealth(version="1"),)
Y2010 = int(dt.datetime(2010, 3, 1, tzinfo=dt.UTC).timestamp() * 1000)
Y2040 = int(dt.datetime(2040, 3, 1, tzinfo=dt.UTC).timestamp() * 1000)


def opened(tmp_path: Path, pc: Any, machine: str = MACHINE, **more: Any) -> Outbox:
    return Outbox(tmp_path / "outbox.db", machine, pc.clock, draw=lambda: 0.5, **more)


def report(payload: bytes) -> Report:
    message = decode_message(payload)
    assert isinstance(message, Report)
    return message


def stored(outbox: Outbox, first: int, last: int, now: int = NOW) -> Receipt:
    return Receipt(v=1, now=now, stored=(StoredRange(outbox.boot, first, last),))


def test_numbers_begin_after_the_hello(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    assert [outbox.put(READING) for _ in range(3)] == [2, 3, 4]


def test_each_boot_is_its_own(tmp_path: Path, pc: Any) -> None:
    first = opened(tmp_path, pc)
    first.close()
    second = opened(tmp_path, pc)
    assert first.boot != second.boot
    assert len(second.boot) == 16
    assert second.put(READING) == 2


def test_nothing_leaves_before_there_is_an_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    assert outbox.due() == []
    assert outbox.next_due() is None
    pc.learns_time()
    assert len(outbox.due()) == 1


@pytest.mark.parametrize("wall", [Y2010, NOW, Y2040])
def test_the_sealed_time_is_the_collectors(tmp_path: Path, make_pc: Any, wall: int) -> None:
    pc = make_pc(wall)
    outbox = opened(tmp_path, pc)
    outbox.put(READING, evidence=True)
    pc.passes(60_000)
    pc.learns_time(NOW)
    (one,) = outbox.due()
    sealed = report(one.payload)
    assert sealed.time == NOW - 60_000
    assert sealed.offset_ms == NOW - (wall + 60_000)
    assert not sealed.uncertain
    assert not sealed.simulated


def test_a_clock_set_after_putting_does_not_move_the_time(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    pc.wall += 10**11
    pc.passes(1_000)
    pc.learns_time(NOW)
    assert report(outbox.due()[0].payload).time == NOW - 1_000


def test_times_grow_strictly_within_a_boot(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(10):
        outbox.put(READING)
    times = [report(one.payload).time for one in outbox.due()]
    assert times == sorted(set(times))
    outbox.receipt(stored(outbox, 2, 11))
    outbox.put(READING)
    assert report(outbox.due()[0].payload).time > times[-1]


def test_a_resend_is_the_same_bytes_and_moves_no_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    (first,) = outbox.due()
    assert outbox.due() == []
    pc.passes(600_000)
    assert outbox.due() == [first]
    assert not pc.clock.on_echo(report(first.payload).sent or 0, NOW + 10**9)


def test_a_report_sent_twice_moves_no_offset(tmp_path: Path, pc: Any) -> None:
    """Both sendings are fresh, so only the rule keeps the echo out."""
    outbox = opened(tmp_path, pc)
    pc.learns_time(NOW, took=4_000)
    outbox.put(READING)
    (one,) = outbox.due()
    outbox.reconnected()
    assert outbox.due() == [one]
    pc.passes(10)
    assert not pc.clock.on_echo(report(one.payload).sent or 0, NOW + 2_500)


def test_a_refused_sending_moves_no_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time(NOW, took=4_000)
    outbox.put(READING)
    (one,) = outbox.due()
    outbox.refused(one.boot, one.number)
    assert not pc.clock.on_echo(report(one.payload).sent or 0, NOW + 2_500)
    assert outbox.counts().rows == 1


def test_a_report_sent_once_moves_the_offset(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time(NOW, took=4_000)
    outbox.put(READING)
    (one,) = outbox.due()
    pc.passes(10)
    assert pc.clock.on_echo(report(one.payload).sent or 0, NOW + 2_500)
    assert pc.clock.now() == NOW + 2_505


def test_a_resend_after_a_restart_is_the_same_bytes(tmp_path: Path, pc: Any, make_pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    first = outbox.due()
    outbox.close()
    later = make_pc(Y2010, elapsed=3)
    later.learns_time()
    assert opened(tmp_path, later).due() == first


def test_rows_of_an_earlier_boot_are_uncertain_and_no_evidence(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING, evidence=True)
    outbox.close()
    again = opened(tmp_path, pc)
    pc.passes(3_600_000)
    pc.learns_time(NOW + 10**9)
    (one,) = again.due()
    sealed = report(one.payload)
    assert sealed.uncertain
    assert sealed.time == NOW  # what the PC believed
    again.receipt(Receipt(v=1, now=NOW, stored=(StoredRange(one.boot, 2, 2),)))
    assert again.due() == []
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        assert db.execute("SELECT count(*) FROM report").fetchone() == (0,)  # no backup kept


def test_the_window_bounds_what_is_under_way(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(WINDOW * 2):
        outbox.put(READING)
    assert [one.number for one in outbox.due()] == list(range(2, WINDOW + 2))
    assert outbox.due() == []
    outbox.receipt(stored(outbox, 2, 5))
    assert [one.number for one in outbox.due()] == list(range(WINDOW + 2, WINDOW + 6))


def test_a_receipt_of_what_was_never_sent_changes_nothing(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    outbox.receipt(stored(outbox, 1, 2**62))
    assert outbox.counts().rows == 1


def test_held_waits_for_its_time_while_others_go(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    (first,) = outbox.due()
    held = Held(outbox.boot, 2, "future_version", 3600)
    outbox.receipt(Receipt(v=1, now=NOW, held=(held,)))
    outbox.put(READING)
    assert [one.number for one in outbox.due()] == [3]
    outbox.receipt(stored(outbox, 3, 3))
    pc.passes(3_599_000)
    assert outbox.due() == []
    assert outbox.next_due() == pytest.approx(1.0)
    pc.passes(1_000)
    assert outbox.due() == [first]


def test_a_policy_releases_what_is_held(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    first = outbox.due()
    outbox.receipt(Receipt(v=1, now=NOW, held=(Held(outbox.boot, 2, "unknown_school", 3600),)))
    assert outbox.due() == []
    outbox.policy_arrived()
    assert outbox.due() == first


def test_a_new_connection_sends_what_is_under_way_again(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING)
    first = outbox.due()
    outbox.reconnected()
    assert outbox.due() == first


def test_a_new_connection_begins_with_few_and_opens_with_each_receipt(
    tmp_path: Path, pc: Any
) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(40):
        outbox.put(READING)
    before = outbox.due()
    assert len(before) == WINDOW
    outbox.reconnected()
    assert outbox.next_due() == 0.0
    sent = outbox.due()
    assert sent == before[:2]
    assert outbox.due() == []
    rounds = []
    while outbox.counts().rows:
        assert len(sent) <= WINDOW
        rounds.append(len(sent))
        for one in sent:
            outbox.receipt(stored(outbox, one.number, one.number))
        sent = outbox.due()
    assert rounds == [2, 4, 8, 16, 10]


def test_reports_that_nobody_answers_do_not_hold_up_those_behind(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(8):
        outbox.put(READING)
    outbox.due()
    outbox.reconnected()
    seen: set[int] = set()
    for _ in range(12):
        seen |= {one.number for one in outbox.due()}
        pc.passes(60_000)
    assert seen == set(range(2, 10))


def test_receipted_evidence_stays_seven_days(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    outbox.put(READING)
    evidence, _ = outbox.due()
    outbox.receipt(stored(outbox, 2, 3))
    assert outbox.counts().rows == 0
    asked = Receipt(v=1, now=NOW, again_since=NOW - 1_000)
    outbox.receipt(asked)
    assert outbox.due() == [evidence]
    outbox.receipt(Receipt(v=1, now=NOW, stored=asked.stored, again_since=NOW - 1_000))
    outbox.receipt(stored(outbox, 2, 2))
    outbox.receipt(asked)
    assert outbox.due() == []  # asked for once, given once
    pc.passes(KEEP_MS + 1)
    outbox.receipt(Receipt(v=1, now=NOW))
    outbox.receipt(Receipt(v=1, now=NOW, again_since=0))
    assert outbox.due() == []


def test_a_collectors_clock_that_is_ahead_deletes_nothing(tmp_path: Path, pc: Any) -> None:
    """Neither the backup of seven days nor what waits, whatever the clock says."""
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    outbox.put(READING, evidence=True)
    first, second = outbox.due()
    outbox.receipt(stored(outbox, 2, 2))
    ahead = NOW + 100 * 86_400_000
    pc.learns_time(ahead)
    outbox.receipt(Receipt(v=1, now=ahead))
    outbox.put(READING)
    pc.wall = ahead + 10**9  # not even where the PC's own clock agrees
    outbox.receipt(Receipt(v=1, now=ahead))
    outbox.put(READING)
    assert outbox.waiting()[0][1] == 3
    outbox.receipt(Receipt(v=1, now=NOW, again_since=0))
    outbox.reconnected()
    assert set(outbox.due()) >= {first, second}
    assert outbox.counts().dropped_evidence == 0


def test_age_is_carried_over_restarts_and_does_not_pass_while_the_pc_is_off(
    tmp_path: Path, pc: Any
) -> None:
    day = 86_400_000
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    outbox.put(READING, evidence=True)
    outbox.due()
    outbox.receipt(stored(outbox, 2, 2))
    for n in range(8):
        pc.passes(day)
        outbox.receipt(Receipt(v=1, now=NOW))
        outbox.close()
        pc.wall += 30 * day  # off for a month
        pc.elapsed = n
        outbox = opened(tmp_path, pc)
        with sqlite3.connect(tmp_path / "outbox.db") as db:
            (kept,) = db.execute("SELECT count(*) FROM report WHERE number = 2").fetchone()
        assert kept == (n < 7), n


def test_a_damaged_age_ages_nothing(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.passes(3 * 86_400_000)
    outbox.put(READING, evidence=True)
    outbox.close()
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        changed = db.execute("UPDATE fact SET value = '9' || value WHERE name = 'lived'").rowcount
    assert changed == 1
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    assert outbox.waiting()[0][1] == 2
    assert outbox.counts().dropped_evidence == 0


def test_a_cloned_outbox_is_set_aside(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    pc.learns_time()
    for _ in range(3):
        outbox.put(READING, evidence=True)
    outbox.due()
    outbox.receipt(stored(outbox, 2, 2))
    outbox.close()
    clone = opened(tmp_path, pc, OTHER)
    assert clone.counts().set_aside == 2  # the third was receipted
    assert clone.due() == []
    assert clone.counts().rows == 0
    clone.receipt(Receipt(v=1, now=NOW, again_since=0))
    assert clone.due() == []
    clone.close()
    assert opened(tmp_path, pc, OTHER).counts().set_aside == 2


def test_telemetry_is_dropped_before_evidence_oldest_first(tmp_path: Path, pc: Any) -> None:
    big = (AgentHealth(version="1", room="x" * 200),)
    outbox = opened(tmp_path, pc, limits=Limits(bytes=3_000))
    for number in range(40):
        outbox.put(big, evidence=number % 4 == 0)
    counts = outbox.counts()
    assert counts.bytes <= 3_000
    left = [number for _, number in outbox.waiting()]
    telemetry = [number for number in left if (number - 2) % 4]
    assert counts.dropped_telemetry == 30 - len(telemetry)
    assert counts.dropped_evidence == 10 - (len(left) - len(telemetry))
    assert telemetry == [] or telemetry[0] > 30
    assert counts.dropped_evidence == 0
    outbox.close()
    assert opened(tmp_path, pc).counts().dropped_telemetry == counts.dropped_telemetry


def test_evidence_is_dropped_last_and_counted(tmp_path: Path, pc: Any) -> None:
    big = (AgentHealth(version="1", room="x" * 200),)
    outbox = opened(tmp_path, pc, limits=Limits(bytes=3_000))
    for _ in range(30):
        outbox.put(big, evidence=True)
    counts = outbox.counts()
    assert counts.dropped_evidence == 30 - counts.rows > 0
    assert [number for _, number in outbox.waiting()][-1] == 31


def test_what_is_too_old_is_dropped(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc, limits=Limits(days=2))
    pc.learns_time()
    outbox.put(READING)
    outbox.due()
    pc.passes(3 * 86_400_000)
    outbox.put(READING)
    assert [number for _, number in outbox.waiting()] == [3]
    assert outbox.counts().dropped_telemetry == 1


def test_a_report_larger_than_the_wire_is_refused(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    many = tuple(Device("sound", f"{n:0200}", note="x" * 50) for n in range(1_000))
    with pytest.raises(TooLargeError):
        outbox.put(many)
    assert outbox.put(READING) == 2


def test_readings_the_disk_changed_are_counted_as_lost(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    for _ in range(3):
        outbox.put(READING)
    with sqlite3.connect(tmp_path / "outbox.db") as db:
        db.execute("UPDATE report SET readings = x'00ff' WHERE number = 3")
    pc.learns_time()
    assert [one.number for one in outbox.due()] == [2, 4]
    assert outbox.counts().lost == 1


@pytest.mark.parametrize("junk", [b"", b"this is no database" * 500, b"SQLite format 3\0" * 300])
def test_a_file_that_is_no_outbox_is_moved_aside(tmp_path: Path, pc: Any, junk: bytes) -> None:
    (tmp_path / "outbox.db").write_bytes(junk)
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    assert outbox.counts().rows == 1
    if junk:
        assert outbox.damaged is not None
        assert outbox.damaged.read_bytes() == junk
        assert outbox.counts().lost >= 1


def test_a_damaged_page_costs_only_its_own_rows(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    big = (AgentHealth(version="1", room="x" * 250),)
    for _ in range(400):
        outbox.put(big, evidence=True)
    outbox.close()
    path = tmp_path / "outbox.db"
    whole = bytearray(path.read_bytes())
    middle = whole.index(b"x" * 250, len(whole) // 2) // 4096 * 4096  # a page of rows
    whole[middle : middle + 4096] = os.urandom(4096)
    path.write_bytes(whole)
    again = opened(tmp_path, pc)
    assert again.damaged is not None
    counts = again.counts()
    assert counts.rows > 300
    assert counts.rows + counts.lost >= 400
    assert counts.lost >= 1
    again.put(READING)
    pc.learns_time()
    assert again.due()


def test_damage_while_running_is_repaired(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    for _ in range(50):
        outbox.put(READING)
    outbox._db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path = tmp_path / "outbox.db"
    with path.open("r+b") as file:
        file.write(os.urandom(path.stat().st_size))
    outbox._db.execute("PRAGMA shrink_memory")
    outbox.put(READING)
    assert outbox.damaged is not None
    assert outbox.counts().rows >= 1


_PUT = """
import sys
from pathlib import Path
from agent.clock import Clock
from agent.outbox import Outbox
from agent.wire import AgentHealth
outbox = Outbox(Path(sys.argv[1]), sys.argv[2], Clock())
while True:
    print(outbox.boot, outbox.put((AgentHealth(version="1"),), evidence=True), flush=True)
"""


def test_kill_9_while_putting_loses_nothing_that_was_put(tmp_path: Path, pc: Any) -> None:
    path = tmp_path / "outbox.db"
    said: set[tuple[str, int]] = set()
    for lines in (1, 40, 90):
        process = subprocess.Popen(
            [sys.executable, "-c", _PUT, str(path), MACHINE], stdout=subprocess.PIPE, text=True
        )
        assert process.stdout is not None
        for _ in range(lines):
            boot, number = process.stdout.readline().split()
            said.add((boot, int(number)))
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate()
        said |= {
            (line.split()[0], int(line.split()[1])) for line in rest.splitlines() if " " in line
        }
    outbox = opened(tmp_path, pc)
    assert outbox.damaged is None
    assert said <= set(outbox.waiting())
    assert len(outbox.waiting()) - len(said) <= 3  # put, and killed before saying so


def test_a_full_disk_drops_and_counts_the_report(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    outbox.put(READING)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    dropped = 0
    for _ in range(200):
        try:
            outbox.put((AgentHealth(version="1", room="x" * 250),), evidence=True)
        except FullError:
            dropped += 1
    assert dropped
    assert outbox.counts().dropped_evidence == dropped
    outbox._db.execute("PRAGMA max_page_count = 100000")
    outbox.put(READING)
    outbox.close()
    assert opened(tmp_path, pc).counts().dropped_evidence == dropped


def test_a_full_disk_costs_the_oldest_telemetry_first(tmp_path: Path, pc: Any) -> None:
    """The newest reports are kept, and receipts are taken in though nothing can grow."""
    outbox = opened(tmp_path, pc)
    big = (AgentHealth(version="1", room="x" * 250),)
    for number in range(400):
        outbox.put(big, evidence=number % 4 == 0)
    pages = outbox._db.execute("PRAGMA page_count").fetchone()[0]
    outbox._db.execute(f"PRAGMA max_page_count = {pages}")
    for _ in range(100):
        outbox.put(big)
    counts = outbox.counts()
    assert counts.dropped_evidence == 0
    assert counts.rows + counts.dropped_telemetry == 500
    assert outbox.waiting()[-1] == (outbox.boot, 501)
    pc.learns_time()
    for _ in range(100):
        for one in outbox.due():
            outbox.receipt(stored(outbox, one.number, one.number))
    assert outbox.counts().rows == 0


def test_the_reserve_is_given_up_when_the_disk_is_full(tmp_path: Path, pc: Any) -> None:
    outbox = opened(tmp_path, pc)
    reserve = tmp_path / "outbox.db.reserve"
    assert reserve.stat().st_size == SIZE
    given: list[bool] = []
    real = outbox._enforce_limits
    outbox._enforce_limits = lambda: (given.append(reserve.exists()), real())[1]  # type: ignore[method-assign]
    outbox._handle_full_disk()
    assert given == [False]
    assert reserve.exists()  # there was room again


class Interleaving(RuleBasedStateMachine):
    """Any order of putting, sending, receipts, holding and crashes."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.wall, self.elapsed = NOW, 0
        self.owed: set[tuple[str, int]] = set()  # put, and not yet receipted
        self.bytes: dict[tuple[str, int], bytes] = {}  # as first sent
        self.stored: set[tuple[str, int]] = set()
        self._open()

    def _open(self) -> None:
        self.clock = Clock(lambda: self.wall, lambda: self.elapsed)
        path = Path(self.folder.name) / "outbox.db"
        self.outbox = Outbox(path, MACHINE, self.clock, limits=Limits(reserve=False))

    def teardown(self) -> None:
        # The promise: given time and receipts, everything that was put arrives.
        self.learns_time()
        for _ in range(200):
            self.outbox.policy_arrived()
            self.wall, self.elapsed = self.wall + 400_000, self.elapsed + 400_000
            for one in self._send():
                self._store(one)
            if not self.owed:
                break
        assert not self.owed
        assert self.outbox.counts().rows == 0
        self.outbox.close()
        self.folder.cleanup()

    @rule(evidence=st.booleans())
    def put(self, evidence: bool) -> None:
        number = self.outbox.put(READING, evidence=evidence)
        self.owed.add((self.outbox.boot, number))

    @rule(ms=st.integers(0, 400_000), jump=st.sampled_from([0, 0, 0, -(10**11), 10**11]))
    def time_passes(self, ms: int, jump: int) -> None:
        self.elapsed += ms
        self.wall = max(0, self.wall + ms + jump)

    @rule()
    def learns_time(self) -> None:
        self.clock.on_echo(self.clock.mark(), NOW + self.elapsed)

    @rule()
    def send(self) -> None:
        self._send()

    def _send(self) -> set[tuple[str, int]]:
        sent = set()
        for boot, number, payload in self.outbox.due():
            key = (boot, number)
            assert self.bytes.setdefault(key, payload) == payload
            sent.add(key)
        return sent

    def _store(self, key: tuple[str, int]) -> None:
        boot, number = key
        stored = (StoredRange(boot, number, number),)
        self.outbox.receipt(Receipt(v=1, now=NOW + self.elapsed, stored=stored))
        self.owed.discard(key)
        self.stored.add(key)

    @precondition(lambda self: self.bytes)
    @rule(data=st.data())
    def receipt(self, data: st.DataObject) -> None:
        self._store(data.draw(st.sampled_from(sorted(self.bytes))))

    @precondition(lambda self: self.bytes)
    @rule(data=st.data(), retry=st.integers(0, 4_000))
    def held(self, data: st.DataObject, retry: int) -> None:
        boot, number = data.draw(st.sampled_from(sorted(self.bytes)))
        one = Held(boot, number, "unknown_school", retry)
        self.outbox.receipt(Receipt(v=1, now=NOW, held=(one,)))

    @rule(since=st.integers(NOW - 10**6, NOW + 10**6))
    def asked_again(self, since: int) -> None:
        self.outbox.receipt(Receipt(v=1, now=NOW + self.elapsed, again_since=since))

    @rule()
    def policy(self) -> None:
        self.outbox.policy_arrived()

    @rule()
    def reconnected(self) -> None:
        self.outbox.reconnected()

    @rule()
    def crash(self) -> None:
        self.outbox.close()
        self.elapsed = self.elapsed % 7
        self._open()

    @invariant()
    def nothing_is_lost(self) -> None:
        waiting = set(self.outbox.waiting())
        assert self.owed <= waiting
        assert waiting - self.owed <= self.stored  # only what was asked for again
        counts = self.outbox.counts()
        assert counts.rows == len(waiting)
        assert counts.under_way <= WINDOW


TestInterleaving = Interleaving.TestCase
TestInterleaving.settings = settings(max_examples=40, stateful_step_count=30, deadline=None)
