"""What each page shows: names for its template, never more than its reader may see."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent.common.calendar import CITY_TIME
from agent.common.command_line import RefusedError
from agent.common.language import LANGS, Lang, chosen
from agent.common.vocabulary import hearing, reasons, verdicts
from collector.inventory.devices import Device
from collector.report import FORMATS, explain
from collector.web import chart, listing
from collector.web.access import Visitor
from collector.web.city import Area, City
from collector.web.making import Wanted
from collector.web.missing import missing
from collector.web.school import PIECES, TEST_DAYS, SchoolView
from collector.web.schoolrows import SchoolRow
from collector.web.site import Site

Shown = Mapping[str, object]
_A_PAGE = 200  # rows of faults
_HURTS = 8


class NotFoundError(Exception):
    """There is no such thing, or not for this reader, who is not told which."""


class Reading(NamedTuple):
    """One request: who reads what, and where."""

    site: Site
    visitor: Visitor
    args: Mapping[str, str]

    def rows(self, city: City) -> list[SchoolRow]:
        """The schools that the reader sees."""
        return [row for row in city.schools if self.visitor.sees(row.district)]

    def areas(self, city: City) -> list[Area]:
        """The districts that the reader sees."""
        districts = [area for area in city.areas if area.level == "district"]
        return [area for area in districts if self.visitor.sees(area.code)]

    def top(self, city: City) -> Area | None:
        """The city, or the reader's only district."""
        return city.area("" if self.visitor.whole_city else self.visitor.district)


def overview(reading: Reading) -> Shown:
    """The indicators against their targets, the districts, the trend, what hurts now."""
    city = reading.site.city()
    top = reading.top(city)
    rows = reading.rows(city)
    counts = _counter(reading.site)
    worst = sorted(rows, key=lambda row: (-sum(counts(row)), row.code))
    return {
        "city": city,
        "top": top,
        "areas": reading.areas(city),
        "trend": reading.site.trend(top) if top else {},
        "chart": chart,
        "hearing": {code: sum(row.hearing == code for row in rows) for code in hearing.HEARING},
        "worst": [(row, *counts(row)) for row in worst[:_HURTS] if sum(counts(row))],
        "silent": [row for row in rows if row.hearing == "silent"][:_HURTS],
        "denied": _denied(city, rows),
        "missing": missing(reading.site, city) if reading.visitor.whole_city else [],
        "preparing": reading.site.preparing(),
        "stock": reading.site.stock(),
    }


def _denied(city: City, rows: Sequence[SchoolRow]) -> Mapping[str, int]:
    """Schools that the register and the evidence disagree about, by indicator."""
    return {
        title.id: sum(row.verdicts.get(title.id) == "contradicted" for row in rows)
        for title in city.titles
    }


def districts(reading: Reading) -> Shown:
    """A table of districts and indicators."""
    city = reading.site.city()
    return {"city": city, "top": reading.top(city), "areas": reading.areas(city), "chart": chart}


def schools(reading: Reading) -> Shown:
    """The list of schools."""
    city = reading.site.city()
    wanted = listing.asked(reading.args, [title.id for title in city.titles])
    counts = _counter(reading.site)
    rows = reading.rows(city)
    return {
        "city": city,
        "areas": {area.code: area.name for area in reading.areas(city)},
        "asked": wanted,
        "all": len(rows),
        "rows": [(row, *counts(row)) for row in listing.listed(rows, wanted, counts)],
        "hearing": hearing.HEARING,
        "hearing_meanings": hearing.MEANINGS,
        "verdicts": verdicts.VERDICTS,
    }


def _counter(site: Site) -> Counter:
    return Counter(site)


class Counter:
    """A school's missing and faulty devices: of the stock, else of its last hour."""

    def __init__(self, site: Site) -> None:
        self._found = site.stock()

    def __call__(self, row: SchoolRow) -> tuple[int, int]:
        return self._found.counts(row.code) or (row.missing, row.faults)


