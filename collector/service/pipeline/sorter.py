"""Received messages sorted: those to be stored, and those answered without the store."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from agent.common import log
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
from collector.service.pipeline.answers import Answers, Refused
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.presences import Presences
from collector.service.pipeline.receipts import Entry
from collector.store.base import Point, StoreError


class Item(NamedTuple):
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
        own_points: Callable[[], Sequence[Point]] = tuple,
    ) -> None:
        """`own_points`: those of the collector itself that are due."""
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
        noted: list[Point] = list(self._own_points())
        for message in messages:
            outcome = self._decode(message)
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
                    machine, presence = outcome.machine, outcome.presence
                    if self._presences.is_new(machine, presence, retained=message.retained):
                        noted += outcome.points
                case Ignored():
                    self._counts.add("ignored")
        entries += self._answers.quarantine(refused, held)
        self._answers.send(entries, held)
        return Batch(items, noted)

    def _decode(self, message: Message) -> Outcome:
        try:
            return decode(message.topic, message.payload, self._known, message.arrived)
        except Exception as error:
            # The bug is ours, but the agent would send the message again for ever.
            at = log.where(error)
            log.warning("decode_failed", topic=message.topic, reason=error, at=at)
            return Quarantined(_source(message.topic), f"collector: {error!r}"[:300])


def _source(topic: str) -> Source | None:
    try:
        place = parse_topic(topic)
    except TopicError:
        return None
    return Source(place.school, place.machine, place.boot, place.number) if place.boot else None
