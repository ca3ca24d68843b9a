"""What a school may have the broker keep: one short presence a machine."""

from __future__ import annotations

import pytest

from agent.wire.topics import presence_topic, report_topic
from collector.service import retained
from collector.service.pipeline.counts import Counts
from collector.service.retained import Retained

SCHOOL, OTHER = "9900000001", "9900000002"
MACHINE, BOOT = "ab" * 16, "0123456789abcdef"
REPORT = report_topic(SCHOOL, MACHINE, BOOT, 2)
PRESENCE = presence_topic(SCHOOL, MACHINE)


class Bench:
    def __init__(self) -> None:
        self.cleared: list[str] = []
        self.up = True
        self.counts = Counts()
        self.kept = Retained(self._publish, self.counts)

    def _publish(
        self, topic: str, payload: bytes, *, retain: bool = False, may_wait: bool = False
    ) -> bool:
        assert retain
        assert may_wait, "receipts come first"
        assert payload == b""
        if self.up:
            self.cleared.append(topic)
        return self.up


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_a_retained_report_is_cleared_and_still_handled(bench: Bench) -> None:
    assert bench.kept.admits(REPORT, b"{}", True)
    assert bench.cleared == [REPORT]
    assert bench.counts["unretained"] == 1


def test_our_own_clearing_is_not_answered_again(bench: Bench) -> None:
    assert not bench.kept.admits(REPORT, b"", True)
    assert bench.kept.admits(REPORT, b"", False)  # a report that holds nothing
    assert bench.cleared == []


def test_an_ordinary_report_and_presence_pass(bench: Bench) -> None:
    assert bench.kept.admits(REPORT, b"{}", False)
    assert bench.kept.admits(PRESENCE, b"{}", True)
    assert bench.kept.admits(PRESENCE, b"", False)
    assert bench.cleared == []


def test_a_presence_that_is_no_presence_is_cleared(bench: Bench) -> None:
    assert not bench.kept.admits(PRESENCE, bytes(250_000), False)
    assert bench.cleared == [PRESENCE]


def test_a_school_with_too_many_presences_harms_itself_alone(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retained, "_PRESENCES", 3)
    mine = [presence_topic(SCHOOL, f"{n:032x}") for n in range(5)]
    assert [bench.kept.admits(one, b"{}", False) for one in mine] == [True] * 3 + [False] * 2
    assert bench.cleared == mine[3:]
    assert bench.kept.admits(mine[0], b"{}", False)
    assert bench.kept.admits(presence_topic(OTHER, MACHINE), b"{}", False)


def test_what_comes_before_the_other_connection_is_up_is_cleared_once_it_is(bench: Bench) -> None:
    others = [report_topic(SCHOOL, MACHINE, BOOT, n) for n in range(3, 9)]
    bench.up = False
    for topic in (*others, *others):
        assert bench.kept.admits(topic, b"{}", True)
    assert bench.cleared == []
    bench.up = True
    bench.kept.retry()
    assert sorted(bench.cleared) == sorted(others)
    bench.kept.retry()
    assert len(bench.cleared) == len(others)


def test_a_connection_that_never_comes_costs_a_bounded_memory(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retained, "_MISSED", 3)
    bench.up = False
    for n in range(2, 100):
        bench.kept.admits(report_topic(SCHOOL, MACHINE, BOOT, n), b"{}", True)
    bench.up = True
    bench.kept.retry()
    assert len(bench.cleared) == 3
