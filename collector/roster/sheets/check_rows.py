"""Checks single rows, and rows that contradict each other."""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.register import COMPUTER_ROOM
from collector.roster.sheets.records import Record, Table
from collector.roster.sheets.words import ROOM_TYPES

_CATEGORIES = {"11", "21", "31", "32", "34", "36", "37", "51"}
_PROVINCES = {
    *("11", "12", "13", "14", "15", "21", "22", "23", "31", "32", "33", "34", "35", "36", "37"),
    *("41", "42", "43", "44", "45", "46", "50", "51", "52", "53", "54", "61", "62", "63", "64"),
    *("65", "71", "81", "82"),
}
_EXAMPLE = "99"
_CHINA = ((3.0, 54.0), (73.0, 136.0))  # latitude, longitude


def check(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Apply the rules for rows to every row, then the rules for whole sheets."""
    for name, rule in _RULES.items():
        for record in tables[name].records if name in tables else ():
            yield from rule(record)
    if "classes" in tables:
        yield from _same_class(tables["classes"])
    if "equipment" in tables:
        yield from _same_equipment(tables["equipment"])
    if "machines" in tables:
        yield from _same_machine(tables["machines"])
    yield from _no_schools(tables)


def _no_schools(tables: Mapping[str, Table]) -> Iterator[Problem]:
    table = tables.get("schools")
    if table and table.whole and not table.records:
        wrong = say("一所学校也没有", "holds no school")
        yield Problem(table.file, wrong, say("每所学校填一行", "one row a school"))


def _school(record: Record) -> Iterator[Problem]:
    code = record.get("code")
    if code and not code.startswith(_EXAMPLE):
        if code[2:4] not in _PROVINCES:
            wrong = say(f"第 3、4 位 {code[2:4]} 不是省级代码", f"has no province {code[2:4]}")
            yield record.problem("code", wrong, say("对照批文核对", "compare with the document"))
        elif code[:2] not in _CATEGORIES:
            wrong = say(f"开头 {code[:2]} 不是常见的办学类别", f"begins with an unusual {code[:2]}")
            fix = say("核对一下", "check it")
            yield record.problem("code", wrong, fix, warning=True)
    if code and record.get("successor") == code:
        wrong = say("并入的是它自己", "is the school itself")
        yield record.problem("successor", wrong, say("填并入的学校", "enter the other school"))
    yield from _order(record, "opened", "closed")


def _order(record: Record, first: str, last: str) -> Iterator[Problem]:
    start, end = record.get(first), record.get(last)
    if start and end and end < start:
        wrong = say(f"早于开始的 {start}", f"is before {start}")
        yield record.problem(last, wrong, say("改正其中一个日期", "correct one of the two"))


def _place(record: Record) -> Iterator[Problem]:
    latitude, longitude = record.get("latitude"), record.get("longitude")
    empty = "latitude" if latitude is None else "longitude"
    if (latitude is None) != (longitude is None) and empty not in record.bad:
        wrong = say("是空的，而另一个坐标填了", "is empty, but the other coordinate is not")
        yield record.problem(empty, wrong, say("两个都填，或都不填", "both, or neither"))
    if latitude is None or longitude is None or _in_china(latitude, longitude):
        return
    if _in_china(longitude, latitude):
        wrong = say("与经度填反了", "is swapped with the longitude")
        yield record.problem("latitude", wrong, say("两列对调", "swap the two"))
    else:
        wrong = say("这一点不在中国", "lies outside China")
        yield record.problem("latitude", wrong, say("核对坐标", "check them"), warning=True)


def _in_china(latitude: float, longitude: float) -> bool:
    (south, north), (west, east) = _CHINA
    return south <= latitude <= north and west <= longitude <= east


def _room(record: Record) -> Iterator[Problem]:
    kind = record.get("type")
    if kind and kind not in ROOM_TYPES.values():
        wrong = say(
            "不是常用的教室类型，不会当作计算机教室", "is an unusual type, no computer room"
        )
        yield record.problem("type", wrong, _known_rooms(), warning=True)
    if kind == COMPUTER_ROOM and not record.get("seats") and "seats" not in record.bad:
        wrong = say(
            "计算机教室没有座位数，无法核实", "a computer room without seats proves nothing"
        )
        yield record.problem("seats", wrong, say("填学生座位数", "enter the seats"), warning=True)


def _known_rooms() -> str:
    known = say("、", ", ").join(dict.fromkeys(ROOM_TYPES.values()))
    return say(f"常用：{known}", f"usual: {known}")


def _class(record: Record) -> Iterator[Problem]:
    yield from _order(record, "from", "to")


def _equipment(record: Record) -> Iterator[Problem]:
    count = record.get("count")
    if record.get("serial") and count not in (None, 1):
        wrong = say("有序列号，而数量不是 1", "has a serial, but its count is not 1")
        yield record.problem("serial", wrong, say("有序列号的一台一行", "one row a device"))


def _machine(record: Record) -> Iterator[Problem]:
    pattern = record.get("pattern")
    if pattern and not pattern.strip("*?"):
        wrong = say("会绑定全校的计算机", "binds every computer of the school")
        fix = say("写得具体些，如 SL1-101-*", "be more exact, such as SL1-101-*")
        yield record.problem("pattern", wrong, fix, warning=True)


_RULES: Mapping[str, Callable[[Record], Iterator[Problem]]] = {
    "schools": _school,
    "campuses": _place,
    "rooms": _room,
    "classes": _class,
    "equipment": _equipment,
    "machines": _machine,
}


def _same_class(table: Table) -> Iterator[Problem]:
    """A class name may recur in another year, but not at the same time."""
    seen: dict[tuple[str, ...], list[Record]] = defaultdict(list)
    for record in table.records:
        key = record.key("school", "class")
        if record.bad.isdisjoint({"class", "from", "to"}) and all(key):
            for other in (other for other in seen[key] if _overlap(record, other)):
                wrong = say(f"与第 {other.row} 行重复", f"is in row {other.row} already")
                fix = say("删去一行；不同年份的写明起止", "remove one, or date them apart")
                yield record.problem("class", wrong, fix)
                break
            seen[key].append(record)


def _overlap(one: Record, other: Record) -> bool:
    def days(record: Record) -> tuple[dt.date, dt.date]:
        return record.get("from") or dt.date.min, record.get("to") or dt.date.max

    (first, last), (start, end) = days(one), days(other)
    return first <= end and start <= last


def _same_equipment(table: Table) -> Iterator[Problem]:
    seen: dict[tuple[str, ...], int] = {}
    for record in table.records:
        key = record.key("school", "room", "kind", "serial")
        row = seen.setdefault(key, record.row)
        if row != record.row and record.bad.isdisjoint({"school", "room", "kind", "serial"}):
            wrong = say(f"与第 {row} 行重复", f"is in row {row} already")
            fix = say("合成一行，数量相加；或各写序列号", "sum them in one row, or give serials")
            yield record.problem("kind", wrong, fix)


def _same_machine(table: Table) -> Iterator[Problem]:
    """A machine id may be bound in one school only."""
    seen: dict[str, Record] = {}
    for record in table.records:
        pattern = record.get("pattern") or ""
        if len(pattern) != 32 or not set(pattern) <= set("0123456789abcdef"):
            continue
        other = seen.setdefault(pattern, record)
        if other.get("school") != record.get("school"):
            wrong = say(
                f"第 {other.row} 行的学校已有这台计算机", f"is bound in row {other.row} already"
            )
            yield record.problem("pattern", wrong, say("删去一行", "remove one"))
