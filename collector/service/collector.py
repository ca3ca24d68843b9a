"""The collector: its threads, put together, started and stopped.

links.reports ─▶ reception ─▶ inbox ──batches──▶ worker ──▶ store, then receipts ──▶ links.outgoing
                  └─ hellos: receipted at once       roster: policies ──────┘
"""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time

from agent.common import log
from collector.config import Config
from collector.ingest import Noted, day_of, decode
from collector.release.watch import ReleaseWatch
from collector.service.clock_watch import ClockWatch
from collector.service.expiry import days_left
from collector.service.files import Files
from collector.service.hellos import Hellos
from collector.service.keeper_process import KeeperProcess
from collector.service.keeper_thread import Deriver, KeeperThread
from collector.service.links import Links
from collector.service.machine_watch import MachineWatch
from collector.service.metrics import Metrics, ca_ends
from collector.service.mqtt.callbacks import each
from collector.service.pipeline import allowances
from collector.service.pipeline.answers import Answers
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.gate import Gate
from collector.service.pipeline.inbox import Inbox
from collector.service.pipeline.pending_days import NOTHING_NEW, Pair
from collector.service.pipeline.presences import Presences, of_last_day
from collector.service.pipeline.sorter import Sorter
from collector.service.pipeline.storer import Storer
from collector.service.pipeline.worker import Worker
from collector.service.pipeline.writer import Writer
from collector.service.policies import limits_of
from collector.service.presence_check import PresenceCheck
from collector.service.reception import Reception
from collector.service.renewals import Renewals
from collector.service.retained import Retained
from collector.service.roster import LoadRegister, Roster, Version
from collector.service.self_metrics import SelfMetrics
from collector.service.shared_ids import SharedSources
from collector.store.base import Store, Value

#: SIGTERM to exit is promised within 5 s; the rest is for the interpreter to end.
STOP_S = 3.5
#: How long a message waits for room in a full inbox while the store answers, s.
_PUT_TIMEOUT_S = 1.0


