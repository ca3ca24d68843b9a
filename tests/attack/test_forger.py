"""What the holder of a school's key makes up: each try is held, refused, or shown with its sign."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from agent import wire
from agent.common.vocabulary.doubts import SIGNS
from agent.common.vocabulary.reasons import REASONS
from collector.service.pipeline import known_devices
from collector.service.pipeline.inbox import Message
from forged_city import (
    BOOT,
    CLASSES,
    CUTOFF,
    LINE,
    OPEN_DAYS,
    SCHOOL,
    SEATS,
    City,
    at,
    pc,
)

DAY = 86_400_000
PROJECTOR = {
    "kind": "projector", "connector": "HDMI-1", "maker": "EPS", "model": "CB-X06", "name": "EPSON",
}  # fmt: skip


@pytest.fixture
def city(tmp_path: Path, capsys: Any) -> Iterator[City]:
    made = City(tmp_path, capsys)
    yield made
    made.close()


def health(room: str, **more: Any) -> wire.AgentHealth:
    return wire.AgentHealth("0.2.0", room=room, probes=("displays", "sound"), **more)


def projector(n: int, **more: Any) -> wire.Device:
    return wire.Device(**PROJECTOR, serial=f"X{n:06}", serial_number=f"{n}", year=2020, **more)


def named(name: str, received: int | None = None) -> wire.Host:
    nics = (wire.Nic("eth0", True, "wired", 1000.0, 1, received),) if received else ()
    return wire.Host(inventory=wire.Inventory(hostname=name), nics=nics)


def honest(city: City, days: tuple[dt.date, ...], labs: int = SEATS) -> list[Message]:
    """A school that is what its register says: the PCs of three rooms and of the lab."""
    told = []
    for d, day in enumerate(days):
        for n, room in enumerate(CLASSES):
            for clock in (f"08:0{n}:1{d % 10}.{137 + 211 * n}", f"11:0{n}:31.{401 + 97 * n + d}"):
                readings = (named(f"PC-{room}", 10**6 + 7919 * n + d), health(room), projector(n))
                told.append(city.message(pc(n + 1), at(day, clock), *readings))
        for n in range(labs):
            for clock in (f"09:{n:02}:{(n * 7) % 60:02}.{(n * 331 + d) % 1000:03}", "09:50:00"):
                time = at(day, clock) + n * 1_713
                readings = (named(f"LAB-{n}", 10**7 + 104_729 * n + d), health("lab"))
                told.append(city.message(pc(100 + n), time, *readings))
    return told


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


def test_an_honest_school_is_verified_and_shows_no_sign(city: City) -> None:
    city.hears(*honest(city, OPEN_DAYS[:4]))
    city.derive()
    assert city.held() == {}
    verdicts = city.verdicts()
    assert verdicts["multimedia"] == ["verified"] * 3
    assert verdicts["computer_room"] == ["verified"]
    assert city.doubts() == {}


def test_237_reports_over_one_connection_equip_a_school_and_show(city: City) -> None:
    """All at once, each id in a few reports dated over three weeks, counters and clock alike."""
    told = []
    days = OPEN_DAYS[:3]
    arrived = at(CUTOFF, "20:00:00")
    for day in days:
        for n, room in enumerate(CLASSES):
            readings = (wire.Host(cpu_percent=1.0), health(room), projector(n))
            told.append(city.message(pc(n + 1), at(day), *readings, arrived=arrived))
        for n in range(76):
            reading = (wire.Host(cpu_percent=1.0), health("lab"))
            told.append(city.message(pc(100 + n), at(day), *reading, arrived=arrived))
    assert len(told) == 237
    city.hears(*told)
    city.derive()
    held, doubts = city.held(), city.doubts()
    machines = {point.tags["machine"] for point in city.points("agent")}
    assert held["too_many_machines"] == 237 - len(city.points("agent"))
    assert len(machines) == 55, "as many as its rooms explain: (20 + 3) × 1.5 + 20"
    assert set(doubts) == {"ids_beyond", "ids_alike", "ids_unnamed", "late"}
    assert doubts["ids_alike"] == doubts["ids_unnamed"] == 55
    told_text = city.explained()
    for sign in doubts:
        assert SIGNS[sign].zh in told_text


def test_ids_one_after_another_are_no_computer_room(city: City) -> None:
    told = []
    for d, day in enumerate(OPEN_DAYS[:3]):
        for n in range(SEATS):
            for minute in (0, 12):  # each id for a quarter of an hour, over the school day
                minutes = 8 * 60 + n * 20 + minute
                clock = f"{minutes // 60:02}:{minutes % 60:02}:{n:02}.{(n * 37 + d) % 1000:03}"
                readings = (named(f"LAB-{n}", 10**6 + n * 977 + d), health("lab"))
                told.append(city.message(pc(100 + n), at(day, clock), *readings))
    city.hears(*told)
    city.derive()
    assert "verified" not in city.verdicts()["computer_room"]
    assert city.doubts()["ids_in_turn"] == SEATS
    assert SIGNS["ids_in_turn"].zh in city.explained()


def test_equal_counters_show(city: City) -> None:
    """As many copies of one PC's report as the lab has seats: only ids and milliseconds differ."""
    told = []
    for d, day in enumerate(OPEN_DAYS[:3]):
        for n in range(SEATS):
            time = at(day, "09:00:00") + n * 61_337 + d
            readings = (named("LAB", 123_456_789), health("lab", uptime_s=3600.5))
            told.append(city.message(pc(100 + n), time, *readings))
    city.hears(*told)
    city.derive()
    assert city.doubts()["ids_alike"] == SEATS
    assert SIGNS["ids_alike"].zh in city.explained()


