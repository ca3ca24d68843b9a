"""The buckets of a cluster of openGemini: what `doctor` names and changes. The server's answers
have the form of those of version 1.5.2.
"""

from __future__ import annotations

import re
from typing import Any

import pytest

from agent.common import language
from collector.config import Store as Settings
from collector.store import buckets, servers

SETTINGS = Settings("opengemini", "http://a", urls=["http://b"], telemetry_days=90)
_STORES = [["0", 4 + n, f"node{n}", "data", "alive"] for n in range(3)]
_ALTERED = re.compile(r'ALTER .* ON "(\w+)" DURATION (\d+)s SHARD DURATION (\d+)s DEFAULT')


class Cluster:
    """The retention, s, and the shards, s, of each database; and what was altered."""

    def __init__(self, **kept: tuple[int, int]) -> None:
        self.kept, self.altered = kept, dict[str, tuple[int, int]]()

    def ask(self, query: str) -> list[list[Any]]:
        if query == "SHOW CLUSTER":
            return _STORES
        if query == "SHOW DATABASES":
            return [[name] for name in self.kept]
        if found := _ALTERED.fullmatch(query):
            self.kept[found[1]] = self.altered[found[1]] = int(found[2]), int(found[3])
            return []
        name = query.partition('ON "')[2].rstrip('"')
        seconds, shard = self.kept[name]
        return [
            ["autogen", f"{seconds}s", f"{shard // 3600}h0m0s", "0s", "0s", "168h0m0s", 3, True]
        ]


def days(*numbers: int) -> tuple[int, ...]:
    return tuple(number * 86_400 for number in numbers)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch) -> Any:
    def of(cluster: Cluster) -> Cluster:
        monkeypatch.setattr(servers.OpenGemini, "_ask", lambda _, query: cluster.ask(query))
        return cluster

    return of


def test_short_shards_of_both_are_named_and_made_longer(ask: Any) -> None:
    cluster = ask(Cluster(telemetry=days(90, 7), evidence=days(0, 7)))
    with language.speaking("en"):
        assert [str(bucket) for bucket in buckets.current(SETTINGS)] == [
            "telemetry: 90 days, shards of 7 days < 30 days",
            "evidence: forever, shards of 7 days < 91 days",
        ]
    assert all(bucket.ok for bucket in buckets.set_up(SETTINGS))
    assert cluster.altered == {"telemetry": days(90, 30), "evidence": days(0, 91)}


def test_long_enough_ones_are_left(ask: Any) -> None:
    cluster = ask(Cluster(telemetry=days(90, 45), evidence=days(0, 91)))
    assert all(bucket.ok for bucket in buckets.set_up(SETTINGS))
    assert not cluster.altered


def test_how_many_copies_there_shall_be_is_asked_once(ask: Any) -> None:
    asked: list[str] = []
    cluster = Cluster(telemetry=days(90, 30), evidence=days(0, 91))
    answer = cluster.ask
    cluster.ask = lambda query: asked.append(query) or answer(query)  # type: ignore[method-assign]
    ask(cluster)
    buckets.current(SETTINGS)
    assert asked.count("SHOW CLUSTER") == 1
