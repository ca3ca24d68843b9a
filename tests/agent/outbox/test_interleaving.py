"""Any order of putting, sending, receipts and crashes: nothing is lost."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from agent.clock import Clock
from agent.outbox import WINDOW, Limits, Outbox
from agent.wire import Held, Receipt, StoredRange
from outbox_cases import MACHINE, NOW, READING


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
