"""Reading while reports come: a report is read whole, and only its school is read again."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import pytest

import city_day
from collector.keeper import raw
from collector.keeper.midnight import bounds
from collector.store.base import Point
from collector.store.sqlite import SqliteStore

CITY = city_day.City(schools=3, pcs=2)
ONE, OTHER, THIRD = CITY.codes
AT = 9 * 3600


class Between(SqliteStore):
    """A report of a school is written between the reads of agents and of hosts, `left` times."""

    def __init__(self, path: Path, school: str, left: int) -> None:
        super().__init__(path, 36500)
        self.school, self.left, self.asked = school, left, list[list[str]]()

    def read(
        self,
        measurement: str,
        start: int,
        stop: int,
        tags: Mapping[str, str | Iterable[str]] | None = None,
        fields: Sequence[str] | None = None,
    ) -> Iterator[Point]:
        schools = (tags or {})["school"]
        if measurement == "agent":
            self.asked.append([schools] if isinstance(schools, str) else list(schools))
        if measurement == "host" and self.left and self.school in schools:
            self.left -= 1
            self.write(city_day.report(self.school, 0, 50 + self.left, AT + 60 + self.left))
        return super().read(measurement, start, stop, tags, fields)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    with SqliteStore(tmp_path / "s.db", 36500) as store:
        for code in CITY.codes:
            store.write([p for one in city_day.reports(CITY, code, 0, AT) for p in one])
    return tmp_path / "s.db"


@pytest.mark.parametrize("torn", [0, 1, 2])
def test_only_the_school_of_a_report_in_flight_is_read_again(path: Path, torn: int) -> None:
    start, stop = bounds(city_day.DAY)
    with Between(path, OTHER, torn) as store:
        found = raw.read_schools(store, CITY.codes, start, stop)
        assert store.asked == [CITY.codes] + [[OTHER]] * torn
    with SqliteStore(path, 36500) as plain:
        assert found == raw.read_schools(plain, CITY.codes, start, stop)
    assert {len(found[OTHER].agents) - len(found[code].agents) for code in (ONE, THIRD)} == {torn}


def test_a_report_whose_agent_point_never_comes_ends_the_reading(path: Path) -> None:
    start, stop = bounds(city_day.DAY)
    with Between(path, OTHER, 0) as store:
        store.write(city_day.report(OTHER, 0, 90, AT)[1:])
        found = raw.read_schools(store, CITY.codes, start, stop)
        assert store.asked == [CITY.codes, [OTHER], [OTHER]]
    assert len(found[OTHER].hosts) == len(found[OTHER].agents) + 1
