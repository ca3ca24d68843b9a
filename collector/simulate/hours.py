"""The hours of a simulated city's schools, as the keeper counts them. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterator, Sequence

from agent.common.calendar import start_of
from collector.roster.register import Register
from collector.simulate.city import City
from collector.store import Point, Value

#: How many PCs are on in each hour, as a share of those that report that day. The last is the
#: first hour of the evening: what is shown of it lasts until the next morning.
ON = {7: 0.3, 8: 0.85, 9: 0.95, 10: 1.0, 11: 0.9, 12: 0.5, 13: 0.6, 14: 0.95, 15: 1.0,
      16: 0.9, 17: 0.5, 18: 0.0}  # fmt: skip
REPORTS_AN_HOUR = 12


def school_hours(
    city: City,
    register: Register,
    day: dt.date,
    machines: Sequence[Point],
    devices: Sequence[Point],
) -> Iterator[Point]:
    """`school_hour` of every school, silent ones too, until the evening."""
    on = Counter(point.tags["school"] for point in machines)
    missing = Counter(point.tags["school"] for point in devices if point.fields["missing"])
    faults = Counter(point.tags["school"] for point in devices if point.fields["fault"])
    for hour, share in ON.items():
        begin = start_of(day) + dt.timedelta(hours=hour)
        is_open = register.calendar.is_open(begin + dt.timedelta(minutes=30))
        for school in city.schools:
            pcs = int(on[school.code] * share)
            tags = {"school": school.code, "district": register.district_of(school.code)}
            fields: dict[str, Value] = {
                "pcs": pcs, "reports": pcs * REPORTS_AN_HOUR, "missing": missing[school.code],
                "faults": faults[school.code], "open": is_open and school.closed is None,
                "simulated": True,
            }  # fmt: skip
            yield Point("school_hour", tags, fields, int(begin.timestamp()) * 10**9)
