"""Lays out a school's lines, one per campus, each with an office PC that tests it."""

from __future__ import annotations

import random

from collector.roster.register import Campus, Line, School
from collector.simulate.cases import LineCase
from collector.simulate.city import City, Pc, TestedLine, machine_id
from collector.simulate.habits import ALWAYS

MAIN = "本部"
_OTHERS = ("东校区", "西校区")
_PROVIDERS = ("模拟电信", "模拟移动", "模拟联通")


def lay(city: City, school: School, case: LineCase, rng: random.Random) -> None:
    """Add the campuses beyond the first, the lines, and a PC that tests each line."""
    for number, script in enumerate(case.lines):
        campus = MAIN if number == 0 else _campus(city, school, _OTHERS[number - 1])
        line = f"线路{number + 1}"
        provider = rng.choice(_PROVIDERS)
        city.line_rows.append(Line(school.code, line, campus, script.contract, provider))
        pc = Pc(school.code, "", machine_id(rng), f"office-{number + 1}", ALWAYS)
        if script.rate is not None:
            city.pcs.append(pc)
            city.lines.append(TestedLine(school.code, line, pc.machine, script))


def _campus(city: City, school: School, name: str) -> str:
    first = next(row for row in city.campuses if row.school == school.code)
    latitude = None if first.latitude is None else first.latitude + 0.01
    city.campuses.append(Campus(school.code, name, "模拟地址", latitude, first.longitude))
    return name
