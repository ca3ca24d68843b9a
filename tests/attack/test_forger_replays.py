"""Reports that the holder of a school's key sends again: they count once, late ones show."""

from __future__ import annotations

from msgspec.structs import replace

from agent.common.vocabulary.doubts import SIGNS
from collector.service.pipeline.inbox import Message
from forged_city import CUTOFF, OPEN_DAYS, City, at, pc
from forged_reports import DAY, honest


def test_the_same_reports_again_change_nothing(city: City) -> None:
    told = honest(city, OPEN_DAYS[:3])
    city.hears(*told)
    city.derive()
    before = city.points("agent"), city.points("machine_day"), city.points("room_day")
    city.hears(*(replace(message, arrived=message.arrived + 5 * DAY * 10**6) for message in told))
    city.derive()
    after = city.points("agent"), city.points("machine_day"), city.points("room_day")
    assert after[1:] == before[1:]
    assert len(after[0]) == len(before[0])


def replayed(message: Message, arrived: int, machine: str | None = None) -> Message:
    """Its bytes under a new boot, and another PC if given."""
    parts = message.topic.split("/")
    parts[3], parts[5] = machine or parts[3], "f" * 16
    return replace(message, topic="/".join(parts), arrived=arrived * 10**6)


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
