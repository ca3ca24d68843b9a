"""The expected result of a simulated city: units by verdict, per area and indicator."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

import msgspec

from agent.common.vocabulary.indicators import INDICATORS
from collector.compliance.figure import DIRECT
from collector.compliance.model import Verdict
from collector.simulate.city import City

#: (area code, indicator) -> units by verdict
Counts = Mapping[tuple[str, str], Counter[Verdict]]


def counts(city: City, city_code: str) -> Counts:
    """Units by verdict, for the city, every district and every school that counts."""
    district = {
        school.code: DIRECT if school.responsible == city_code else school.responsible
        for school in city.schools
    }
    found: dict[tuple[str, str], Counter[Verdict]] = {}
    for unit in city.expected:
        for area in (city_code, district[unit.school], unit.school):
            found.setdefault((area, unit.indicator), Counter())[unit.verdict] += 1
    return found


def as_json(city: City, city_code: str) -> bytes:
    """truth.json: the city's size, counts by area and indicator, and every unit's case."""
    tally = counts(city, city_code)
    areas = sorted({area for area, _ in tally})
    tree = {
        "simulated": True,
        "size": city.size,
        "cutoff": city.cutoff,
        "areas": {
            area: {name: _row(tally.get((area, name), Counter())) for name in INDICATORS}
            for area in areas
        },
        "units": city.expected,
    }
    return msgspec.json.format(msgspec.json.encode(tree), indent=1) + b"\n"


def _row(found: Counter[Verdict]) -> dict[str, int]:
    return {"all": found.total(), **{verdict.value: found[verdict] for verdict in Verdict}}
