"""Grafana panels as plain data: one function a kind. InfluxQL data sources only.

Every panel needs a title, a description, and a text for when there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from agent.common.vocabulary.words import Lang, Words
from dashboards import thresholds
from dashboards.influxql import retention
from dashboards.thresholds import BLUE, GREY

Json = dict[str, Any]


class Head(NamedTuple):
    """A panel's title and description; `empty` is shown without data and says what to do."""

    title: str
    description: str
    empty: str


def head(lang: Lang, title: Words | str, description: Words, empty: Words) -> Head:
    """A panel's head in one language; a `str` title is in that language already."""
    titled = title.of(lang) if isinstance(title, Words) else title
    return Head(titled, description.of(lang), empty.of(lang))


class Query(NamedTuple):
    """One query of a panel."""

    measurement: str
    text: str
    table: bool = True
    alias: str = ""
    ref: str = ""  # by default a letter, in order


#: A moment in digits: Grafana's "14 hours ago" is in its reader's language, not in the board's.
MOMENT = "time:YYYY-MM-DD HH:mm"
#: Its own unit of so many a minute is English.
MINUTE = "suffix:/min"
_MIXED: Json = {"type": "datasource", "uid": "-- Mixed --"}


def seconds(lang: Lang) -> str:
    """The unit of seconds in the board's language; Grafana's own would be in English."""
    return f"suffix:{Words('秒', 's').of(lang)}"


def source(measurement: str) -> Json:
    """The data source of a measurement: a variable of the board, never a fixed id."""
    return {"type": "influxdb", "uid": f"${{{retention(measurement)}}}"}


def stat(head: Head, query: Query, steps: Sequence[Json], unit: str = "percent") -> Json:
    """One large number."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "value",  # a background is a gradient, which blurs orange and vermilion
        "graphMode": "none",
        "textMode": "value_and_name",
    }
    defaults = _defaults(head, _or_absent(steps), unit)
    return _panel("stat", head, [query], defaults, options)


def _or_absent(steps: Sequence[Json]) -> list[Json]:
    """These steps from 0 on: below is what nobody has counted, in grey."""
    first, *more = steps or [{"color": BLUE, "value": None}]
    return [{"color": GREY, "value": None}, {**first, "value": 0}, *more]


def number(head: Head, query: Query, colours: Sequence[Json] = ()) -> Json:
    """One large number alone, without its name."""
    made = stat(head, query, colours, "none")
    made["options"]["textMode"] = "value"
    return made


def troubles(head: Head, query: Query, limit: float = 1) -> Json:
    """A number of open problems: blue below `limit`, vermilion from it on."""
    return number(head, query, steps(thresholds.BLUE, thresholds.VERMILION, limit))


def bars(head: Head, query: Query, steps: Sequence[Json], overrides: Sequence[Json]) -> Json:
    """Bars from 0 to 100%, one a field, each coloured against the target."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "horizontal",
        "displayMode": "basic",
        "showUnfilled": True,
    }
    defaults = _defaults(head, steps, "percent") | {"min": 0, "max": 100}
    return _panel("bargauge", head, [query], defaults, options, overrides)


def table(head: Head, query: Query, columns: Json, overrides: Sequence[Json]) -> Json:
    """Rows by series; `columns` renames and orders."""
    organize = {"id": "organize", "options": columns}
    defaults = _defaults(head, [], "none")
    # As coloured text in the text's own colour: else Grafana shows an empty column as JSON.
    defaults["custom"] = {
        "minWidth": 70, "displayMode": "color-text", "cellOptions": {"type": "color-text"}
    }  # fmt: skip
    defaults["color"] = {"mode": "fixed", "fixedColor": "text"}
    # Without it an empty cell would say what to do when the whole table is empty.
    cells = {"matcher": {"id": "byRegexp", "options": "/.*/"},
             "properties": [{"id": "noValue", "value": "—"}]}  # fmt: skip
    made = _panel("table", head, [query], defaults, {"showHeader": True}, [cells, *overrides])
    return made | {"transformations": [organize]}


def text(
    head: Head, query: Query, field: str, mappings: Sequence[Json], unit: str = "none"
) -> Json:
    """One word or time in large letters, from the column `field`."""
    made = stat(head, query, [], unit)
    made["fieldConfig"]["defaults"]["mappings"] = list(mappings)
    made["options"]["reduceOptions"]["fields"] = f"/^{field}$/"
    made["options"]["textMode"] = "value"
    return made


def map_of(head: Head, query: Query, column: str, title: str, mappings: Sequence[Json]) -> Json:
    """A map of schools, coloured by a column of words, without tiles: those need the Internet."""
    colour = {"field": column, "fixed": GREY}
    style = {
        "color": colour,
        "opacity": 0.85,
        "size": {"fixed": 6, "min": 2, "max": 12},
        "symbol": {"fixed": "img/icons/marker/circle.svg", "mode": "fixed"},
    }
    place = {"mode": "coords", "latitude": "latitude", "longitude": "longitude"}
    layer = {"type": "markers", "name": title, "location": place, "tooltip": True,
             "config": {"showLegend": False, "style": style}}  # fmt: skip
    options = {
        "view": {"id": "fit", "lat": 0, "lon": 0, "zoom": 11, "allLayers": True},
        # Outlines that are part of Grafana; its default layer loads tiles from a server.
        "basemap": {"type": "geojson", "name": "outline", "config": _OUTLINE},
        "layers": [layer],
        "controls": {"showZoom": True, "mouseWheelZoom": False, "showAttribution": False,
                     "showScale": True, "showDebug": False},
        "tooltip": {"mode": "details"},
    }  # fmt: skip
    defaults = _defaults(head, [], "none") | {"mappings": list(mappings)}
    return _panel("geomap", head, [query], defaults, options)


