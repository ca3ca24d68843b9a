"""Fills in cells that a sheet may leave empty, and brings areas to their codes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.common.language import say
from collector.roster.areas import DIRECT, Areas
from collector.roster.problems import Problem, UnfitError
from collector.roster.sheets import check_names
from collector.roster.sheets.records import Record, Table
from collector.roster.sheets.references import Index

_AREA_COLUMNS = ("district", "responsible")


def areas(tables: Mapping[str, Table]) -> Iterator[Problem]:
    """Replace districts and responsible units by their codes; an empty unit is the district's."""
    records = tables["schools"].records if "schools" in tables else []
    known = learnt(tables)
    for record in records:
        for name in _AREA_COLUMNS:
            yield from _area(record, name, known)
        if record.get("district") == DIRECT:
            wrong = say("是市直属，不是地方", "is a unit, not a place")
            fix = say(
                "这里填所在区县，市直属写在责任单位",
                "enter the place; the unit goes to responsible",
            )
            yield record.problem("district", wrong, fix)
        if not record.text.get("responsible") and "district" in record.values:
            record.values["responsible"] = record.values["district"]


def learnt(tables: Mapping[str, Table]) -> Areas:
    """Names of areas: the built-in ones and those written in the sheet."""
    known = Areas()
    for record in tables["schools"].records if "schools" in tables else ():
        for name in _AREA_COLUMNS:
            known.learn(record.text.get(name, ""))
    return known


def _area(record: Record, name: str, known: Areas) -> Iterator[Problem]:
    if name not in record.values:
        return
    try:
        code, warning = known.resolve(record.values[name])
    except UnfitError as error:
        record.bad.add(name)
        del record.values[name]
        yield record.problem(name, error.wrong, error.fix)
        return
    record.values[name] = code
    if warning:
        yield record.problem(name, warning, "", warning=True)


def campuses(tables: Mapping[str, Table], index: Index) -> Iterator[Problem]:
    """Fill an empty campus with the school's only one; a given one must be of the school."""
    if "campuses" not in index.whole:
        return
    for sheet in ("lines", "rooms"):
        for record in tables[sheet].records if sheet in tables else ():
            if "school" not in record.bad and "campus" not in record.bad:
                known = index.campuses.get(record.get("school"), {})
                yield from _campus(record, known, index.title("campuses"))


def _campus(record: Record, known: Mapping[str, Record], title: str) -> Iterator[Problem]:
    campus = record.get("campus")
    if campus is None and len(known) == 1:
        record.values["campus"] = next(iter(known))
    elif campus not in known:
        record.bad.add("campus")
        names = say("、", ", ").join(known)
        fix = say(f"「{title}」表里有：{names}", f"{title} has: {names}")
        if not known:
            code, name = record.get("school"), campus or "本部"
            wrong = say("这所学校没有登记校区", "the school has no campus registered")
            fix = say(
                f"在「{title}」表里加一行：{code} | {name}",
                f"add a row {code} | {name} to sheet {title}",
            )
        elif campus is None:
            wrong = say("是空的，而这所学校不止一个校区", "is empty, but the school has several")
        else:
            wrong = say("不是这所学校的校区", "is not a campus of this school")
            wrong, fix = check_names.unknown(campus, known, "campus", wrong, fix)
        yield record.problem("campus", wrong, fix)


def lines(tables: Mapping[str, Table], index: Index) -> Iterator[Problem]:
    """Fill a room's empty line with its campus's only line; a given one must be of the campus."""
    if not {"lines", "rooms"} <= index.whole:
        return
    for record in tables["rooms"].records:
        if record.bad.isdisjoint({"school", "campus", "line"}):
            known = index.lines.get(record.get("school"), {})
            yield from _line(record, known, index.title("lines"))


def _line(record: Record, known: Mapping[str, Record], title: str) -> Iterator[Problem]:
    campus, line = record.get("campus"), record.get("line")
    here = {name: row for name, row in known.items() if row.get("campus") == campus}
    if line is None and len(here) == 1:
        record.values["line"] = next(iter(here))
    elif line not in here:
        record.bad.add("line")
        yield record.problem("line", *_no_line(line, here, title, elsewhere=line in known))


def _no_line(
    line: str | None, here: Mapping[str, Record], title: str, *, elsewhere: bool
) -> tuple[str, str]:
    names = say("、", ", ").join(here)
    if line is None and not here:
        return (
            say("是空的，而这个校区没有登记线路", "is empty, and the campus has no line"),
            say(
                f"在「{title}」表里登记；确无宽带的登记一条 0 兆",
                f"add one to {title}; without broadband, one of 0",
            ),
        )
    fix = say(f"这个校区有：{names}", f"this campus has: {names or 'none'}")
    if line is None:
        wrong = say("是空的，而这个校区不止一条线路", "is empty, but the campus has several")
    elif elsewhere:
        wrong = say("是别的校区的线路", "is a line of another campus")
    else:
        wrong = say("不是这所学校的线路", "is not a line of this school")
        return check_names.unknown(line, here, "line", wrong, fix)
    return wrong, fix
