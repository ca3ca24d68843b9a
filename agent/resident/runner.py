"""The resident agent: reports every few minutes, and at once when a device changes.

Three threads: the runner's own reports, the loop's serves the link, and during a line test one
waits for the test's child process.
"""

from __future__ import annotations

import datetime as dt
import os
import random
import socket
import sqlite3
import threading
import time
from collections.abc import Callable
from typing import NamedTuple

import msgspec

from agent import identity, renewed
from agent.clock import Clock, wall_ms
from agent.common import log
from agent.common.calendar import Calendar
from agent.config import Config
from agent.identity import Identity
from agent.mqtt import Callbacks, Link, Loop, Sender, State
from agent.outbox import Limits, Outbox, OutboxError
from agent.resident import place, schedule, updating
from agent.resident import status as status_file
from agent.resident.gather import Gatherer, health
from agent.resident.line_measure import measure_planned
from agent.resident.line_turns import LineTurns, Measure, Plan
from agent.resident.schedule import PlannedTest, next_report
from agent.resident.status import Status
from agent.wire.messages import AgentHealth, Inventory, LineTest, Policy, Receipt
from agent.wire.postponed import Postponed

#: The runner takes a turn at least this often, s.
_LONGEST = 60.0
#: A change is reported at once, and again after this, s: the keeper counts it once it has lasted
#: two minutes, and a stolen projector should be known in three.
_CONFIRM_S = 130.0
#: The status is written at most this often, s: after an outage receipts come by the hundred.
_STATUS_S = 1.0


class Who(NamedTuple):
    """The identity of a run, the sources that a policy excluded from it, and the source keys."""

    identity: Identity
    exclude: tuple[str, ...] = ()
    keys: tuple[bytes, ...] = ()


