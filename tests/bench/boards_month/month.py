"""The points of keeper and collector that a simulated city's boards need beside its evidence.

Hour rows, the raw reports of one school and the platform's own counts, in realistic
numbers. Pure. The day rows are made by `evidence`.
"""

from __future__ import annotations

import datetime as dt
import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace

from agent.common.calendar import local_time, start_of
from agent.wire import device_id
from collector.simulate.changes import fault_of
from collector.simulate.city import City, Gear, Pc
from collector.simulate.evidence import Offline, agent_fields, offline_of, reports_on
from collector.simulate.habits import NEVER, Habit, chance
from collector.simulate.hours import ON, REPORTS_AN_HOUR
from collector.simulate.years import moment_ms
from collector.store import Point, Value

_MS = 1_000_000
_HOUR = 3600 * 10**9
_BROKEN, _GONE = 0.03, 0.02


def with_troubles(city: City) -> City:
    """The city with some displays faulty or missing until today; other troubles end earlier."""
    for number, pc in enumerate(city.pcs):
        if pc.gear and pc.gear[0].faults is NEVER:
            city.pcs[number] = replace(pc, gear=(_with_trouble(pc), *pc.gear[1:]))
    return city


def _with_trouble(pc: Pc) -> Gear:
    display, drawn = pc.gear[0], chance("trouble", pc.machine)
    age = 1 + int(30 * chance("age", pc.machine) ** 2)
    if drawn < _BROKEN:
        return replace(display, faults=Habit(oldest=age))
    if drawn < _BROKEN + _GONE and display.seen is not NEVER:
        return replace(display, seen=Habit(newest=age))
    return display


def school_hours(city: City, first: dt.date, until: dt.datetime) -> Iterator[Point]:
    """`school_hour` of every school, silent ones too, from `first` to the last full hour."""
    offline, register = offline_of(city), city.register()
    ranks = {day: rank for rank, day in enumerate(city.days)}
    for moment in _hours(first, until):
        rank = ranks.get(moment.date())
        on = _on(city, rank, offline) if rank is not None else Counter()
        is_open = register.calendar.is_open(moment + dt.timedelta(minutes=30))
        share = ON.get(moment.hour, 0.0)
        for school in city.schools:
            pcs = int(on[school.code] * share)
            tags = {"school": school.code, "district": register.district_of(school.code)}
            fields: dict[str, Value] = {
                "pcs": pcs, "reports": pcs * REPORTS_AN_HOUR, "missing": 0, "faults": 0,
                "open": is_open and school.closed is None, "simulated": True,
            }  # fmt: skip
            yield Point("school_hour", tags, fields, int(moment.timestamp()) * 10**9)


def _hours(first: dt.date, until: dt.datetime) -> Iterator[dt.datetime]:
    start = start_of(first)
    moments = (start + dt.timedelta(hours=n) for n in itertools.count())
    return itertools.takewhile(lambda m: m + dt.timedelta(hours=1) <= until, moments)


def _on(city: City, rank: int, offline: Offline) -> Counter[str]:
    return Counter(pc.school for pc in city.pcs if reports_on(city, pc, rank, offline))


def reports(city: City, school: str, period: dt.timedelta) -> Iterator[Point]:
    """The raw reports of one school's PCs on all days, one each `period`."""
    offline = offline_of(city)
    pcs = [pc for pc in city.pcs if pc.school == school]
    for rank, day in enumerate(city.days):
        for pc in (pc for pc in pcs if reports_on(city, pc, rank, offline)):
            yield from _day_of(city, pc, rank, day, period, offline)


def _day_of(
    city: City, pc: Pc, rank: int, day: dt.date, period: dt.timedelta, offline: Offline
) -> Iterator[Point]:
    start, stop = moment_ms(day, dt.time(7, 40)), moment_ms(day, dt.time(17, 20))
    start += int(chance(pc.machine, rank) * 1_200_000)
    yield _presence(pc, rank, True, start)
    for number, at in enumerate(range(start, stop, int(period.total_seconds() * 1000)), 1):
        yield agent_point(pc, rank, number, at)
        yield _host(pc, rank, number, at)
        for gear in pc.gear:
            yield _device(city, pc, gear, rank, at, offline)
    yield _presence(pc, rank, False, stop)


