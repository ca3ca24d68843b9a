"""A board from rows of panels: places, variables, and every query for those who run them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from dashboards.panels import Json
from dashboards.words import Lang, Words

COLUMNS = 24
_SCHEMA_VERSION = 37  # Grafana 9.3's; later ones migrate it when they load it
_CITY = "630100"


class Row(NamedTuple):
    """Panels side by side under a heading; each with its share of the 24 columns."""

    title: str
    height: int
    panels: Sequence[tuple[int, Json]]


class Asked(NamedTuple):
    """A query of a board: where it stands, which retention class answers it."""

    panel: str
    ref: str
    retention: str
    text: str


def board(uid: str, title: Words, description: Words, rows: Sequence[Row], lang: Lang) -> Json:
    """The JSON that Grafana 9 to 13 loads, without any id of an installation."""
    return {
        "uid": f"{uid}-{lang}",
        "title": title.of(lang),
        "description": description.of(lang),
        "tags": ["schoolpulse"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": True,
        "graphTooltip": 1,
        "timezone": "Asia/Shanghai",
        "time": {"from": "now-1y", "to": "now"},
        "refresh": "5m",
        "templating": {"list": _variables(lang)},
        "annotations": {"list": []},
        "links": [],
        "panels": list(_placed(rows)),
    }


def queries(built: Json) -> Iterator[Asked]:
    """Every query of a built board: those of its panels, then those of its variables."""
    for panel in built["panels"]:
        for target in panel.get("targets", ()):
            retention = target["datasource"]["uid"].strip("${}")
            yield Asked(panel["title"], target["refId"], retention, target["query"])
    for variable in built["templating"]["list"]:
        if variable["type"] == "query":
            retention = variable["datasource"]["uid"].strip("${}")
            yield Asked(variable["name"], "variable", retention, variable["query"])


def _placed(rows: Sequence[Row]) -> Iterator[Json]:
    number, top = 1, 0
    for row in rows:
        place = {"x": 0, "y": top, "w": COLUMNS, "h": 1}
        yield {"id": number, "type": "row", "title": row.title, "collapsed": False,
               "gridPos": place, "panels": []}  # fmt: skip
        number, top, left = number + 1, top + 1, 0
        for width, panel in row.panels:
            place = {"x": left, "y": top, "w": width, "h": row.height}
            yield {"id": number, **panel, "gridPos": place}
            number, left = number + 1, left + width
        if left > COLUMNS:
            raise ValueError(f"row {row.title} is {left} columns wide, the board {COLUMNS}")
        top += row.height


def _variables(lang: Lang) -> list[Json]:
    kept, recent = Words("证据库", "evidence"), Words("遥测库", "telemetry")
    city = Words("城市代码", "city code")
    return [
        _source("evidence", kept.of(lang)),
        _source("telemetry", recent.of(lang)),
        {
            "type": "textbox",
            "name": "city",
            "label": city.of(lang),
            "query": _CITY,
            "current": {"text": _CITY, "value": _CITY},
            "options": [{"text": _CITY, "value": _CITY, "selected": True}],
            "hide": 0,
        },
    ]


def _source(retention: str, label: str) -> Json:
    """A data source variable; the name's pattern keeps other InfluxDB sources out."""
    return {
        "type": "datasource",
        "name": retention,
        "label": label,
        "query": "influxdb",
        "regex": f"/{retention}/i",
        "hide": 0,
        "refresh": 1,
        "includeAll": False,
        "multi": False,
        "options": [],
        "current": {},
    }