class Runner:
    """One run of the agent, with one machine id."""

    def __init__(
        self,
        config: Config,
        who: Who,
        clock: Clock | None = None,
        measure: Measure | None = None,
        draw: Callable[[], float] = random.random,
    ) -> None:
        """Open the outbox and get ready; nothing is sent yet.

        Raises:
            OSError, sqlite3.Error: the data folder cannot be written, or a TLS file read.
            SettingsError: a probe of the settings does not exist.
        """
        self.exclude = who.exclude  # differs from the one given: derive the id again
        self._config = config
        self._who = who
        self._clock = clock or Clock()
        self._draw = draw
        self._gatherer = Gatherer(config.probes.enabled, config.devices)
        self._inventory = identity.inventory(weak=who.identity.weak, room=config.room)
        self._policy: Policy | None = None
        self._policy_error = ""
        self._last_receipt: int | None = None
        self._started = wall_ms()
        self._wake = threading.Event()
        self._stopping = False
        self._first = True
        self._unsaved = False
        self._saved_at = 0.0
        self._report_at = self._check_at = time.monotonic()
        self._outbox = self._open_outbox()
        self._loop = Loop()
        self._link = self._new_link()
        self._tests = self._new_line_turns(measure or self._measure)
        self._updates = updating.updates(config, who.identity.machine, self._report_now)

    def _open_outbox(self) -> Outbox:
        settings, machine = self._config.outbox, self._who.identity.machine
        limits = Limits(settings.limit_bytes, settings.limit_days)
        return Outbox(self._config.folder / "outbox.db", machine, self._clock, limits=limits)

    def _new_line_turns(self, measure: Measure) -> LineTurns:
        who = schedule.Who(self._config.school, self._who.identity.machine)
        return LineTurns(who, measure, self._tested, at_start=self._config.line.at_start)

    def _new_link(self) -> Link:
        machine = self._who.identity.machine
        sender = Sender(self._config.school, machine, self._hello_inventory)
        callbacks = Callbacks(
            self._on_policy, self._on_receipt, self._on_state, self._on_bad_policy
        )
        self._accounts = renewed.accounts(self._config)
        return Link(self._accounts, sender, self._outbox, self._clock, self._loop, callbacks)

    def stop(self) -> None:
        """End the run; safe in a signal handler."""
        self._stopping = True
        self._wake.set()

    def run(self) -> bool:
        """Run until `stop`, or until the id must be derived again (see `exclude`).

        Returns False if the link's thread has died, else True.
        """
        self._loop.start()
        self._link.start()
        try:
            while not self._stopping and self._loop.alive:
                self._turn()
                self._wake.wait(self._pause())
                self._wake.clear()
        finally:
            self._finish()
        return self._stopping

    def _finish(self) -> None:
        if self._loop.alive:
            self._link.stop()
            self._loop.stop()
        self._save_status()
        self._outbox.close()

    # The runner's own thread

    def _turn(self) -> None:
        try:
            self._report_if_due()
            self._tests.plan(self._plan(), self._now())
            self._tests.turn(self._now())
            parts = updating.Parts(self._clock, self._outbox, self._link, self._tests)
            updating.turn(self._updates, self._policy, parts)
        except (OutboxError, sqlite3.Error, OSError) as error:
            log.error("report_lost", reason=error)
        if not self._unsaved or time.monotonic() - self._saved_at >= _STATUS_S:
            self._save_status()

    def _report_if_due(self) -> None:
        now = time.monotonic()
        due, changed = now >= self._report_at, False
        if not due and now >= self._check_at:
            self._check_at = now + self._config.probes.check_s
            due = changed = self._gatherer.changed()
        if due:
            self._check_at = now + self._config.probes.check_s
            following = next_report(now, self._report_s, self._draw)
            self._report_at = min(following, now + _CONFIRM_S) if changed else following
            self._report()

    def _report(self) -> None:
        inventory = self._hello_inventory() if self._first else None
        readings, failed = self._gatherer.all(inventory)
        ran = tuple(name for name in self._gatherer.enabled if name not in failed)
        own = self._health(failed, ran)
        self._outbox.put((*readings, own))
        self._updates.said(own.update)
        self._first = False

    def _pause(self) -> float:
        now = time.monotonic()
        # A new policy with a shorter period takes effect at once.
        self._report_at = min(self._report_at, now + self._report_s * 1.1)
        waits = [_LONGEST, self._report_at - now, self._check_at - now]
        test = self._tests.wait(self._now())
        waits += [] if test is None else [test]
        waits += [_STATUS_S] if self._unsaved else []
        return max(0.0, min(waits))

    @property
    def _report_s(self) -> int:
        return place.report_every(self._config, self._policy)

    def _health(self, failed: tuple[str, ...] = (), ran: tuple[str, ...] = ()) -> AgentHealth:
        who = self._who.identity
        reading = health(
            self._outbox.counts(), failed, room=self._config.room, weak=who.weak, ran=ran,
            sources=who.digests,
        )  # fmt: skip
        update = self._updates.state
        return msgspec.structs.replace(reading, policy_error=self._policy_error, update=update)

    def _now(self) -> dt.datetime | None:
        now = self._clock.now()
        return None if now is None else dt.datetime.fromtimestamp(now / 1000, dt.UTC)

    @property
    def _room(self) -> str:
        machine = self._who.identity.machine
        return place.room_of(self._config, self._policy, machine, socket.gethostname())

    def _hello_inventory(self) -> Inventory:
        return self._inventory

    # Line tests

    def _plan(self) -> Plan:
        calendar = Calendar() if self._policy is None else self._policy.calendar
        return Plan(place.lines_of(self._config, self._policy, self._room), calendar)

    def _measure(self, planned: PlannedTest, left_s: float | None) -> LineTest | Postponed:
        who = schedule.Who(self._config.school, self._who.identity.machine)
        key = self._accounts.current.line_key
        return measure_planned(self._config, who, planned, left_s, renewed_key=key)

    def _tested(self, test: LineTest) -> None:
        log.info("line_tested", outcome=test.outcome, down_mbps=test.down_mbps)
        try:
            self._outbox.put((test, self._health()), evidence=True)
        except (OutboxError, sqlite3.Error) as error:
            log.error("line_test_lost", reason=error)
        self._wake.set()

    # The loop's thread, and the update's

    def _report_now(self) -> None:
        self._report_at = time.monotonic()
        self._wake.set()

    def _on_bad_policy(self, reason: str) -> None:
        """Keep the old policy, and report the error at once."""
        log.warning("policy_refused", reason=reason)
        self._policy_error = reason[:256]
        self._report_now()

    def _on_policy(self, policy: Policy) -> None:
        self._policy, self._policy_error = policy, ""
        log.info("policy", issued=policy.issued, report_s=policy.report_s)
        if self._must_derive(policy):
            self.exclude = policy.exclude_sources
            self.stop()
        self._wake.set()

    def _must_derive(self, policy: Policy) -> bool:
        """Whether the policy excludes other sources than before, and that changes our id."""
        if policy.exclude_sources == self._who.exclude:
            return False
        derived = identity.identify(exclude=policy.exclude_sources, keys=self._who.keys)
        return derived != self._who.identity

    def _on_receipt(self, receipt: Receipt) -> None:
        self._last_receipt = receipt.now
        self._unsaved = True
        self._wake.set()

    def _on_state(self, state: State, error: str) -> None:
        log.info("link", state=state.value, reason=error)
        self._wake.set()

    # Status

    def _save_status(self) -> None:
        self._unsaved = False
        self._saved_at = time.monotonic()
        status_file.write(self._config.folder, self._status())

    def _status(self) -> Status:
        planned = self._tests.planned
        lines = place.lines_of(self._config, self._policy, self._room)
        return Status(
            pid=os.getpid(),
            written=wall_ms(),
            school=self._config.school,
            machine=self._who.identity.machine,
            boot=self._outbox.boot,
            started=self._started,
            weak_id=self._who.identity.weak,
            link=self._link.state.value,
            mqtt="5" if self._link.mqtt5 else "3.1.1",
            error=self._link.error,
            room=self._room,
            line=lines[0].line if lines else "",
            report_s=self._report_s,
            last_receipt=self._last_receipt,
            offset_ms=self._clock.offset(),
            next_test=None if planned is None else int(planned.time.timestamp() * 1000),
            next_kind="" if planned is None else planned.kind,
            threshold_mbps=place.threshold_of(self._policy),
            server=lines[0].server if lines else "",
            exclude_sources=self.exclude,
        )
