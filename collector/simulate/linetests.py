"""The tests of a simulated line: the agent's report and the measurement server's record."""

from __future__ import annotations

import datetime as dt
import itertools
from collections.abc import Iterator

from collector.simulate.city import City, TestedLine
from collector.simulate.habits import BEFORE_WINDOW, chance
from collector.simulate.years import moment_ms
from collector.store import Point, Value

_QUIET = (dt.time(12, 20), dt.time(17, 45), dt.time(13, 10), dt.time(7, 40))
_LESSON = (dt.time(9, 5), dt.time(15, 10))
_SECONDS = 10.0
_OVERHEAD = 1.04  # bytes on the wire for a byte of payload
#: One test in three measures the line's rate, the others less: so it is the 90th percentile.
_AT_RATE = 3
_FAILED_SHARE = 0.02
_FLAWS: dict[str, tuple[dict[str, Value], str]] = {
    "wifi": ({"wired": False, "interface": "wlan0"}, "wifi"),
    "together": ({"solo": False}, "not_alone"),
    "traffic": ({"other_share": 0.2}, "other_traffic"),
    "server": ({"server_limited": True}, "server_limited"),
}


def points(city: City, tested: TestedLine, rank: int, offline: frozenset[int]) -> Iterator[Point]:
    """The points of one line on the open day of `rank`."""
    script = tested.script
    if not script.days.holds(rank, offline, city.size.seed, tested.school, tested.line):
        return
    day = city.days[rank]
    slots = [*_QUIET[: script.quiet], *_LESSON[: script.lesson]]
    for number, time in enumerate(slots):
        spread = int(chance(city.size.seed, tested.machine, rank, number, "s") * 240_000)
        end = moment_ms(day, time) + spread
        lesson = number >= script.quiet
        rate = _rate(city, tested, rank, number, lesson)
        window = f"l{number - script.quiet}" if lesson else f"q{number}"
        yield from _test(city, tested, end, rate, window)
    if chance(city.size.seed, tested.machine, rank, "failed") < _FAILED_SHARE:
        yield _failed(city, tested, moment_ms(day, dt.time(7, 50)))


def _rate(city: City, tested: TestedLine, rank: int, number: int, lesson: bool) -> float:
    script = tested.script
    old = script.old_rate is not None and rank >= BEFORE_WINDOW
    full = (script.old_rate if old else script.rate) or 0.0
    count = script.lesson if lesson else script.quiet
    if (rank * count + number) % _AT_RATE == 0 and (not lesson or script.quiet == 0):
        return full
    low = 0.70 if lesson else 0.88
    return round(full * (low + 0.11 * chance(city.size.seed, tested.machine, rank, number)), 2)


def _test(city: City, tested: TestedLine, end_ms: int, rate: float, window: str) -> Iterator[Point]:
    script, tags = tested.script, _tags(tested)
    test = f"{int(chance(city.size.seed, tested.machine, end_ms) * 2**52):016x}"
    payload = int(rate / _OVERHEAD * 1e6 / 8 * _SECONDS)
    flaw, reason = _FLAWS.get(script.flaw, ({}, ""))
    time = end_ms * 1_000_000 + int(test[-5:], 16) % 1_000_000
    fields: dict[str, Value] = {
        "test": test, "outcome": "ok", "window": window, "down_mbps": rate,
        "up_mbps": round(rate * 0.5, 2),
        "down_low": round(rate * 0.99, 2), "down_high": round(rate * 1.01, 2),
        "latency_ms": round(3 + 9 * chance(test, "l"), 2), "seconds": _SECONDS,
        "payload_down": payload, "payload_up": payload // 2, "interface": "eth0",
        "wired": True, "solo": True, "other_share": round(0.02 * chance(test, "o"), 4),
        "server_limited": False, "pc_limited": False, "nic_mbps": 1000.0, "reason": reason,
        "uncertain": False, "simulated": True,
    }  # fmt: skip
    yield Point("line_test", tags, fields | flaw, time)
    if script.flaw != "unrecorded":
        seen = rate / _OVERHEAD / (2 if script.flaw == "inflated" else 1)
        yield Point("line_record", tags, _record(test, payload, seen), time + 1)


def _record(test: str, payload: int, seen_mbps: float) -> dict[str, Value]:
    return {
        "test": test, "outcome": "ok", "sent_bytes": payload + 65_536,
        "received_bytes": payload // 2, "down_mbps": round(seen_mbps, 3),
        "up_mbps": round(seen_mbps * 0.5, 3), "seconds": _SECONDS, "solo": True,
        "uncertain": False, "simulated": True,
    }  # fmt: skip


def _failed(city: City, tested: TestedLine, end_ms: int) -> Point:
    """A test without a rate: an outcome of its own, never a zero."""
    test = f"{int(chance(city.size.seed, tested.machine, end_ms, 'f') * 2**52):016x}"
    fields: dict[str, Value] = {
        "test": test, "outcome": "unreachable", "reason": "no_connection",
        "uncertain": False, "simulated": True,
    }  # fmt: skip
    return Point("line_test", _tags(tested), fields, end_ms * 1_000_000)


def _tags(tested: TestedLine) -> dict[str, str]:
    return {"school": tested.school, "machine": tested.machine, "line": tested.line}


def tests_of(city: City, rank: int, offline: dict[str, frozenset[int]]) -> Iterator[Point]:
    """The points of all lines on the open day of `rank`."""
    return itertools.chain.from_iterable(
        points(city, tested, rank, offline[tested.school]) for tested in city.lines
    )