def school(reading: Reading, code: str) -> Shown:
    """One school.

    Raises:
        NotFoundError: no such school, or another district's.
    """
    view = _visible(reading, code)
    figure = reading.site.explained(code)
    rules = reading.site.config.figure
    row = reading.site.city().by_code.get(code)
    try:
        told = list(explain.text(figure, code))
    except RefusedError as error:  # of a type that does not count, or closed
        told = [str(error)]
    return {
        "city": reading.site.city(),
        "row": row,
        "view": view,
        "district": figure.register.area_name(view.school.responsible),
        "figure": figure,
        "explained": told,
        "threshold": rules.threshold_mbps,
        "calendar": figure.register.calendar,
        "now": dt.datetime.now(CITY_TIME),
        "chart": chart,
        "days": TEST_DAYS,
        "pieces": PIECES,
        "reasons": reasons,
    }


def _visible(reading: Reading, code: str) -> SchoolView:
    try:
        view = reading.site.school(code)
    except KeyError as error:
        raise NotFoundError from error
    if not reading.visitor.sees(view.school.responsible):
        raise NotFoundError
    return view


def faults(reading: Reading) -> Shown:
    """What is broken or gone, the newest first."""
    city = reading.site.city()
    stock = reading.site.stock()
    seen = {row.code: row for row in reading.rows(city)}
    district = reading.args.get("district", "")
    kind = reading.args.get("kind", "")
    every = [one for code, mine in stock.faults.items() if code in seen for one in mine]
    kinds = sorted({one.kind for one in every})
    found = [one for one in every if district in ("", seen[one.school].district)]
    found = [one for one in found if kind not in kinds or one.kind == kind]
    found.sort(key=lambda one: -max(_since(one), 0))
    pages = max(1, -(-len(found) // _A_PAGE))
    page = min(max(1, _number(reading.args.get("page", ""))), pages)
    return {
        "city": city,
        "areas": {area.code: area.name for area in reading.areas(city)},
        "seen": seen,
        "stock": stock,
        "district": district if district.isdecimal() else "",
        "device_kind": kind if kind in kinds else "",
        "kinds": kinds,
        "found": found[(page - 1) * _A_PAGE : page * _A_PAGE],
        "all": len(found),
        "page": page,
        "pages": pages,
    }


def _number(text: str) -> int:
    return int(text) if text.isdecimal() and text.isascii() and len(text) < 7 else 1


def _since(one: Device) -> int:
    state = one.last_known
    since = state.working_since if state.working == "fault" else state.presence_since
    return since or 0


def reports(reading: Reading) -> Shown:
    """The yearly reports and the frozen archives."""
    city = reading.site.city()
    rows, error = reading.site.frozen()
    frozen = [row for row in rows if not row.parts] if reading.visitor.whole_city else []
    wanted = [wanted_report(reading, year) for year in _years(reading)]
    return {
        "city": city,
        "reports": [(each, reading.site.report(each)) for each in wanted] if city.day else [],
        "frozen": sorted(frozen, key=lambda row: (-row.year, -row.revision)),
        "error": error if reading.visitor.whole_city else "",
        "formats": FORMATS,
    }


def _years(reading: Reading) -> list[int]:
    """This year and the frozen ones, the newest first."""
    rows, _ = reading.site.frozen()
    today = dt.datetime.now(CITY_TIME).date()
    return sorted({today.year, *(row.year for row in rows if not row.parts)}, reverse=True)


def wanted_report(reading: Reading, year: int) -> Wanted:
    """The report of a year that this reader may have: of the city, or of the own district."""
    area = "" if reading.visitor.whole_city else reading.visitor.district
    return Wanted(year, area, chosen())


def report_of(reading: Reading, lang: str, year: str) -> Wanted:
    """The report that an address names.

    Raises:
        NotFoundError: no such year or language.
    """
    known = {str(each): each for each in _years(reading)}
    asked: Lang | None = next((one for one in LANGS if one == lang), None)
    if year not in known or asked is None:
        raise NotFoundError
    return wanted_report(reading, known[year])._replace(lang=asked)


def health(reading: Reading) -> Shown:
    """What the doctor found.

    Raises:
        NotFoundError: a district's reader asks for the city's machines.
    """
    if not reading.visitor.whole_city:
        raise NotFoundError
    return {"city": reading.site.city(), "health": reading.site.health()}
