"""Messages in batches: decode, set aside, store, and only then receipt."""

from __future__ import annotations

import datetime as dt
import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from agent.wire import TopicError, parse_topic
from collector.ingest import (
    Answered,
    Held,
    Ignored,
    Known,
    Noted,
    Outcome,
    Quarantined,
    Source,
    Stored,
    decode,
)
from collector.service.again import Again
from collector.service.counts import Counts
from collector.service.dirty import DirtyDays
from collector.service.inbox import Inbox, Message
from collector.service.log import event, warn
from collector.service.presences import Presences
from collector.service.quarantine import Quarantine, Row
from collector.service.receipts import Entry, merge
from collector.service.writer import Writer
from collector.store.seam import Point, StoreError

BATCH = 1500  # reports; 500 cost a tenth more, and twice as many only memory
AGE_S = 0.1
IDLE_S = 0.5
_NOTE_S = 60.0
_REMEMBERED = 50_000  # reports; only the count of duplicates rests on it

Publish = Callable[[str, bytes], bool]


class _Item(NamedTuple):
    message: Message
    stored: Stored


class Worker:
    """Empties the inbox. The only writer of raw points."""

    def __init__(
        self,
        inbox: Inbox,
        writer: Writer,
        quarantine: Quarantine,
        dirty: DirtyDays,
        known: Known,
        publish: Publish,
        counts: Counts,
        own_points: Callable[[], Sequence[Point]] = tuple,
        again: Again | None = None,
        known_before: Callable[[], Iterable[Point]] = tuple,
        presences: Presences | None = None,
    ) -> None:
        """`known_before`: presences that the store has, oldest first."""
        self._inbox, self._writer = inbox, writer
        self._quarantine, self._dirty = quarantine, dirty
        self._known, self._publish, self._counts = known, publish, counts
        self._own_points = own_points
        self._again = again
        self._known_before = known_before
        self._presences = presences or Presences()
        self._noted: set[dt.date] = set()
        self._noted_until = 0.0
        self._first: int | None = None  # arrival of the first message in hand, ns
        self.batch_ms = 0.0
        self._recent: OrderedDict[int, None] = OrderedDict()
        self._thread = threading.Thread(target=self._run, name="worker", daemon=True)

    def start(self) -> None:
        """Work until the inbox is closed and empty."""
        self._thread.start()

    def join(self, seconds: float) -> bool:
        """Whether all that was in hand is done within `seconds`."""
        self._thread.join(seconds)
        return not self._thread.is_alive()

    @property
    def alive(self) -> bool:
        """Whether the worker works."""
        return self._thread.is_alive()

    def _run(self) -> None:
        try:
            self._presences.learn(self._known_before())
        except StoreError as error:  # some are stored once more
            warn("presences_unknown", error=str(error))
        while not (self._inbox.closed and not len(self._inbox)):
            messages = self._inbox.take(BATCH, AGE_S, IDLE_S)
            try:
                self._timed(messages)
            except Exception as error:
                # No receipt has left: the agents send these again.
                warn("batch_failed", messages=len(messages), error=repr(error))

    def _timed(self, messages: Sequence[Message]) -> None:
        self._first = messages[0].arrived if messages else None
        try:
            self.handle(messages)
            if self._first is not None:
                self.batch_ms = (time.time_ns() - self._first) / 1e6
        finally:
            self._first = None

    @property
    def oldest_s(self) -> float:
        """Age of the oldest message in hand, s; 0 where there is none."""
        first = self._first or self._inbox.first
        return 0.0 if first is None else max(0.0, (time.time_ns() - first) / 1e9)

    def handle(self, messages: Sequence[Message]) -> None:
        """One batch, to its receipts."""
        items: list[_Item] = []
        entries: list[Entry] = []
        held: list[Held] = []
        aside: list[tuple[Message, Quarantined]] = []
        noted: list[Point] = list(self._own_points())
        for message in messages:
            outcome = self._decode(message)
            match outcome:
                case Stored():
                    items.append(_Item(message, outcome))
                case Answered():
                    entries.append(Entry(outcome.source, outcome.echo))
                case Held():
                    held.append(outcome)
                case Quarantined():
                    aside.append((message, outcome))
                case Noted():
                    machine, told = outcome.machine, outcome.presence
                    if self._presences.news(machine, told, retained=message.retained):
                        noted += outcome.points
                case Ignored():
                    self._counts.add("ignored")
        # Before the store, which may be down: these wait for nothing.
        self._receipt([*entries, *self._set_aside(aside, held)], held)
        self._store(items, noted)

    def _decode(self, message: Message) -> Outcome:
        try:
            return decode(message.topic, message.payload, self._known, message.arrived)
        except Exception as error:
            # Ours is the fault, but a message that breaks us would break us for ever.
            warn("decode_failed", topic=message.topic, error=repr(error))
            return Quarantined(_source(message.topic), f"collector: {error!r}"[:300])

    def _set_aside(
        self, aside: Sequence[tuple[Message, Quarantined]], held: list[Held]
    ) -> Iterable[Entry]:
        """Quarantine; what finds no room is held where somebody waits for a receipt."""
        if not aside:
            return []
        rows = [Row(m.arrived, m.topic, m.payload, outcome.reason) for m, outcome in aside]
        try:
            kept = self._quarantine.add(rows)
        except sqlite3.Error as error:
            warn("quarantine_failed", error=repr(error))
            kept = [False] * len(rows)
        entries = []
        for (message, outcome), done in zip(aside, kept, strict=True):
            if done:
                self._counts.quarantine(outcome.reason)
                event("quarantined", topic=message.topic, reason=outcome.reason)
            if outcome.source is not None and done:
                entries.append(Entry(outcome.source))
            elif outcome.source is not None:
                held.append(Held(outcome.source, "quarantine_full"))
        return entries

    def _store(self, items: Sequence[_Item], noted: Sequence[Point]) -> None:
        groups = [item.stored.points for item in items]
        days = {item.stored.day for item in items if item.stored.day is not None}
        result = self._writer.write([*groups, noted], lambda: tuple(_note(self._to_note(days))))
        if result is None:
            return  # stopping, and the store is down: no receipt, the agents keep them
        self._noted |= days
        held: list[Held] = []
        refused = [
            (items[at].message, Quarantined(items[at].stored.source, reason))
            for at, reason in result.items()
            if at < len(items)
        ]
        entries = list(self._set_aside(refused, held))
        good = [item.stored for at, item in enumerate(items) if at not in result]
        self._mark([item.stored for item in items])
        self._remember(stored.source for stored in good)
        entries += [Entry(stored.source, stored.echo) for stored in good]
        self._receipt(entries, held)

    def _to_note(self, days: set[dt.date]) -> set[dt.date]:
        """Days that a keeper on another machine must derive anew, noted in the store once a minute.

        In the write that has the reports, asked at each of its tries: what is receipted is noted.
        """
        if time.monotonic() >= self._noted_until:
            self._noted.clear()
            self._noted_until = time.monotonic() + _NOTE_S
        return days - self._noted

    def _mark(self, stored: Sequence[Stored]) -> None:
        days: set[dt.date] = {item.day for item in stored if item.day is not None}
        if days:
            self._dirty.mark(days)

    def _remember(self, sources: Iterable[Source]) -> None:
        for source in sources:
            key = hash(source)  # a fifth of the memory of what it stands for
            if key in self._recent:
                self._counts.add("duplicates")
                continue
            self._counts.add("stored")
            self._recent[key] = None
            if len(self._recent) > _REMEMBERED:
                self._recent.popitem(last=False)

    def _receipt(self, entries: Sequence[Entry], held: Sequence[Held]) -> None:
        for item in held:
            self._counts.add("held")
            event("held", school=item.source.school, reason=item.reason)
        since = self._again.since if self._again else None
        for topic, payload in merge(entries, held, time.time_ns() // 1_000_000, since):
            if not self._publish(topic, payload):
                self._counts.add("receipts_unsent")
        self._counts.add("receipted", len(entries))


def _note(days: set[dt.date]) -> Iterator[Point]:
    """Of the time of the try that writes it: a keeper looks for what came since it last looked,
    and a store may have been down for hours since the reports came.
    """
    if days:
        said = ",".join(day.isoformat() for day in sorted(days))
        yield Point("collector", {}, {"days": said}, time.time_ns())


def _source(topic: str) -> Source | None:
    try:
        place = parse_topic(topic)
    except TopicError:
        return None
    return Source(place.school, place.machine, place.boot, place.number) if place.boot else None
