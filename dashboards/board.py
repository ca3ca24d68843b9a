"""Makes a board from rows of panels, and lists the queries of a board for tests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from agent.common.vocabulary.words import Lang, Words
from dashboards.panels import Json

WIDTH = 24
_SCHEMA_VERSION = 37  # Grafana 9.3's; later ones migrate it when they load it


#: Every panel must have these by the schema of Grafana 9.3.
_DEFAULTS: Json = {"transparent": False, "transformations": [], "repeatDirection": "h"}


class Row(NamedTuple):
    """Panels side by side under a heading; each with its share of the 24 columns."""

    title: Words | None
    height: int
    panels: Sequence[tuple[int, Json]]


class Asked(NamedTuple):
    """A query of a board: its panel, and the retention class that it reads."""

    panel: str
    ref: str
    retention: str
    text: str


class Options(NamedTuple):
    """A board's variables, the time range that it opens with, and its annotations."""

    variables: Sequence[Json]
    since: str = "now-30d"
    annotations: Sequence[Json] = ()


def board(
    uid: str, title: Words, description: Words, rows: Sequence[Row], lang: Lang, options: Options
) -> Json:
    """The JSON that Grafana 9 to 13 loads, without any id of an installation."""
    return {
        "uid": f"{uid}-{lang}",
        "title": title.of(lang),
        "description": description.of(lang),
        "tags": ["schoolpulse", f"schoolpulse-{lang}"],
        "schemaVersion": _SCHEMA_VERSION,
        "editable": True,
        "style": "dark",  # required by Grafana 9, without effect: the reader's theme decides
        "graphTooltip": 1,
        "timezone": "Asia/Shanghai",
        "time": {"from": options.since, "to": "now"},
        "refresh": "5m",
        "templating": {"list": list(options.variables)},
        "annotations": {"list": list(options.annotations)},
        "links": [_boards(lang)],
        "panels": list(_placed(rows, lang)),
    }


def _boards(lang: Lang) -> Json:
    """The way to the other boards, with what is chosen here."""
    return {
        "type": "dashboards", "title": "", "icon": "external link", "url": "", "tooltip": "",
        "tags": [f"schoolpulse-{lang}"], "asDropdown": False, "keepTime": False,
        "includeVars": True, "targetBlank": False,
    }  # fmt: skip


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


def _placed(rows: Sequence[Row], lang: Lang) -> Iterator[Json]:
    number, top = 1, 0
    for row in rows:
        if row.title:
            place = {"x": 0, "y": top, "w": WIDTH, "h": 1}
            yield {"id": number, "type": "row", "title": row.title.of(lang), "collapsed": False,
                   "gridPos": place, "panels": []}  # fmt: skip
            number, top = number + 1, top + 1
        left = 0
        for width, panel in row.panels:
            place = {"x": left, "y": top, "w": width, "h": row.height}
            yield {"id": number, **_DEFAULTS, **panel, "gridPos": place}
            number, left = number + 1, left + width
        if left > WIDTH:
            raise ValueError(f"row {row.title} is {left} columns wide, the board {WIDTH}")
        top += row.height
