"""The collector: its threads, put together, started and stopped.

ear ──messages──▶ inbox ──batches──▶ worker ──▶ store, then receipts ──▶ mouth
 └─ hellos: receipted there and then              roster: policies ──────┘

In a group a third connection hears the presences of all.

Two connections, because a full inbox makes the ear wait: on one, the broker's acks of our
receipts would wait behind all the messages that it has in hand for us.
"""

from __future__ import annotations

import datetime as dt
import threading
import time

from agent.common import log
from agent.common.settings import Broker
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS
from collector.config import Config, Mqtt
from collector.ingest import Answered, Noted, day_of, decode
from collector.service.clock_watch import ClockWatch
from collector.service.expiry import days_left
from collector.service.keeper_thread import Deriver, KeeperThread
from collector.service.metrics import Metrics, ca_ends
from collector.service.mqtt.link import Link
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.pending_days import FILE as DAYS_FILE
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.presences import Presences
from collector.service.pipeline.quarantine import FILE as QUARANTINE_FILE
from collector.service.pipeline.quarantine import Quarantine
from collector.service.pipeline.receipts import Entry, merge
from collector.service.pipeline.resend_request import ResendRequest
from collector.service.pipeline.worker import Worker
from collector.service.pipeline.writer import Writer
from collector.service.roster import LoadRegister, Roster, Version
from collector.service.self_metrics import SYS, SelfMetrics
from collector.service.shared_ids import SharedSources
from collector.store.base import Store, Value

#: SIGTERM to exit is promised within 5 s; the rest is for the interpreter to end.
STOP_S = 3.5
_PATIENCE_S = 1.0
#: How far back the store is asked for presences, ns.
_KNOWN_NS = 24 * 3600 * 10**9


def topics(broker: Broker) -> tuple[str, ...]:
    """What the ear listens to: in a group, its share of it."""
    group = broker.group if isinstance(broker, Mqtt) else ""
    share = f"$share/{group}/" if group else ""
    return (share + ALL_REPORTS, share + ALL_PRESENCE, *SYS)


