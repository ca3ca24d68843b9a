"""What a reader of a board chooses: data sources, district, school, room.

Schools and districts are chosen by name and passed on by code: the stored label holds both,
and the variable's pattern parts them.
"""

from __future__ import annotations

from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql
from dashboards.influxql import Chosen, ChosenAmong
from dashboards.panels import Json, source

#: No choice yet: Grafana takes the first value.
_NOTHING = {"text": "", "value": ""}
CITY_CODE = "630100"
DISTRICT = Chosen("district")
ROOM = Chosen("room")
SCHOOL = "${school}"
#: For what the store knows by school alone: the schools of the district, or, of all, any.
#: `.*`, which all districts are, matches each school; a district's code matches none.
OF_DISTRICT = ChosenAmong(("schools", "district"))
_LABEL = r"/^(?<text>.*) · (?<value>\w+)$/"


def sources(lang: Lang) -> list[Json]:
    """The two data sources, found by their names."""
    kept, recent = Words("证据库", "evidence"), Words("遥测库", "telemetry")
    return [_source("evidence", kept.of(lang)), _source("telemetry", recent.of(lang))]


def city(lang: Lang) -> Json:
    """The city's code in the figure."""
    return {
        "type": "textbox",
        "name": "city",
        "label": Words("城市代码", "city code").of(lang),
        "query": CITY_CODE,
        "current": {"text": CITY_CODE, "value": CITY_CODE},
        "options": [{"text": CITY_CODE, "value": CITY_CODE, "selected": True}],
        "hide": 0,
    }


def district(lang: Lang) -> Json:
    """One district, or all."""
    where = {"level": "district"}  # of whichever indicators are on
    label = Words("区县", "district").of(lang)
    return _query("district", label, "indicator", _labels(where), every=True, regex=_LABEL)


def school(lang: Lang) -> Json:
    """One school of the district chosen."""
    where: influxql.Where = {"level": "school", "district": DISTRICT}
    label = Words("学校", "school").of(lang)
    return _query("school", label, "indicator", _labels(where), every=False, regex=_LABEL)


def schools(lang: Lang) -> Json:
    """The schools of the district chosen; hidden. Of all districts: none, see `OF_DISTRICT`.

    So a query never carries the codes of a whole city: some proxies refuse so long an address.
    """
    where = {"level": "school", "district": "${district}"}
    inner = influxql.each("indicator", "last", {"code": "code"}, where, ("area",), influxql.MONTH)
    text = influxql.over('DISTINCT("code")', inner)
    label = Words("学校", "schools").of(lang)
    made = _query("schools", label, "indicator", text, every=True)
    del made["allValue"]
    return made | {"multi": True, "hide": 2}


def room(lang: Lang) -> Json:
    """One room of the school, or all."""
    text = influxql.each(
        "room_day", "last", {"pcs": "pcs"}, {"school": SCHOOL}, ("room",), influxql.MONTH
    )
    text = influxql.over('"room", "pcs"', text)
    return _query("room", Words("教室", "room").of(lang), "room_day", text, every=True)


def version(lang: Lang) -> Json:
    """The versions of agents that report; hidden, one panel is repeated over them."""
    text = influxql.rows("machine_day", ["version"], {}, influxql.RECENT)
    text = text.replace('"version"', 'DISTINCT("version")', 1)
    label = Words("版本", "version").of(lang)
    made = _query("version", label, "machine_day", text, every=True)
    del made["allValue"]
    return made | {"multi": True, "hide": 2}


def _labels(where: influxql.Where) -> str:
    label = {"label": "label"}
    inner = influxql.each("indicator", "last", label, where, ("area",), influxql.MONTH)
    return influxql.over('DISTINCT("label")', inner)


def _query(
    name: str, label: str, measurement: str, text: str, *, every: bool, regex: str = ""
) -> Json:
    return {
        "type": "query",
        "name": name,
        "label": label,
        "datasource": source(measurement),
        "query": text,
        "regex": regex,
        "refresh": 1,
        "sort": 1,
        "includeAll": every,
        "multi": False,
        "hide": 0,
        "options": [],
        "current": {"text": "All", "value": "$__all"} if every else dict(_NOTHING),
        **({"allValue": ".*"} if every else {}),
    }


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
        "current": dict(_NOTHING),
    }
