"""Warns of what may be written so, but is seldom meant. Pure."""

from __future__ import annotations

import datetime as dt
import math
import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.register import COMPUTER_ROOM
from collector.roster.sheets.kinds import says_pc
from collector.roster.sheets.records import Record, Table
from collector.roster.sheets.references import Index
from collector.roster.sheets.texts import folded

MUCH_MBPS = 10_000
FEW_SEATS = 10  # the size below which the yearly figure lists a computer room apart
_MANY_CLASSES = 3  # a room holds one class at a time; more than this can hardly take turns
#: A campus is far when it lies beyond both from the middle of its district: a county of Qinghai may
#: stretch 100 km, while a wrong digit in a degree moves a campus by 100 km and more.
_FAR_KM, _FAR_TIMES, _ENOUGH = 30.0, 5.0, 4
_EARTH_KM = 6371.0

Rule = Callable[[Record], Iterator[Problem]]


def check(tables: Mapping[str, Table], index: Index) -> Iterator[Problem]:
    """Apply every rule to the sheets that were read."""
    yield from _each(tables, "lines", _contract)
    yield from _each(tables, "rooms", _seats)
    yield from _each(tables, "schools", _teachers)
    yield from _without(tables, index)
    yield from _same_name(tables)
    yield from _crowded(tables)
    yield from _panels(tables)
    yield from _far(tables)


def _each(tables: Mapping[str, Table], sheet: str, rule: Rule) -> Iterator[Problem]:
    for record in tables[sheet].records if sheet in tables else ():
        yield from rule(record)


def _contract(record: Record) -> Iterator[Problem]:
    rate = record.get("contract_mbps")
    if rate == 0:
        wrong = say("就是说没有宽带", "says that there is no broadband")
        fix = say("不知道的留空", "leave it empty if it is not known")
        yield record.problem("contract_mbps", wrong, fix, warning=True)
    elif rate is not None and rate >= MUCH_MBPS:
        wrong = say(f"达到 {MUCH_MBPS} 兆，少见", f"is {MUCH_MBPS} Mbit/s or more, which is rare")
        fix = say("核对单位", "check the unit")
        yield record.problem("contract_mbps", wrong, fix, warning=True)


def _seats(record: Record) -> Iterator[Problem]:
    seats = record.get("seats")
    if record.get("type") == COMPUTER_ROOM and seats and seats < FEW_SEATS:
        wrong = say(f"计算机教室不到 {FEW_SEATS} 座", f"a computer room of under {FEW_SEATS} seats")
        yield record.problem("seats", wrong, say("核对座位数", "check the seats"), warning=True)


def _teachers(record: Record) -> Iterator[Problem]:
    teachers, spaces = record.get("teachers"), record.get("teacher_spaces")
    if spaces and teachers is None:
        wrong = say("填了，而专任教师数没有填", "is given, and the number of teachers is not")
        fix = say("填上专任教师数，否则这所学校不计", "enter it, or the school is not counted")
        yield record.problem("teachers", wrong, fix, warning=True)
    elif spaces and spaces > teachers:
        wrong = say(
            f"{spaces} 人，比专任教师（{teachers} 人）多",
            f"{spaces} is more than its teachers ({teachers})",
        )
        fix = say("核对两列；多出的不计", "check both columns; those beyond do not count")
        yield record.problem("teacher_spaces", wrong, fix, warning=True)


def _without(tables: Mapping[str, Table], index: Index) -> Iterator[Problem]:
    """Schools without a campus; open ones without a class or a line."""
    wrongs = {
        "campuses": say("没有登记校区，地图和线路都用不上它", "has no campus: no map, no line"),
        "lines": say("没有登记线路", "has no line"),
        "classes": say("没有登记班级", "has no class"),
    }
    for sheet, wrong in wrongs.items():
        if not {"schools", sheet} <= index.whole:
            continue
        having = {record.key("school")[0] for record in tables[sheet].records}
        title = tables[sheet].title
        for record in tables["schools"].records:
            closed = sheet != "campuses" and record.get("closed")
            if "code" not in record.bad and not closed and record.key("code")[0] not in having:
                fix = say(f"在「{title}」表里加上", f"add it to {title}")
                yield record.problem("code", wrong, fix, warning=True)


