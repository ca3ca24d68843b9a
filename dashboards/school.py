"""学校: one school's line, rooms, equipment and PCs, from its raw reports and its days."""

from __future__ import annotations

from agent.common.vocabulary.indicators import KNOWN
from agent.common.vocabulary.lines import COLUMNS, CONGESTED
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Lang, Words
from dashboards import (
    doubted,
    influxql,
    mappings,
    panels,
    school_rooms,
    tables,
    thresholds,
    variables,
)
from dashboards.board import WIDTH, Options, Row, board
from dashboards.edition import Edition
from dashboards.influxql import Beyond, Where
from dashboards.panels import Json, Query, head
from dashboards.school_rooms import SILENT
from dashboards.tables import Column
from dashboards.variables import SCHOOL
from dashboards.words import ABSENT

_HERE: Where = {"school": SCHOOL}
_NO_DAY = Words(
    "还没有这所学校的结论：台账里有它吗？采集服务在运行吗（schoolpulse doctor）？",
    "no verdict of this school yet: is it in the register, does the collector run?",
)
_NO_TEST = Words(
    "没有线路测试：台账要有线路，collector.toml 要有测速服务器地址",
    "no line test: the register needs a line, collector.toml a measurement server",
)


_SPREAD = (("median", Words("中位数", "median")), ("max", Words("最高", "highest")))


def build(edition: Edition) -> Json:
    """The board of one edition."""
    lang = edition.lang
    rows = [
        Row(Words("现在", "Now"), 4, _now(edition)),
        Row(Words("线路", "The line"), 9, [(24, _tests(edition))]),
        Row(Words("开放时间与在线", "Open hours and PCs on"), 5, [(WIDTH, _pcs_on(lang))]),
        Row(Words("合同与实测", "Contract against measured"), 6, [(24, _lines(lang))]),
        Row(Words("教室与设备", "Rooms and equipment"), 9, [(24, school_rooms.rooms(lang))]),
        Row(None, 9, [(24, school_rooms.devices(lang))]),
        Row(Words("故障与变化", "Faults and changes"), 8,
            [(24, school_rooms.events(lang))]),
        Row(Words("电脑", "PCs"), 10, [(24, school_rooms.machines(lang))]),
        Row(doubted.TITLE, 5, [(24, doubted.signs(lang, _HERE))]),
        Row(Words("电脑的负载", "How busy the PCs are"), 7,
            [(12, _load(lang)), (12, _memory(lang))]),
    ]  # fmt: skip
    chosen = [
        *variables.sources(lang), variables.district(lang), variables.school(lang),
        variables.room(lang),
    ]  # fmt: skip
    description = Words(
        "一所学校：线路、教室、设备、电脑。按名称选学校；点教室只看它的设备。",
        "One school: line, rooms, equipment, PCs. Choose it by name; a click on a room shows its "
        "devices alone.",
    )
    title = Words("学校", "School")
    return board("schoolpulse-school", title, description, rows, lang, Options(chosen))