class Collector:
    """Reports in by MQTT, points in the store, receipts out.

    `store` and `load_register` are the caller's: it closes the store after `stop`. `version`
    says cheaply whether the register changed; without it the register is read each second.
    `keeper` derives the days in a thread, `keeper_process` in a process; without either, nothing
    is derived here, and the days stay marked.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        load_register: LoadRegister,
        *,
        version: Version | None = None,
        keeper: Deriver | None = None,
        keeper_process: KeeperProcess | None = None,
    ) -> None:
        """Open the files and read nothing yet.

        Raises:
            OSError, sqlite3.Error: a file of the data folder cannot be opened or written.
            RefusedError: a file is of a later version, or the metrics' address is taken.
        """
        self._store, self.counts, self._inbox = store, Counts(), Inbox()
        self._stopping, self._stopped = threading.Event(), threading.Event()
        self._files = Files(config)
        self.releases = ReleaseWatch(store, config, lambda: self._roster.register.calendar)
        shared, changed = SharedSources(store, config.keeper_s).now, self._register_changed
        self._roster = Roster(config, load_register, version, changed, shared, self.releases)
        self._links = self._new_links(config)
        self._renewals = Renewals(config.folder, self._links.outgoing.publish)
        self._retained = Retained(self._links.outgoing.publish, self.counts)
        grouped = self._links.grouped
        self._presences = Presences(lambda: of_last_day(store), shared=grouped)
        self._gate = self._new_gate(config)
        self._presence_check = self._new_presence_check()
        self._machine_watch = MachineWatch(store, self._gate.machines, shared=grouped)
        self._clock = ClockWatch(lambda: store.clock_ahead)
        self._self_metrics = SelfMetrics(self.counts, self._gauges)
        self._writer = Writer(store, self.counts, self._stopping, self._outage)
        self._reception, self._worker = self._new_reception(), self._new_worker()
        self._metrics = self._new_metrics(config)
        self._ca_ends = ca_ends(config.mqtt.ca)
        self._keeper_thread: KeeperThread | KeeperProcess | None = keeper_process
        if keeper:
            days, unread_s = self._files.pending_days, store.limits.readable_s
            self._keeper_thread = KeeperThread(keeper, days, config.keeper_s, None, unread_s)

    def _new_links(self, config: Config) -> Links:
        publish_all, again = self._roster.publish_all, lambda: self._presence_check.again()
        hear, hear_all = lambda found: self._reception.received(found), each(self._presence_heard)
        made = Links(config.mqtt, hear, hear_all, publish_all, again)
        made.outgoing.on_too_large = lambda: self.counts.add("too_large")
        return made

    def _new_metrics(self, config: Config) -> Metrics | None:
        if not config.metrics:
            return None
        return Metrics(config.metrics, self.counts, self._self_metrics)

    def _new_gate(self, config: Config) -> Gate:
        return Gate(
            lambda: self._roster.register,
            lambda register, school: limits_of(register, config, school),
            self._files.machines(config, lambda: self._roster.register),
            accept_simulated=config.accept_simulated,
            allowances=config.folder / allowances.FILE,
        )

    def _new_presence_check(self) -> PresenceCheck:
        schools, readable_s = lambda: self._roster.register.schools, self._store.limits.readable_s
        ask, admits = self._links.ask_presences, self._gate.admits_retained
        return PresenceCheck(self._presences, schools, ask, admits, readable_s=readable_s)

    def _new_reception(self) -> Reception:
        known, counts, publish = self._roster.known, self.counts, self._links.outgoing.publish
        resend, renewals = self._files.resend_request, self._renewals
        hello = Hellos(known, self._gate, counts, resend, renewals, publish).answer
        said, grouped = self._self_metrics.broker_said, self._links.grouped
        return Reception(self._inbox, counts, self._retained, hello, said, grouped=grouped)

    def _new_worker(self) -> Worker:
        files, publish_all = self._files, self._links.outgoing.publish_all
        known, resend, held = self._roster.known, files.resend_request, files.held
        answers = Answers(files.quarantine, publish_all, self.counts, resend, held)
        due = self._self_metrics.due, self._presence_check.due
        sorter = Sorter(known, answers, self.counts, self._presences, due, self._gate)
        storer = Storer(self._writer, answers, files.pending_days, self.counts)
        return Worker(self._inbox, sorter, storer)

    def start(self) -> None:
        """Start all threads; returns at once, connected or not."""
        log.info("collector_started")
        self._worker.start()
        self._roster.start(self._links.outgoing, lambda: self._links.reports.up)
        self._machine_watch.start()
        self.releases.start()
        self._links.start()
        self._renewals.start()
        if self._keeper_thread:
            self._keeper_thread.start()
        if self._metrics:
            self._metrics.start()

    def wait_up(self, seconds: float) -> bool:
        """Whether all connections to the broker are up within `seconds`."""
        return self._links.wait_up(seconds)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until `stop` has done its work; False when `seconds` pass first."""
        return self._stopped.wait(seconds)

    def stop(self) -> bool:
        """Store what was received, send its receipts, disconnect. Within `STOP_S`. Idempotent.

        Returns whether all threads have ended: a store that does not answer may hold one, and
        must not be closed under it.
        """
        if self._stopping.is_set():
            return self._stopped.wait(STOP_S) and not self._busy()
        end = time.monotonic() + STOP_S
        if self._metrics:
            self._metrics.stop()
        self._inbox.close()
        self._stopping.set()
        if self._keeper_thread:
            self._keeper_thread.ask_to_stop()
        self._worker.join(0.75 * STOP_S)
        self._links.outgoing.flush(0.5 * _left(end))
        self._roster.stop(_left(end))
        self._machine_watch.stop(_left(end))
        self._renewals.stop(_left(end))
        self.releases.stop(_left(end))
        for link in (self._links.reports, self._links.presences, self._links.outgoing):
            link.stop(_left(end))
        if self._keeper_thread:
            self._keeper_thread.stop(_left(end))
        busy = self._busy()
        if not busy:
            self._gate.close()
            self._files.close()
        log.info("collector_stopped", busy=busy, **self.counts.snapshot())
        self._stopped.set()
        return not busy

    def _gauges(self) -> dict[str, Value | None]:
        return {
            "queue": len(self._inbox),
            "write_ms": self._writer.write_ms,
            "batch_ms": self._worker.batch_ms,
            "oldest_s": self._worker.oldest_s,
            "ahead_of_store_s": self._clock.ahead_s(),
            "keeper_lag_s": self._keeper_lag_s(),
            **self._days_left(),
        }

    def _keeper_lag_s(self) -> float | None:
        """How long ago the first report came whose rows are not derived; None: not here."""
        if self._keeper_thread is None:
            return None
        try:
            oldest = self._files.pending_days.oldest()
        except sqlite3.Error:  # closed, or the disk fails: marking says so
            return None
        return 0.0 if oldest is None else max(0.0, time.time() - oldest)

    def _busy(self) -> bool:
        if self._machine_watch.alive or self.releases.alive:
            return True
        return self._worker.alive or bool(self._keeper_thread and self._keeper_thread.alive)

    def _register_changed(self) -> None:
        """A changed register changes today's rows and the figure without any new report.

        Retained presences are requested again: those of schools that were unknown were ignored.
        """
        today = Pair("", day_of(time.time_ns() // 1_000_000))
        self._files.pending_days.mark({today: NOTHING_NEW})
        self._links.resend_presences()

    def _days_left(self) -> dict[str, Value]:
        calendar, now = self._roster.register.calendar, dt.datetime.now(dt.UTC)
        ends = [end for end in (self._links.outgoing.expires, self._ca_ends) if end is not None]
        return days_left(calendar, min(ends, default=None), now)

    def _outage(self, down: bool) -> None:
        self._inbox.set_put_timeout(0.0 if down else _PUT_TIMEOUT_S)

    def _presence_heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """In a group, one of all PCs'. A live one is stored by the member that it is for.

        Past the inbox: only on this connection do all of them come in the broker's order.
        """
        if retained and not self._retained.admits(topic, payload, retained):
            return
        outcome = decode(topic, payload, self._roster.known, time.time_ns(), self._gate.bounds)
        if isinstance(outcome, Noted):
            self._presence_check.heard(outcome, retained=retained)


def _left(end: float) -> float:
    """Seconds until `end` (time.monotonic), at least 0.05: a thread may be about to end."""
    return max(0.05, end - time.monotonic())
