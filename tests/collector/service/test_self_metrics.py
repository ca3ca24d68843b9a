"""The collector's own points."""

from __future__ import annotations

import pytest

from collector.schema import MEASUREMENTS
from collector.service import self_metrics
from collector.service.pipeline.counts import Counts
from collector.service.self_metrics import SelfMetrics


def test_own_points_hold_the_schema() -> None:
    counts = Counts()
    counts.add("received", 3)
    points = SelfMetrics(counts, lambda: {"queue": 4, "write_ms": 1.5, "calendar_days": None})
    points.broker_said("$SYS/broker/publish/messages/dropped", b"17")
    points.broker_said("$SYS/broker/clients/connected", b"many")
    points.broker_said("$SYS/broker/else", b"5")
    ours, broker = points.now(9)
    assert ours.fields["received"] == 3
    assert (ours.fields["queue"], ours.fields["write_ms"]) == (4, 1.5)
    assert broker.fields == {"dropped": 17}
    for point in (ours, broker):
        assert set(point.fields) <= set(MEASUREMENTS[point.measurement].fields)


def test_own_points_are_due_once_a_period(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(self_metrics, "PERIOD_S", 0.0)
    points = SelfMetrics(Counts(), dict)
    assert [point.measurement for point in points.due()] == ["collector"]
    monkeypatch.setattr(self_metrics, "PERIOD_S", 60.0)
    assert points.due()
    assert points.due() == ()
