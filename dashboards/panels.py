"""Grafana panels as plain data: one function a kind. InfluxQL data sources only.

Every panel needs a title, a description, and a text for when there is nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from dashboards.influxql import retention

Json = dict[str, Any]


class Head(NamedTuple):
    """What every panel says about itself; `empty` tells what to do when it shows nothing."""

    title: str
    description: str
    empty: str


class Query(NamedTuple):
    """One query of a panel."""

    measurement: str
    text: str
    table: bool = True
    alias: str = ""


def source(measurement: str) -> Json:
    """The data source of a measurement: a variable of the board, never a fixed id."""
    return {"type": "influxdb", "uid": f"${{{retention(measurement)}}}"}


def stat(head: Head, query: Query, steps: Sequence[Json], unit: str = "percent") -> Json:
    """One large number."""
    options = {
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "colorMode": "background",
        "graphMode": "none",
        "textMode": "value_and_name",
    }
    return _panel("stat", head, [query], _defaults(head, steps, unit), options)


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
    defaults = _defaults(head, [], "none") | {"decimals": None}
    made = _panel("table", head, [query], defaults, {"showHeader": True}, overrides)
    return made | {"transformations": [organize]}


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
    options = {"legend": {"displayMode": "list", "placement": "bottom", "showLegend": True}}
    return _panel("timeseries", head, queries, defaults, options, overrides)


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
        "datasource": source(queries[0].measurement),
        "targets": [_target(query, number) for number, query in enumerate(queries)],
        "fieldConfig": {"defaults": defaults, "overrides": list(overrides)},
        "options": options,
    }


def _target(query: Query, number: int) -> Json:
    return {
        "refId": chr(ord("A") + number),
        "datasource": source(query.measurement),
        "rawQuery": True,
        "query": query.text,
        "resultFormat": "table" if query.table else "time_series",
        **({"alias": query.alias} if query.alias else {}),
    }
