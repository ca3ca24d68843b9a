"""Received messages sorted: those to be stored, and those answered without the store."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from msgspec import Struct

from agent.common import log
from agent.wire import TopicError, parse_topic
from agent.wire.topics import report_topic
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
from collector.service.pipeline.answers import Answers, Refused
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.gate import Gate
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.presences import Presences
from collector.service.pipeline.receipts import Entry
from collector.store.base import Point, StoreError

#: Where a topic has the ten digits of a school.
_SCHOOL_AT = len(report_topic("", "", "", 0).partition("//")[0]) + 1
_SCHOOL_TO = _SCHOOL_AT + 10


class Item(Struct, frozen=True, gc=False):
    """One report to be stored."""

    message: Message
    stored: Stored


class Batch(NamedTuple):
    """What is written to the store: reports, and points that get no receipt."""

    items: list[Item]
    noted: list[Point]


class Sorter:
    """For one thread: presences are judged in the order in which they were received."""

    def __init__(
        self,
        known: Known,
        answers: Answers,
        counts: Counts,
        presences: Presences | None = None,
        own_points: Sequence[Callable[[], Sequence[Point]]] = (),
        gate: Gate | None = None,
    ) -> None:
        """`own_points`: what gives those that are due without any message. No `gate`: no limits."""
        self._gate = gate
        self._known, self._answers, self._counts = known, answers, counts
        self._presences, self._own_points = presences or Presences(), own_points

    def start(self) -> None:
        """Read the presences that the store has; without them some are stored twice."""
        try:
            self._presences.load()
        except StoreError as error:
            log.warning("presences_unknown", reason=error)

    def sort(self, messages: Sequence[Message]) -> Batch:
        """Answer what needs no store, which may be down, and return the rest."""
        items: list[Item] = []
        entries: list[Entry] = []
        held: list[Held] = []
        refused: list[Refused] = []
        noted: list[Point] = []
        now = time.monotonic()
        for message in messages:
            outcome = self._decode(message, now)
            match outcome:
                case Stored():
                    items.append(Item(message, outcome))
                case Answered():
                    entries.append(Entry(outcome.source, outcome.echo))
                case Held():
                    held.append(outcome)
                case Quarantined():
                    refused.append((message, outcome))
                case Noted():
                    if self._presences.is_new(outcome, retained=message.retained):
                        noted += outcome.points
                case Ignored():
                    self._counts.add("ignored")
        entries += self._answers.quarantine(refused, held)
        self._answers.send(entries, held)
        if self._gate is not None:
            self._gate.save_when_due()
        noted += self._own()  # last: what these messages say is known to it
        return Batch(items, noted)

    def _own(self) -> Iterator[Point]:
        """A bug in one must cost neither the others nor these messages their receipts."""
        for due in self._own_points:
            try:
                yield from due()
            except Exception as error:
                log.warning("own_points_failed", reason=error, at=log.where(error))

    def _decode(self, message: Message, now: float) -> Outcome:
        try:
            if self._gate is not None:
                return self._gated(self._gate, message, now)
            return decode(message.topic, message.payload, self._known, message.arrived)
        except Exception as error:
            # The bug is ours, but the agent would send the message again for ever.
            at = log.where(error)
            log.warning("decode_failed", topic=message.topic, reason=error, at=at)
            return Quarantined(_source(message.topic), f"collector: {error!r}"[:300])

    def _gated(self, gate: Gate, message: Message, now: float) -> Outcome:
        """The outcome, where the school may send it and the PC has a place in it."""
        topic, payload, arrived = message.topic, message.payload, message.arrived
        school = school_of(topic)
        if not gate.within(school, len(payload), now):
            return _held(gate, _source(topic), "too_many_reports")
        outcome = decode(topic, payload, self._known, arrived, gate.bounds)
        if isinstance(outcome, Stored):
            if not gate.admits(school, outcome.source.machine, arrived // 1_000_000):
                return _held(gate, outcome.source, "too_many_machines", outcome.echo)
            if not gate.has_room(school, outcome.points, arrived // 1_000_000):
                return _held(gate, outcome.source, "too_many_devices", outcome.echo)
        elif isinstance(outcome, Noted) and not _has_place(gate, outcome, message):
            return Ignored("a presence of one PC too many")
        return outcome


def _has_place(gate: Gate, noted: Noted, message: Message) -> bool:
    at_ms = message.arrived // 1_000_000
    if message.retained:
        return gate.admits_retained(noted, at_ms)
    return gate.admits(noted.school, noted.machine, at_ms)


def school_of(topic: str) -> str:
    """The school that a topic names, whether or not there is one; empty without."""
    return topic[_SCHOOL_AT:_SCHOOL_TO] if topic.startswith("/", _SCHOOL_TO) else ""


def _held(gate: Gate, source: Source | None, reason: str, echo: int | None = None) -> Outcome:
    """Hold a report; other messages get no answer."""
    if source is None:
        return Ignored(reason)
    return Held(source, reason, echo, gate.detail(source.school, reason))


def _source(topic: str) -> Source | None:
    try:
        place = parse_topic(topic)
    except TopicError:
        return None
    return Source(place.school, place.machine, place.boot, place.number) if place.boot else None