def _same_name(tables: Mapping[str, Table]) -> Iterator[Problem]:
    seen: dict[str, Record] = {}
    for record in tables["schools"].records if "schools" in tables else ():
        name = record.get("name")
        first = seen.setdefault(folded(name), record) if name else record
        if first is not record:
            wrong = say(f"与第 {first.row} 行同名", f"is the name of row {first.row} too")
            fix = say("核对是不是同一所学校", "check whether they are one school")
            yield record.problem("name", wrong, fix, warning=True)


def _crowded(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Many classes in one room at one time."""
    taught: dict[tuple[str, str], list[Record]] = defaultdict(list)
    for record in tables["classes"].records if "classes" in tables else ():
        for room in record.get("rooms") or ():
            taught[record.key("school")[0], room].append(record)
    for (_, room), records in taught.items():
        most = _at_once(records) if len(records) > _MANY_CLASSES else 0
        if most > _MANY_CLASSES:
            wrong = say(f"同时有 {most} 个班在这一间上课", f"is the room of {most} classes at once")
            fix = say("核对教室编号；没有固定教室的留空", "check it; empty: no room of its own")
            yield records[-1].problem("rooms", wrong, fix, value=room, warning=True)


def _at_once(records: Iterable[Record]) -> int:
    """The most classes on one day: counted on each first day, where alone the number grows."""
    spans = Counter((r.get("from") or dt.date.min, r.get("to") or dt.date.max) for r in records)
    return max(
        sum(count for (first, last), count in spans.items() if first <= day <= last)
        for day, _ in spans
    )


def _panels(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """A panel counts as a computer too, unless its words say that it has none inside."""
    records = tables["equipment"].records if "equipment" in tables else ()
    with_pc = {
        record.key("school", "room")
        for record in records
        if record.get("kind") == "computer" and record.get("count") != 0
    }
    for record in records:
        if record.get("kind") == "panel" and record.get("count") and "room" not in record.bad:
            if record.key("school", "room") in with_pc or says_pc(record.text["kind"]):
                continue
            wrong = say("没有写明有无内置电脑，算作有", "counts as one with a PC inside")
            fix = say("没有的写「（无内置电脑）」", "if it has none, write panel_without_pc")
            yield record.problem("kind", wrong, fix, warning=True)


def _far(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Campuses far from the middle of their district's campuses."""
    districts = {
        record.key("code")[0]: record.get("district")
        for record in (tables["schools"].records if "schools" in tables else ())
    }
    places: dict[str, list[tuple[Record, float, float]]] = defaultdict(list)
    for record in tables["campuses"].records if "campuses" in tables else ():
        latitude, longitude = record.get("latitude"), record.get("longitude")
        district = districts.get(record.key("school")[0])
        if district and latitude is not None and longitude is not None:
            places[district].append((record, latitude, longitude))
    for found in places.values():
        if len(found) >= _ENOUGH:
            yield from _far_from_others(found)


def _far_from_others(found: list[tuple[Record, float, float]]) -> Iterator[Problem]:
    middle = (statistics.median(p[1] for p in found), statistics.median(p[2] for p in found))
    away = [_km(middle, (latitude, longitude)) for _, latitude, longitude in found]
    limit = max(_FAR_KM, _FAR_TIMES * statistics.median(away))
    for (record, _, _), km in zip(found, away, strict=True):
        if km > limit:
            wrong = say(
                f"离本区县其他校区 {km:.0f} 公里", f"is {km:.0f} km from the district's other ones"
            )
            fix = say("核对坐标和所在区县", "check the coordinates and the district")
            yield record.problem("latitude", wrong, fix, warning=True)


def _km(one: tuple[float, float], other: tuple[float, float]) -> float:
    """Great-circle distance by the haversine formula."""
    (north, east), (north2, east2) = (tuple(map(math.radians, place)) for place in (one, other))
    half = math.sin((north2 - north) / 2) ** 2
    half += math.cos(north) * math.cos(north2) * math.sin((east2 - east) / 2) ** 2
    return 2 * _EARTH_KM * math.asin(min(1.0, math.sqrt(half)))
