"""The sorter and the points that are due without any message."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from agent import wire
from agent.wire.topics import presence_topic
from collector.ingest import Noted, decode
from collector.service.pipeline.inbox import Message
from collector.service.pipeline.presences import Presences
from collector.service.pipeline.sorter import Sorter
from collector.store import Point

SCHOOL, PC, BOOT = "9900000001", "ab" * 16, "1" * 16


def presence(online: bool) -> Message:
    body = wire.encode(wire.Presence(v=1, boot=BOOT, online=online))
    return Message(presence_topic(SCHOOL, PC), body, 10**18, retained=False)


def sorter(bench: Any, presences: Presences, *own: Callable[[], Sequence[Point]]) -> Sorter:
    answers = bench.worker._sorter._answers
    return Sorter({SCHOOL}.__contains__, answers, bench.counts, presences, own)


def test_own_points_are_made_when_what_the_messages_say_is_known(bench: Any) -> None:
    """Else what is held against the store would be stored over what came just now."""
    presences, lacked = Presences(), []
    message = presence(online=True)
    noted = decode(message.topic, message.payload, {SCHOOL}.__contains__, message.arrived)
    assert isinstance(noted, Noted)

    def own() -> tuple[Point, ...]:
        lacked.append(presences.lacks(noted))
        return ()

    made = sorter(bench, presences, own)
    made.sort([])
    batch = made.sort([message])
    assert lacked == [True, False]
    assert len(batch.noted) == 1


def test_a_bug_in_own_points_costs_no_message(bench: Any, message: Callable[..., Message]) -> None:
    class SomeError(Exception):
        pass

    def broken() -> tuple[Point, ...]:
        raise SomeError

    def well() -> tuple[Point, ...]:
        return (Point("collector", {}, {"queue": 1}, 10**18),)

    made = sorter(bench, Presences(), broken, well)
    batch = made.sort([message(2), presence(online=True)])
    assert len(batch.items) == 1
    assert [point.measurement for point in batch.noted] == ["presence", "collector"]
