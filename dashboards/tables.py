"""Tables: headings in plain words, schools and districts by name, links to their boards.

The store tags points with codes. Names come by a second query, as value mappings of the column
(`Config from query results`): what is shown is the name, what a link passes on is the code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql, panels
from dashboards.influxql import Beyond
from dashboards.mappings import CODED
from dashboards.panels import Head, Json, Query

Format = Literal[
    "text", "count", "mbps", "share", "percent", "verdict", "yes", "since", "moment", "day",
    "school", "district", "room", "kind", "event", "fault", "reason", "to_go",
]  # fmt: skip
_UNITS: Mapping[str, str] = {
    "count": "none", "mbps": "Mbits", "share": "percentunit", "percent": "percent",
    "since": panels.MOMENT, "moment": "time:HH:mm", "day": "time:YYYY-MM-DD",
}  # fmt: skip
_NAMES = "N"
_TAKEN = "Time (lastNotNull)"  # Grafana's name of a column that was aggregated
_APART = ("device", "machine")
_NAME_WIDTH = 170  # a school's name is still read on a narrow screen
#: Without a contract, measured / contract is infinite.
_NO_CONTRACT: Json = {"type": "value", "options": {"Infinity": {"text": "—"}}}
#: If only the query of names has rows, Grafana would list them all, as if all had a problem.
_NAMES_ALONE: Json = {
    "id": "filterByValue",
    "options": {
        "type": "exclude",
        "match": "any",
        "filters": [{"fieldName": "shown", "config": {"id": "isNotNull", "options": {}}}],
    },
}
_DECIMALS = {"mbps": 1, "share": 0, "percent": 1}


class Column(NamedTuple):
    """A column of a query, its heading, and how it is shown."""

    name: str
    title: Words
    format: Format = "text"
    width: int = 0


SCHOOL = Column("school", Words("学校", "school"), "school")
DISTRICT = Column("district", Words("区县", "district"), "district", 150)
ROOM = Column("room", Words("教室", "room"))


def listing(
    head: Head,
    query: Query,
    columns: Sequence[Column],
    lang: Lang,
    sort: tuple[str, bool] | None = None,
    more: Sequence[Json] = (),
) -> Json:
    """A table of these columns in this order; `sort` is a column's name and whether downwards."""
    renamed = {column.name: column.title.of(lang) for column in columns}
    order = {column.name: place for place, column in enumerate(columns)}
    hidden = {} if "Time" in order else {"Time": True}
    columns_as: Json = {"excludeByName": hidden, "indexByName": order, "renameByName": renamed}
    overrides = [panels.override(c.title.of(lang), _properties(c, lang)) for c in columns]
    made = panels.table(head, query, columns_as, [*overrides, *more])
    made["options"]["footer"] = {"show": False, "reducer": ["sum"], "fields": ""}
    if sort:
        made["options"]["sortBy"] = [{"displayName": renamed[sort[0]], "desc": sort[1]}]
    if coded := [column.name for column in columns if column.format in ("school", "district")]:
        _named(made, coded)
        if "Time" in order:
            _without_names_alone(made, query, columns)
    return made


def _without_names_alone(panel: Json, query: Query, columns: Sequence[Column]) -> None:
    """Where only the names have rows, leave no column of theirs: the time is one of both.

    A table that has a column and no row says so in Grafana's words; one without any, in ours.
    Grouping by columns that the names lack drops these; the time is taken from each group.
    """
    groups = {name: {"operation": "groupby", "aggregations": []}
              for name in _columns_of(query, columns)}  # fmt: skip
    taken = {"Time": {"operation": "aggregate", "aggregations": ["lastNotNull"]}}
    grouped: Json = {"id": "groupBy", "options": {"fields": groups | taken}}
    panel["transformations"].insert(2, grouped)
    organize = next(t for t in panel["transformations"] if t["id"] == "organize")["options"]
    for names in (organize["indexByName"], organize["renameByName"]):
        names[_TAKEN] = names.pop("Time")


def _columns_of(query: Query, columns: Sequence[Column]) -> list[str]:
    """The columns of a table but its time: those shown, and those that keep rows apart."""
    shown = [column.name for column in columns if column.name != "Time"]
    return [*shown, *(name for name in _APART if f'"{name}"' in query.text and name not in shown)]


def hide(panel: Json, *columns: str) -> Json:
    """Leave out columns that are only needed to keep rows apart."""
    organize = next(t for t in panel["transformations"] if t["id"] == "organize")
    organize["options"]["excludeByName"] |= dict.fromkeys(columns, True)
    return panel


def _named(panel: Json, columns: Sequence[str]) -> None:
    """Show names where these columns hold codes.

    One question for the names of all areas and one transformation: Grafana 9 forgets which
    query a table came from after the first of this kind.
    """
    where: influxql.Where = {"level": Beyond("!=", "'city'")}  # whichever indicators are on
    shown = {"name": "shown", "code": "code"}
    text = influxql.each("indicator", "last", shown, where, ("area",), influxql.MONTH)
    panels.also(panel, Query("indicator", text, ref=_NAMES))
    named = {
        "id": "configFromData",
        "options": {
            "configRefId": _NAMES,
            "applyTo": {"id": "byRegexp", "options": f"/^({'|'.join(columns)})$/"},
            "mappings": [
                {"fieldName": "code", "handlerKey": "mappings.value"},
                {"fieldName": "shown", "handlerKey": "mappings.text"},
            ],
        },
    }
    panel["transformations"][:0] = [named, dict(_NAMES_ALONE)]
    hide(panel, "area", *shown.values())


def school_link(lang: Lang) -> Json:
    """A click on a school opens its board."""
    return _link(Words("打开学校", "open the school"), "school", "var-school=${__value.raw}", lang)


def _link(title: Words, board: str, passed: str, lang: Lang) -> Json:
    sources = "${evidence:queryparam}&${telemetry:queryparam}"
    url = f"/d/schoolpulse-{board}-{lang}?{passed}&{sources}"
    return {"title": title.of(lang), "url": url}


def district_link(lang: Lang) -> Json:
    """A click on a district opens its lines."""
    title = Words("打开该区县的线路", "open the district's lines")
    return _link(title, "lines", "var-district=${__value.raw}", lang)


def room_link(lang: Lang) -> Json:
    """A click on a room shows its devices on the school's board."""
    passed = "${school:queryparam}&var-room=${__value.raw:percentencode}"
    return _link(Words("看这间教室", "show this room"), "school", passed, lang)


def _properties(column: Column, lang: Lang) -> list[Json]:
    found: list[Json] = []
    if column.format in _UNITS:
        found.append({"id": "unit", "value": _UNITS[column.format]})
    if column.format in _DECIMALS:
        found.append({"id": "decimals", "value": _DECIMALS[column.format]})
    if column.width:
        found.append({"id": "custom.width", "value": column.width})
    if column.format in CODED:
        found.append({"id": "mappings", "value": CODED[column.format](lang)})
    links = {"school": school_link, "district": district_link, "room": room_link}
    if column.format in links:
        found.append({"id": "links", "value": [links[column.format](lang)]})
        found.append({"id": "custom.align", "value": "left"})  # codes look like numbers
    if column.format == "school":
        found.append({"id": "custom.minWidth", "value": _NAME_WIDTH})
    if column.format == "share":
        found.append({"id": "mappings", "value": [_NO_CONTRACT]})
    return found