class Collector:
    """Reports in by MQTT, points in the store, receipts out.

    `store` and `load_register` are the caller's: it closes the store after `stop`. `version`
    tells cheaply whether the register changed; without it the register is read each second.
    `keeper` derives the days; without one, nothing is derived, and the days stay marked.
    """

    def __init__(
        self,
        config: Config,
        store: Store,
        load_register: LoadRegister,
        *,
        version: Version | None = None,
        keeper: Deriver | None = None,
    ) -> None:
        self.counts = Counts()
        self._stopping, self._stopped = threading.Event(), threading.Event()
        self._inbox = Inbox()
        self._dirty = PendingDays(
            config.folder / DAYS_FILE, alone=keeper is not None and not _shared(config)
        )
        self._again = ResendRequest(config.folder)
        self._quarantine = Quarantine(config.folder / QUARANTINE_FILE, config.quarantine_bytes)
        shared = SharedSources(store, config.keeper_s)
        self._roster = Roster(config, load_register, version, self._register_changed, shared.now)
        self._ear = Link(config.mqtt, topics(config.mqtt), self._heard, self._roster.tell_all)
        self._mouth = Link(config.mqtt, (), lambda *_: None, self._roster.tell_all)
        # A shared subscription gets nothing that is retained, and not what the others have got.
        self._crier = Link(config.mqtt, (ALL_PRESENCE,), self._overheard, lambda: None)
        if not _shared(config):
            self._crier = self._ear
        writer = Writer(store, self.counts, self._stopping, self._outage)
        self._writer = writer
        self._clock = ClockWatch(lambda: store.clock_ahead)
        self._own = SelfMetrics(self.counts, self._gauges)
        self._presences = Presences(shared=_shared(config))
        self._worker = Worker(
            self._inbox,
            writer,
            self._quarantine,
            self._dirty,
            self._roster.known,
            self._mouth.publish,
            self.counts,
            self._own.due,
            self._again,
            lambda: store.read("presence", time.time_ns() - _KNOWN_NS, 2**62),
            self._presences,
        )
        self._metrics = Metrics(config.metrics, self.counts, self._own) if config.metrics else None
        self._ca_ends = ca_ends(config.mqtt.ca)
        self._keeping = KeeperThread(keeper, self._dirty, config.keeper_s) if keeper else None

    def start(self) -> None:
        """Start all threads; returns at once, connected or not."""
        log.info("collector_started")
        self._worker.start()
        self._roster.start(self._mouth, lambda: self._ear.up)
        self._mouth.start()
        self._ear.start()
        if self._crier is not self._ear:
            self._crier.start()
        if self._keeping:
            self._keeping.start()
        if self._metrics:
            self._metrics.start()

    def wait_up(self, seconds: float) -> bool:
        """Whether we hear and can speak within `seconds`."""
        deadline = time.monotonic() + seconds
        links = self._mouth, self._ear, self._crier
        return all(link.wait_up(max(0.0, deadline - time.monotonic())) for link in links)

    def wait(self, seconds: float | None = None) -> bool:
        """Wait until `stop` has done its work; False when `seconds` pass first."""
        return self._stopped.wait(seconds)

    def stop(self) -> bool:
        """Store what is in hand, send its receipts, let go. Within `STOP_S`. Idempotent.

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
        self._worker.join(0.75 * STOP_S)
        self._mouth.flush(0.5 * _left(end))
        self._roster.stop(_left(end))
        self._ear.stop(_left(end))
        self._crier.stop(_left(end))
        self._mouth.stop(_left(end))
        if self._keeping:
            self._keeping.stop(_left(end))
        busy = self._busy()
        if not busy:
            self._quarantine.close()
            self._dirty.close()
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
            **self._days_left(),
        }

    def _busy(self) -> bool:
        return self._worker.alive or bool(self._keeping and self._keeping.alive)

    def _register_changed(self) -> None:
        """Today's rows and the figure change with no report coming in; and presences of schools
        that were unknown, passed over then, are heard."""
        self._dirty.mark({day_of(time.time_ns() // 1_000_000)})
        self._crier.hear_again(ALL_PRESENCE)

    def _days_left(self) -> dict[str, Value]:
        calendar, now = self._roster.register.calendar, dt.datetime.now(dt.UTC)
        ends = [end for end in (self._mouth.expires, self._ca_ends) if end is not None]
        return days_left(calendar, min(ends, default=None), now)

    def _outage(self, down: bool) -> None:
        self._inbox.be_patient(0.0 if down else _PATIENCE_S)

    def _heard(self, topic: str, payload: bytes, retained: bool) -> None:
        """Paho's thread: as little as can be."""
        if topic.startswith("$SYS/"):
            self._own.heard(topic, payload)
            return
        self.counts.add("received")
        # Hellos pass by the inbox: a PC must learn the time even while the store is down.
        if topic.endswith("/1") and self._hello(topic, payload):
            return
        if not self._inbox.put(Message(topic, payload, time.time_ns(), retained)):
            self.counts.add("turned_away")

    def _overheard(self, topic: str, payload: bytes, retained: bool) -> None:
        """What is retained is ours to look at; what comes is stored by one of the group."""
        if retained:
            self._heard(topic, payload, retained)
            return
        outcome = decode(topic, payload, self._roster.known, 0)
        if isinstance(outcome, Noted):
            self._presences.heard(outcome.machine, outcome.presence)

    def _hello(self, topic: str, payload: bytes) -> bool:
        answer = decode(topic, payload, self._roster.known, 0)
        if not isinstance(answer, Answered):
            return False
        self.counts.add("hellos")
        entry = Entry(answer.source, answer.echo)
        for to, receipt in merge([entry], (), time.time_ns() // 1_000_000, self._again.since):
            if not self._mouth.publish(to, receipt):
                self.counts.add("receipts_unsent")
        return True


def _shared(config: Config) -> bool:
    """Whether other collectors may keep the same days: those of a group, in one folder."""
    return bool(getattr(config.mqtt, "group", ""))


def _left(end: float) -> float:
    """Seconds until `end` of time.monotonic, and always time enough for what is done already."""
    return max(0.05, end - time.monotonic())