def _now(edition: Edition) -> list[tuple[int, Json]]:
    lang = edition.lang
    beside = [(4, _seen(lang)), *((4, _count(*named, lang)) for named in _COUNTS.items())]
    shown = [name for name in edition.indicators if name in KNOWN]
    width = max(1, (WIDTH - sum(taken for taken, _ in beside)) // max(1, len(shown)))
    return [*((width, _verdict(name, edition)) for name in shown), *beside]


_COUNTS = {
    "faults": Words("设备有故障", "Devices with a fault"),
    "missing": Words("设备不见了", "Devices missing"),
}


def _verdict(indicator: str, edition: Edition) -> Json:
    declared, contradicted = VERDICTS["declared"], VERDICTS["contradicted"]
    about = Words(
        f"最近一天的结论。「{declared.zh}」：台账说有，还没有实测；"
        f"「{contradicted.zh}」：实测说没有。"
        "每一步的理由：schoolpulse figure --explain <学校标识码>。",
        f"The newest day's verdict. {declared.en}: the register says so and nothing has shown it; "
        f"{contradicted.en}: telemetry says no. Each step: schoolpulse figure --explain CODE.",
    )
    text = influxql.latest("school_day", {indicator: indicator}, _HERE, time=influxql.MONTH)
    said = head(edition.lang, edition.title(indicator), about, _NO_DAY)
    mapped = mappings.verdict_words(edition.lang)
    return panels.text(said, Query("school_day", text), indicator, mapped)


def _seen(lang: Lang) -> Json:
    about = Words(
        "任何一台电脑最后一次上报的时间。晚上与假日没有上报是正常的。",
        "When any PC of the school last reported. Nothing at night or on holidays is as it is.",
    )
    tail = "ORDER BY time DESC LIMIT 1"
    text = influxql.rows("agent", ["number"], _HERE, influxql.MONTH, tail)
    said = head(lang, Words("最后上报", "Last seen"), about, ABSENT)
    return panels.text(said, Query("agent", text), "Time", [], panels.MOMENT)


def _count(field: str, title: Words, lang: Lang) -> Json:
    about = Words(
        "各教室最近一天的合计。大于 0：看下面的「故障与变化」。",
        "All rooms' newest day together. Above 0: see faults and changes below.",
    )
    rooms = influxql.each("room_day", "last", {field: "n"}, _HERE, ("room",), influxql.MONTH)
    text = influxql.over('sum("n") AS "n"', rooms)
    return panels.troubles(head(lang, title, about, ABSENT), Query("room_day", text))


def _tests(edition: Edition) -> Json:
    asked = f"{edition.asked} Mbit/s"
    about = Words(
        "每个点是一次线路测试（红的在课上）；线是近 30 个开放日课外测试的第 90 百分位（判定用）"
        f"与{_LESSON.zh}（上课时实际得到的）。虚线是 {asked}。低的点可能是别人在用，"
        "高的点才说明线路。",
        "Each point is a test (red: in a lesson); the lines are the 90th percentile of quiet tests "
        f"(which decides) and the {_LESSON.en} (what a class gets). Dashed: {asked}. A low "
        "point may be other traffic; a high one proves the line.",
    )
    lang = edition.lang
    down, in_lesson = Words("测试", "test").of(lang), Words("课上测试", "test in a lesson").of(lang)
    day = {name: COLUMNS[name].of(lang) for name in _LINE_COLOURS}
    ok: Where = {**_HERE, "outcome": "ok"}
    taught: Where = {**ok, "window": Beyond("=~", "/^l/")}
    asks = [
        _by_line("line_test", {"down_mbps": down}, ok, "1m"),
        _by_line("line_test", {"down_mbps": in_lesson}, taught, "1m"),
        _by_line("line_day", day, _HERE, "1d"),
    ]
    points = [_points(down, thresholds.SKY), _points(in_lesson, thresholds.VERMILION)]
    lines = [
        _matching(day[name], [{"id": "color", "value": {"mode": "fixed", "fixedColor": value}}])
        for name, value in _LINE_COLOURS.items()
    ]
    said = head(lang, Words("线路测试", "Line tests"), about, _NO_TEST)
    made = panels.trend(said, asks, "Mbits", [*points, *lines])
    return _with_threshold(made, edition.threshold_mbps)


_LESSON = COLUMNS["lesson_mbps"]
_LINE_COLOURS = {
    "p90_mbps": thresholds.BLUE,
    "lesson_mbps": thresholds.ORANGE,
    "contract_mbps": thresholds.GREY,
}


def _by_line(measurement: str, fields: dict[str, str], where: Where, every: str) -> Query:
    text = influxql.each(measurement, "last", fields, where, ("line",), every=every)
    return Query(measurement, text, False, "$tag_line $col")


def _points(ending: str, value: str) -> Json:
    """Single tests as points, not as a line that would join them."""
    properties: list[Json] = [
        {"id": "custom.drawStyle", "value": "points"},
        {"id": "custom.pointSize", "value": 5},
        {"id": "custom.showPoints", "value": "always"},
        {"id": "color", "value": {"mode": "fixed", "fixedColor": value}},
    ]
    return _matching(f" {ending}", properties)


def _matching(ending: str, properties: list[Json]) -> Json:
    """Properties of all series whose names end in this; there is one for each line."""
    return {"matcher": {"id": "byRegexp", "options": f"/{ending}$/"}, "properties": properties}


def _with_threshold(made: Json, value: float) -> Json:
    steps = panels.steps("transparent", thresholds.VERMILION, value)
    defaults = made["fieldConfig"]["defaults"]
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    defaults["custom"] |= {"thresholdsStyle": {"mode": "dashed"}}
    return panels.from_zero(made)


def _pcs_on(lang: Lang) -> Json:
    about = Words(
        "每小时有上报的电脑数：蓝色在开放时间（台账的校历）里，灰色在外。"
        "开放时间里降到 0：断网、断电，或代理被卸载。上课时的测试只能证明线路够，不能证明不够。",
        "PCs that reported each hour: blue while the school was open by the register's calendar, "
        "grey while not. 0 in open hours: no network, no power, or no agent. Tests in lessons can "
        "prove a line met, never short.",
    )
    said = head(lang, Words("开放时间与在线电脑", "Open hours and PCs on"), about, SILENT)
    made = panels.counted(said, [_on(*state, lang) for state in _OPEN], [
        panels.colour(words.of(lang), colour) for _, words, colour in _OPEN
    ])  # fmt: skip
    made["fieldConfig"]["defaults"]["custom"] |= {
        "drawStyle": "bars", "fillOpacity": 70, "spanNulls": False,
        "axisSoftMax": 4,  # no marks at half a PC
    }  # fmt: skip
    made["interval"] = "1h"
    return made


_OPEN = (
    (True, Words("开放", "open"), thresholds.BLUE),
    (False, Words("关闭", "closed"), thresholds.GREY),
)


def _on(is_open: bool, words: Words, _colour: str, lang: Lang) -> Query:
    where: Where = {**_HERE, "open": is_open}
    fields = {"pcs": words.of(lang)}
    text = influxql.each("school_hour", "max", fields, where, every="$__interval")
    return Query("school_hour", text, False, "$col")


def _lines(lang: Lang) -> Json:
    declared = VERDICTS["declared"]
    about = Words(
        f"合同带宽来自台账；实测来自近 30 个开放日的有效测试。结论「{declared.zh}」而测试数"
        f"不到 10：再等几天；「{CONGESTED.zh}」：带宽够，但多数时候被占满。",
        "The contract is the register's, the rest are valid tests of the last 30 open days. "
        f"{declared.en} with fewer than 10 tests: wait some days. {CONGESTED.en}: fast enough, "
        "mostly full.",
    )
    columns = [
        Column("line", COLUMNS["line"]),
        *(Column(f"{name}_mbps", COLUMNS[f"{name}_mbps"], "mbps")
          for name in ("contract", "p90", "median", "lesson")),
        Column("tests", COLUMNS["tests"], "count"), Column("days", COLUMNS["days"], "count"),
        Column("verdict", COLUMNS["verdict"], "verdict"), Column("congested", CONGESTED, "yes"),
    ]  # fmt: skip
    fields = {c.name: c.name for c in columns[1:]}
    text = influxql.latest("line_day", fields, _HERE, ("line",), influxql.MONTH)
    said = head(lang, Words("线路", "Lines"), about, _NO_TEST)
    return tables.listing(said, Query("line_day", text), columns, lang)


def _load(lang: Lang) -> Json:
    about = Words(
        "全校电脑的处理器占用：中位数与最高。代理本身不到千分之一。",
        "Processor use of the school's PCs: median and highest. The agent's share is under 0.1%.",
    )
    said = head(lang, Words("处理器", "Processor"), about, SILENT)
    return panels.trend(said, _spread("host", "cpu_percent", lang), "percent", [])


def _memory(lang: Lang) -> Json:
    about = Words(
        "代理占用的内存：中位数与最高。超过 60 MB 请报告给开发者。",
        "Memory that the agents hold: median and highest. Above 60 MB, report it to the "
        "developers.",
    )
    said = head(lang, Words("代理的内存", "The agent's memory"), about, SILENT)
    return panels.from_zero(panels.trend(said, _spread("agent", "rss_bytes", lang), "bytes", []))


def _spread(measurement: str, field: str, lang: Lang) -> list[Query]:
    """A field's median and highest value over the school's PCs."""
    texts = [
        influxql.each(measurement, name, {field: words.of(lang)}, _HERE, every="$__interval")
        for name, words in _SPREAD
    ]
    return [Query(measurement, text, False, "$col") for text in texts]