def measured(city: City, address: str, line: str = LINE, who: str | None = None) -> list[Message]:
    """Twelve tests of a line on six days, each with the measurement server's record."""
    told = []
    for n, day in enumerate(day for day in OPEN_DAYS[:6] for _ in range(2)):
        time = at(day, f"18:{10 + n:02}:00")
        ident = f"{n:016x}"
        test = wire.LineTest(
            test=ident, line=line, outcome="ok", down_mbps=95.0, payload_down=10**8, seconds=10.0,
            interface="eth0", wired=True, solo=True, other_share=0.0, server_limited=False,
        )  # fmt: skip
        record = wire.LineRecord(
            test=ident, school=SCHOOL, machine=who or pc(1), line=line, outcome="ok",
            sent_bytes=12 * 10**7, down_mbps=94.0, seconds=10.0, address=address,
        )  # fmt: skip
        told.append(city.message(pc(1), time, test, named("PC-1"), health("6-1")))
        sent = city.message(pc(999), time, record, wire.AgentHealth("0.2.0"), school="lineserver")
        told.append(sent)
    return told


def test_a_line_tested_from_its_own_network_is_verified(city: City) -> None:
    city.hears(*measured(city, "192.0.2.7"))
    city.derive()
    assert city.verdicts()["line"] == ["verified"]
    assert city.doubts() == {}


def test_a_key_holders_tests_from_elsewhere_are_no_evidence(city: City) -> None:
    city.hears(*measured(city, "198.51.100.7"))
    city.derive()
    assert city.verdicts()["line"] == ["declared"]
    assert city.doubts() == {"other_network": 12}
    told = city.explained()
    assert SIGNS["other_network"].zh in told
    assert REASONS["other_network"].zh in told


def test_tests_by_another_pc_than_the_server_saw_show(city: City) -> None:
    city.hears(*measured(city, "192.0.2.7", who=pc(55)))
    city.derive()
    assert city.doubts()["other_machine"] == 12


def test_a_line_that_nobody_registered_is_held(city: City) -> None:
    city.hears(*measured(city, "192.0.2.7", line="我的 1000M"))
    assert city.held() == {"unknown_line": 12}
    assert city.points("line_test") == []


def test_the_same_reports_again_change_nothing(city: City) -> None:
    told = honest(city, OPEN_DAYS[:3])
    city.hears(*told)
    city.derive()
    before = city.points("agent"), city.points("machine_day"), city.points("room_day")
    city.hears(*(message._replace(arrived=message.arrived + 5 * DAY * 10**6) for message in told))
    city.derive()
    after = city.points("agent"), city.points("machine_day"), city.points("room_day")
    assert after[1:] == before[1:]
    assert len(after[0]) == len(before[0])


def replayed(message: Message, arrived: int, machine: str | None = None) -> Message:
    """Its bytes under a new boot, and another PC if given."""
    parts = message.topic.split("/")
    parts[3], parts[5] = machine or parts[3], "f" * 16
    return message._replace(topic="/".join(parts), arrived=arrived * 10**6)


def test_old_reports_with_new_numbers_do_not_reach_past_two_months(city: City) -> None:
    told = honest(city, OPEN_DAYS[:1], labs=0)
    late = at(OPEN_DAYS[0]) + 61 * DAY
    city.hears(*(replayed(message, late) for message in told))
    assert city.held() == {"time_out_of_bounds": len(told)}
    assert city.points("agent") == []


def test_old_reports_with_new_numbers_add_no_day_and_show(city: City) -> None:
    told = honest(city, OPEN_DAYS[:2])
    city.hears(*told)
    arrived = at(CUTOFF, "20:00:00")
    city.hears(*(replayed(message, arrived) for message in told))
    city.derive()
    assert {point.time for point in city.points("room_day")} == {
        at(day, "00:00:00") * 10**6 for day in OPEN_DAYS[:2]
    }
    assert city.verdicts()["multimedia"] == ["unknown"] * 3, "two days are no three"
    assert city.doubts()["late"] > 0
    assert SIGNS["late"].zh in city.explained()


def test_old_reports_under_other_ids_show(city: City) -> None:
    """A room's PCs copied into a second set of ids: every counter is there twice, and late."""
    told = honest(city, OPEN_DAYS[:3], labs=0)
    arrived = at(CUTOFF, "20:00:00")
    copies = [
        replayed(message, arrived, pc(500 + copy * 10 + n % 3))
        for copy in range(5)
        for n, message in enumerate(told)
    ]
    city.hears(*told, *copies)
    city.derive()
    found = city.doubts()
    assert found["ids_alike"] >= 5
    assert found["late"] > 0


def test_one_projector_carried_through_the_rooms_equips_one(city: City) -> None:
    told = []
    for d, day in enumerate(OPEN_DAYS[:9]):
        n = d // 3
        for clock in ("08:10:11.217", "11:31:17.553"):
            readings = (named(f"PC-{n}", 10**6 + d), health(CLASSES[n]), projector(7))
            told.append(city.message(pc(n + 1), at(day, clock) + d, *readings))
    city.hears(*told)
    city.derive()
    assert city.verdicts()["multimedia"].count("verified") <= 1
    assert city.doubts()["moved_device"] == 1
    assert SIGNS["moved_device"].zh in city.explained()


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
    city.worker.handle([message._replace(payload=spoilt)])
    assert city.points("agent") == []
    assert len(city.receipts) == 1, "it is receipted: it would never be readable"


def test_one_simulated_report_does_not_stop_the_figure(city: City) -> None:
    city.hears(*honest(city, OPEN_DAYS[:3], labs=0))
    city.hears(city.message(pc(1), at(CUTOFF), health("6-1"), simulated=True))
    city.derive()
    assert city.held() == {"simulated": 1}
    assert city.verdicts()["multimedia"] == ["verified"] * 3


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
