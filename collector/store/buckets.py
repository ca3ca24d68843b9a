"""The two buckets (databases on 1.x) and their retention: as they are, and set up.

Telemetry expires after its days, evidence never. How each server is asked: `servers`.
"""

from __future__ import annotations

from typing import NamedTuple

from agent.common.language import say
from collector import config
from collector.store import servers
from collector.store.servers import Kept, Server

_DAY_S = 86_400
#: Each shard names every series and field again, and evidence has a row a day of each: four weeks
#: took 5.5 kB a PC and day in shards of a week, 2.5 in one of four weeks, 1.5 in one of a year.
_TELEMETRY_SHARD_D, _EVIDENCE_SHARD_D = 1, 91
#: On a cluster of openGemini a late report in another shard puts at risk what memory holds (see
#: `witness`). Borders of 30 days come seldom and move through the weekdays; those of 7 are Mondays
#: 08:00, when Friday's leftovers come. A shard is dropped whole, so rows stay up to 30 days longer.
_CLUSTER_SHARD_D = 30  # at most: a server refuses shards that are longer than rows are kept


class Bucket(NamedTuple):
    """A bucket and its retention in s, 0: for ever; `found_s` None: the bucket does not exist."""

    name: str
    wanted_s: int
    found_s: int | None
    short_s: tuple[int, int] | None = None  # shards as they are and should be, where too short

    @property
    def ok(self) -> bool:
        """Whether it exists with the wanted retention, in shards that are long enough."""
        return self.found_s == self.wanted_s and self.short_s is None

    def __str__(self) -> str:
        found = say("没有", "missing") if self.found_s is None else _days(self.found_s)
        wanted = "" if self.found_s == self.wanted_s else f" ≠ {_days(self.wanted_s)}"
        short = " < ".join(map(_days, self.short_s or ()))
        return f"{self.name}: {found}{wanted}" + (short and say("，分片 ", ", shards of ") + short)


def current(settings: config.Store) -> list[Bucket]:
    """Both buckets as they are.

    Raises:
        UnavailableError: the server does not answer.
        MisconfiguredError: a wrong token, address or organization, or InfluxDB 3.
    """
    return _current(servers.of(settings), settings)


def set_up(settings: config.Store) -> list[Bucket]:
    """Create missing buckets and correct their retention; returns both as they are then.

    Raises:
        UnavailableError: the server does not answer.
        MisconfiguredError: as `current`, or the token may not change buckets.
    """
    server = servers.of(settings)
    for bucket in _current(server, settings):
        if not bucket.ok:
            change = server.create if bucket.found_s is None else server.alter
            shard_s = _shard_s(bucket.wanted_s, server.copies())
            change(bucket.name, Kept(bucket.wanted_s, shard_s))
    return _current(server, settings)


def _current(server: Server, settings: config.Store) -> list[Bucket]:
    wanted = ((settings.telemetry, settings.telemetry_days * _DAY_S), (settings.evidence, 0))
    return [_bucket(server, name, seconds) for name, seconds in wanted]


def _bucket(server: Server, name: str, seconds: int) -> Bucket:
    found = server.keeps(name)
    if found is None:
        return Bucket(name, seconds, None)
    return Bucket(name, seconds, found.seconds, _short(found.shard_s, seconds, server.copies()))


def _short(found: int, seconds: int, copies: int) -> tuple[int, int] | None:
    """Shards as they are and should be, where a cluster's are shorter; one node's do no harm."""
    wanted = _shard_s(seconds, copies)
    return (found, wanted) if copies > 1 and found < wanted else None


def _shard_s(seconds: int, copies: int) -> int:
    """How long the shards shall be of rows that are kept for `seconds`."""
    if not seconds or copies == 1:
        return _DAY_S * (_TELEMETRY_SHARD_D if seconds else _EVIDENCE_SHARD_D)
    return _DAY_S * max(1, min(_CLUSTER_SHARD_D, seconds // _DAY_S // 3))


def _days(seconds: int) -> str:
    days = seconds // _DAY_S
    return say(f"{days} 天", f"{days} days") if seconds else say("永久", "forever")
