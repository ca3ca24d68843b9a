"""What the holder of a school's key makes up of its PCs and rooms: held, refused, or shown."""

from __future__ import annotations

from agent import wire
from agent.common.vocabulary.doubts import SIGNS
from forged_city import CLASSES, CUTOFF, OPEN_DAYS, SEATS, City, at, pc
from forged_reports import health, honest, named, projector


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


def test_one_simulated_report_does_not_stop_the_figure(city: City) -> None:
    city.hears(*honest(city, OPEN_DAYS[:3], labs=0))
    city.hears(city.message(pc(1), at(CUTOFF), health("6-1"), simulated=True))
    city.derive()
    assert city.held() == {"simulated": 1}
    assert city.verdicts()["multimedia"] == ["verified"] * 3
