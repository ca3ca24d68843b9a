"""Reports, dates, devices and ids without end by the holder of a school's key: bounded."""

from __future__ import annotations

import datetime as dt
import json
import re

import pytest
from msgspec.structs import replace

from agent import wire
from collector.service.pipeline import known_devices
from collector.service.pipeline.inbox import Message
from forged_city import BOOT, CUTOFF, OPEN_DAYS, SCHOOL, City, at, pc
from forged_reports import DAY, health, named


def test_who_never_stops_is_held_in_the_end_and_a_restart_gives_nothing_back(city: City) -> None:
    """What is left after months of it: three reports."""
    rows = [city.message(pc(1), at(OPEN_DAYS[0]), named("PC")) for _ in range(8)]
    city.hears(*rows[:2])
    city.gate.close()
    file = city.folder / "allowances.json"
    left = json.loads(file.read_text())
    left[SCHOOL][1] = 3
    file.write_text(json.dumps(left))
    city.starts_again()
    city.hears(*rows[2:7])
    assert city.held() == {"too_many_reports": 2}
    city.gate.close()
    city.starts_again()
    city.hears(rows[7])
    assert city.held() == {"too_many_reports": 3}
    assert len(city.points("agent")) == 5
    (told,) = [row.detail for row in city.book.rows()]
    assert re.fullmatch(r"\d+/min \d+ kB/min \d+/d \d+ kB/d", told)


def test_a_century_of_dates_costs_two_months(city: City) -> None:
    now = at(CUTOFF)
    start = at(dt.date(1990, 1, 1))
    told = [
        city.message(pc(1), start + n * 37 * DAY, health("6-1"), arrived=now) for n in range(980)
    ]
    city.hears(*told)
    stored = {point.time // 10**6 for point in city.points("agent")}
    assert all(now - 60 * DAY <= time <= now + 3_600_000 for time in stored)
    assert len(stored) <= 2
    assert city.held() == {"time_out_of_bounds": 980 - len(stored)}


@pytest.mark.parametrize("clock", ["2016-12-31 23:59:60", "2026-06-30 23:59:60"])
def test_a_leap_second_is_no_time_of_ours(city: City, clock: str) -> None:
    """In ms since 1970 it is the next second; as a text it cannot be read, and is set aside."""
    message = city.message(pc(1), at(CUTOFF), health("6-1"))
    spoilt = message.payload.replace(str(at(CUTOFF)).encode(), f'"{clock}"'.encode())
    city.worker.handle([replace(message, payload=spoilt)])
    assert city.points("agent") == []
    assert len(city.receipts) == 1, "it is receipted: it would never be readable"


def test_a_hundred_thousand_devices_are_as_many_as_the_school_can_have(city: City) -> None:
    """Each is a tag of the store, of which InfluxDB 1.x takes 100,000 of all schools together."""
    names = iter(range(100_000))
    for start in range(0, 500, 50):
        told = []
        for n in range(start, start + 50):
            made = [wire.Device("sound", f"invented-{next(names)}") for _ in range(200)]
            told.append(city.message(pc(n % 55), at(CUTOFF) + n, health("6-1"), *made))
        city.hears(*told)
    assert next(names, None) is None
    devices = {point.tags["device"] for point in city.points("device")}
    assert len(devices) == 55 * known_devices.A_PC
    assert city.held() == {"too_many_devices": 500 - len(devices) // 200}
    city.hears(city.message(pc(1), at(CUTOFF) + 10**6, health("6-1")))
    assert len(city.points("agent")) == len(devices) // 200 + 1, "its PCs are heard as ever"


def test_a_hundred_thousand_ids_are_as_many_as_the_school_can_have(city: City) -> None:
    payload = city.message(pc(0), at(CUTOFF), health("6-1")).payload
    for start in range(0, 100_000, 2000):
        city.worker.handle(
            [
                Message(
                    f"schoolpulse/v1/{SCHOOL}/{pc(n)}/report/{BOOT}/2", payload, at(CUTOFF) * 10**6
                )
                for n in range(start, start + 2000)
            ]
        )
    assert len(city.points("agent")) == 55
    assert city.held() == {"too_many_machines": 100_000 - 55}