_OUTLINE: Json = {
    "src": "public/maps/countries.geojson",
    "rules": [],
    "style": {"color": {"fixed": GREY}, "opacity": 0.06, "lineWidth": 1},
}


def counts(head: Head, queries: Sequence[Query], overrides: Sequence[Json]) -> Json:
    """Counts as horizontal bars with their numbers, in one colour unless overridden."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "orientation": "horizontal",
        "displayMode": "basic",
        "showUnfilled": False,
    }
    defaults = _defaults(head, [], "none") | {"min": 0, "decimals": 0}
    defaults["color"] = {"mode": "fixed", "fixedColor": BLUE}
    return _panel("bargauge", head, queries, defaults, options, overrides)


def words(mapped: Mapping[str, tuple[str, str]]) -> list[Json]:
    """Stored words as people read them: {stored: (shown, colour)}."""
    options = {
        stored: {"text": shown, "color": colour, "index": number}
        for number, (stored, (shown, colour)) in enumerate(mapped.items())
    }
    return [{"type": "value", "options": options}]


_LEGEND: Json = {"displayMode": "list", "placement": "bottom", "showLegend": True, "calcs": []}


def trend(head: Head, queries: Sequence[Query], unit: str, overrides: Sequence[Json]) -> Json:
    """Lines over time."""
    defaults = _defaults(head, [], unit)
    defaults["custom"] = {
        "drawStyle": "line",
        "lineWidth": 2,
        "showPoints": "auto",
        "spanNulls": True,
    }
    if unit == "percent":
        defaults |= {"min": 0, "max": 100}
    options = {"legend": _LEGEND, "tooltip": {"mode": "multi", "sort": "desc"}}
    return _panel("timeseries", head, queries, defaults, options, overrides)


def counted(head: Head, queries: Sequence[Query], overrides: Sequence[Json] = ()) -> Json:
    """Whole numbers over time, from 0."""
    made = trend(head, queries, "none", overrides)
    made["fieldConfig"]["defaults"] |= {"min": 0, "decimals": 0}
    return made


def from_zero(panel: Json) -> Json:
    """The panel with an axis that begins at 0."""
    panel["fieldConfig"]["defaults"]["min"] = 0
    return panel


def steps(below: str, met: str, at: float) -> list[Json]:
    """One colour below `at`, another from it on."""
    return [{"color": below, "value": None}, {"color": met, "value": at}]


def colour(field: str, value: str, extra: Mapping[str, object] | None = None) -> Json:
    """An override: this field always in this colour, with more properties if given."""
    properties: list[Json] = [{"id": "color", "value": {"mode": "fixed", "fixedColor": value}}]
    properties += [{"id": key, "value": setting} for key, setting in (extra or {}).items()]
    return override(field, properties)


def override(field: str, properties: Sequence[Json]) -> Json:
    """Properties of one field of a panel."""
    return {"matcher": {"id": "byName", "options": field}, "properties": list(properties)}


def _defaults(head: Head, steps: Sequence[Json], unit: str) -> Json:
    defaults: Json = {"unit": unit, "noValue": head.empty, "mappings": []}
    if unit == "percent":
        defaults["decimals"] = 1  # the value is rounded already; one digit repeats it
    if steps:
        defaults["thresholds"] = {"mode": "absolute", "steps": list(steps)}
        defaults["color"] = {"mode": "thresholds"}
    return defaults


def _panel(
    kind: str,
    head: Head,
    queries: Sequence[Query],
    defaults: Json,
    options: Json,
    overrides: Sequence[Json] = (),
) -> Json:
    return {
        "type": kind,
        "title": head.title,
        "description": head.description,
        "datasource": source_of(queries),
        "targets": [_target(query, number) for number, query in enumerate(queries)],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
    }


def source_of(queries: Sequence[Query]) -> Json:
    """The data source of a panel: mixed where its queries go to both."""
    found = [source(query.measurement) for query in queries]
    return found[0] if all(one == found[0] for one in found) else _MIXED


def also(panel: Json, query: Query) -> None:
    """Add a query to a panel that is made already."""
    panel["targets"].append(_target(query, len(panel["targets"])))
    found = [target["datasource"] for target in panel["targets"]]
    panel["datasource"] = found[0] if all(one == found[0] for one in found) else _MIXED


def _target(query: Query, number: int) -> Json:
    return {
        "refId": query.ref or chr(ord("A") + number),
        "datasource": source(query.measurement),
        "rawQuery": True,
        "query": query.text,
        "resultFormat": "table" if query.table else "time_series",
        **({"alias": query.alias} if query.alias else {}),
    }