def agent_point(pc: Pc, rank: int, number: int, at_ms: int) -> Point:
    """The `agent` point of one report."""
    drawn = chance("agent", pc.machine)
    fields: dict[str, Value] = {
        "boot": f"{int(chance(pc.machine, rank, 'boot') * 2**52):016x}",
        "number": number,
        "rss_bytes": 24_000_000 + int(6e6 * drawn),
        **agent_fields(pc),
        "outbox_bytes": int(2_000_000 * drawn),
        "uptime_s": 300.0 * number,
        "evidence": False, "simulated": True, **({"weak_id": True} if pc.weak else {}),
    }  # fmt: skip
    return Point("agent", {"school": pc.school, "machine": pc.machine}, fields, at_ms * _MS)


def _host(pc: Pc, rank: int, number: int, at_ms: int) -> Point:
    drawn = chance(pc.machine, rank, number)
    fields: dict[str, Value] = {
        "cpu_percent": round(4 + 40 * drawn**3, 1),
        "memory_total": 8_589_934_592,
        "memory_used": int((2.5 + 2 * drawn) * 1e9),
        "disk_total": 256_000_000_000,
        "disk_used": int((90 + 60 * chance(pc.machine)) * 1e9),
        "uptime_s": 300.0 * number,
        "link_mbps": 1000.0, "wired": True, "hostname": pc.hostname, "os": "Windows",
        "simulated": True,
    }  # fmt: skip
    return Point("host", {"school": pc.school, "machine": pc.machine}, fields, at_ms * _MS)


def _device(city: City, pc: Pc, gear: Gear, rank: int, at_ms: int, offline: Offline) -> Point:
    off = offline[pc.school]
    device = device_id(pc.machine, gear.kind, gear.connector)
    tags = {"school": pc.school, "machine": pc.machine, "kind": gear.kind, "device": device}
    present = gear.seen.holds(rank, off, city.size.seed, pc.machine, gear.connector)
    fault = fault_of(device) if gear.faults.holds(rank, off) else ""
    fields: dict[str, Value] = {
        "present": present, "power": "on" if present else "unknown", "fault": fault,
        "connector": gear.connector, "maker": gear.maker, "model": gear.model,
        "serial": gear.serial, "simulated": True,
    }  # fmt: skip
    return Point("device", tags, fields, at_ms * _MS)


def _presence(pc: Pc, rank: int, online: bool, at_ms: int) -> Point:
    boot = f"{int(chance(pc.machine, rank, 'boot') * 2**52):016x}"
    fields: dict[str, Value] = {"boot": boot, "online": online, "simulated": True}
    return Point("presence", {"school": pc.school, "machine": pc.machine}, fields, at_ms * _MS)


def own_counts(first: dt.datetime, until: dt.datetime, pcs: int) -> Iterator[Point]:
    """`collector` and `broker` points, one a minute, of a collector that restarts at times."""
    start, stop = int(first.timestamp()), int(until.timestamp())
    received = quarantined = held = 0
    for at in range(start - start % 60, stop, 60):
        local = local_time(at)
        arriving = int(pcs / 5 * ON.get(local.hour, 0.0) * (local.weekday() < 5))
        restart = at % (86_400 * 9) < 60
        received = 0 if restart else received + arriving
        quarantined = 0 if restart else quarantined + (chance("q", at) < 0.0002)
        held = 0 if restart else held + int(chance("h", at) < 0.01) * 3
        fields: dict[str, Value] = {
            "received": received, "stored": received, "duplicates": received // 2000,
            "held": held, "quarantined": quarantined, "hellos": received // 120,
            "store_errors": 0, "queue": int(arriving * 0.02 * chance("w", at)),
            "write_ms": round(4 + 60 * arriving / max(pcs, 1) + 8 * chance("m", at), 1),
            "calendar_days": 90, "certificate_days": 200 - (at - start) // 86_400,
            "keeper_lag_s": round(20 + 90 * chance("k", at), 1),
        }  # fmt: skip
        yield Point("collector", {}, fields, at * 10**9)
        yield Point("collector", {}, {"keeper": "1/1 keeper01"}, at * 10**9 + 1)
        broker: dict[str, Value] = {
            "clients": int(pcs * ON.get(local.hour, 0.0) * (local.weekday() < 5)) + 3,
            "dropped": 0, "received": received * 2,
        }  # fmt: skip
        yield Point("broker", {}, broker, at * 10**9)
