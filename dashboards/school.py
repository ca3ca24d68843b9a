"""学校: one school's line, rooms, equipment and PCs, from its raw reports and its days."""

from __future__ import annotations

from dashboards import influxql, panels, school_rooms, tables, thresholds, variables
from dashboards.board import Look, Row, board
from dashboards.influxql import Beyond, Where
from dashboards.panels import Head, Json, Query
from dashboards.school_rooms import SILENT
from dashboards.tables import Column
from dashboards.variables import SCHOOL
from dashboards.words import INDICATORS, LINE, Lang, Words

_HERE: Where = {"school": SCHOOL}
_NO_DAY = Words(
    "还没有这所学校的结论：台账里有它吗？采集服务在运行吗（schoolpulse doctor）？",
    "no verdict of this school yet: is it in the register, does the collector run?",
)
_NO_TEST = Words(
    "没有线路测试：台账要有线路，collector.toml 要有测速服务地址",
    "no line test: the register needs a line, collector.toml a measurement server",
)


_SPREAD = (("median", Words("中位数", "median")), ("max", Words("最高", "highest")))


def build(lang: Lang) -> Json:
    """The board in one language."""
    rows = [
        Row(Words("现在", "Now").of(lang), 4, _now(lang)),
        Row(Words("线路", "The line").of(lang), 9, [(24, _tests(lang))]),
        Row(Words("开放时间与在线", "Open hours and PCs on").of(lang), 5,
            [(12, _hours(lang)), (12, _pcs_on(lang))]),
        Row(Words("合同与实测", "Contract against measured").of(lang), 6, [(24, _lines(lang))]),
        Row(Words("教室与设备", "Rooms and equipment").of(lang), 11,
            [(13, school_rooms.rooms(lang)), (11, school_rooms.devices(lang))]),
        Row(Words("故障与变化", "Faults and changes").of(lang), 8,
            [(24, school_rooms.events(lang))]),
        Row(Words("电脑", "PCs").of(lang), 10, [(24, school_rooms.machines(lang))]),
        Row(Words("电脑的负载", "How busy the PCs are").of(lang), 7,
            [(12, _load(lang, "cpu_percent")), (12, _memory(lang))]),
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
    return board("schoolpulse-school", title, description, rows, lang, Look(chosen))


def _now(lang: Lang) -> list[tuple[int, Json]]:
    shown = [(4, _verdict(name, lang)) for name in INDICATORS]
    return [*shown, (4, _seen(lang)), (4, _count("faults", lang)), (4, _count("missing", lang))]


def _verdict(indicator: str, lang: Lang) -> Json:
    about = Words(
        "最近一天的结论。「仅申报」：台账说有，还没有实测；「与申报不符」：实测说没有。"
        "每一步的理由：schoolpulse figure --explain <学校标识码>。",
        "The newest day's verdict. declared: the register says so and nothing has shown it; "
        "contradicted: telemetry says no. Each step: schoolpulse figure --explain CODE.",
    )
    head = Head(INDICATORS[indicator].of(lang), about.of(lang), _NO_DAY.of(lang))
    text = influxql.latest("school_day", {indicator: indicator}, _HERE, time=influxql.MONTH)
    return panels.text(head, Query("school_day", text), indicator, tables.verdict_words(lang))


def _seen(lang: Lang) -> Json:
    about = Words(
        "任何一台电脑最后一次上报的时间。晚上与假日没有上报是正常的。",
        "When any PC of the school last reported. Nothing at night or on holidays is as it is.",
    )
    head = Head(Words("最后上报", "Last seen").of(lang), about.of(lang), SILENT.of(lang))
    tail = "ORDER BY time DESC LIMIT 1"
    text = influxql.rows("agent", ["number"], _HERE, influxql.MONTH, tail)
    return panels.text(head, Query("agent", text), "Time", [], "dateTimeFromNow")


def _count(field: str, lang: Lang) -> Json:
    titles = {
        "faults": Words("设备有故障", "Devices with a fault"),
        "missing": Words("设备不见了", "Devices missing"),
    }
    about = Words(
        "各教室最近一天的合计。大于 0：看下面的「故障与变化」。",
        "All rooms' newest day together. Above 0: see faults and changes below.",
    )
    head = Head(titles[field].of(lang), about.of(lang), SILENT.of(lang))
    rooms = influxql.each("room_day", "last", {field: "n"}, _HERE, ("room",), influxql.MONTH)
    text = influxql.over('sum("n") AS "n"', rooms)
    made = panels.stat(
        head, Query("room_day", text), panels.steps(thresholds.BLUE, thresholds.VERMILION, 1),
        "none",
    )  # fmt: skip
    made["options"]["textMode"] = "value"
    return made


def _tests(lang: Lang) -> Json:
    about = Words(
        "每个点是一次线路测试（红的在课上）；线是近 30 个开放日课外测试的第 90 百分位（判定用）"
        "与课堂中位数（上课时实际得到的）。虚线是 10 Mbit/s。低的点可能是别人在用，"
        "高的点才说明线路。",
        "Each point is a test (red: in a lesson); the lines are the 90th percentile of quiet tests "
        "(which decides) and the median in lessons (what a class gets). Dashed: 10 Mbit/s. A low "
        "point may be other traffic; a high one proves the line.",
    )
    head = Head(Words("线路测试", "Line tests").of(lang), about.of(lang), _NO_TEST.of(lang))
    ok: Where = {"school": SCHOOL, "outcome": "ok"}
    down = {"down_mbps": Words("测试", "test").of(lang)}
    day = {name: LINE[name].of(lang) for name in ("p90_mbps", "lesson_mbps", "contract_mbps")}
    tests = influxql.each("line_test", "last", down, ok, ("line",), every="1m")
    lessons: Where = {**ok, "window": Beyond("=~", "/^l/")}
    in_lesson = {"down_mbps": Words("课上测试", "test in a lesson").of(lang)}
    taught = influxql.each("line_test", "last", in_lesson, lessons, ("line",), every="1m")
    days = influxql.each("line_day", "last", day, _HERE, ("line",), every="1d")
    asked = [
        Query("line_test", tests, False, "$tag_line $col"),
        Query("line_test", taught, False, "$tag_line $col"),
        Query("line_day", days, False, "$tag_line $col"),
    ]
    points = [
        _points(down["down_mbps"], thresholds.SKY),
        _points(in_lesson["down_mbps"], thresholds.VERMILION),
    ]
    colours = {"p90_mbps": thresholds.BLUE, "lesson_mbps": thresholds.ORANGE,
               "contract_mbps": thresholds.GREY}  # fmt: skip
    lines = [
        _matching(day[name], [{"id": "color", "value": {"mode": "fixed", "fixedColor": value}}])
        for name, value in colours.items()
    ]
    made = panels.trend(head, asked, "Mbits", [*points, *lines])
    return _with_threshold(made, thresholds.LINE_MBPS.value)


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
    """Properties of all series whose name ends so: one a line."""
    return {"matcher": {"id": "byRegexp", "options": f"/{ending}$/"}, "properties": properties}


def _with_threshold(made: Json, value: float) -> Json:
    steps = panels.steps("transparent", thresholds.VERMILION, value)
    defaults = made["fieldConfig"]["defaults"]
    defaults["thresholds"] = {"mode": "absolute", "steps": steps}
    defaults["custom"] |= {"thresholdsStyle": {"mode": "dashed"}}
    defaults["min"] = 0
    return made


def _hours(lang: Lang) -> Json:
    about = Words(
        "学校的开放时间（台账的校历）。上课时的测试只能证明线路够，不能证明不够。",
        "When the school was open by the register's calendar. Tests in lessons can prove a line "
        "met, never short.",
    )
    head = Head(Words("开放时间", "Open hours").of(lang), about.of(lang), _NO_DAY.of(lang))
    fields = {"open": Words("开放", "open").of(lang)}
    query = influxql.rows("school_hour", ["open"], _HERE)
    mapped = panels.words({
        "true": (fields["open"], thresholds.BLUE),
        "false": (Words("关闭", "closed").of(lang), "#DDDDDD"),
    })  # fmt: skip
    return panels.timeline(head, Query("school_hour", query, False, fields["open"]), mapped)


def _pcs_on(lang: Lang) -> Json:
    about = Words(
        "每小时有上报的电脑数。开放时间里降到 0：断网、断电，或代理被卸载。",
        "PCs that reported each hour. 0 in open hours: no network, no power, or no agent.",
    )
    head = Head(Words("在线电脑", "PCs that report").of(lang), about.of(lang), SILENT.of(lang))
    fields = {"pcs": Words("电脑", "PCs").of(lang)}
    text = influxql.each("school_hour", "max", fields, _HERE, every="$__interval")
    made = panels.trend(head, [Query("school_hour", text, False, "$col")], "none", [])
    made["fieldConfig"]["defaults"] |= {"min": 0, "decimals": 0}
    made["fieldConfig"]["defaults"]["custom"]["axisSoftMax"] = 4  # no marks at half a PC
    made["interval"] = "1h"
    return made


def _lines(lang: Lang) -> Json:
    about = Words(
        "合同带宽来自台账；实测来自近 30 个开放日的有效测试。结论「仅申报」而测试数不到 10："
        "再等几天；「达标但拥塞」：带宽够，但多数时候被占满。",
        "The contract is the register's, the rest are valid tests of the last 30 open days. "
        "declared with fewer than 10 tests: wait some days. congested: fast enough, mostly full.",
    )
    head = Head(Words("线路", "Lines").of(lang), about.of(lang), _NO_TEST.of(lang))
    columns = [
        Column("line", LINE["line"]), Column("contract_mbps", LINE["contract_mbps"], "mbps"),
        Column("p90_mbps", LINE["p90_mbps"], "mbps"),
        Column("median_mbps", LINE["median_mbps"], "mbps"),
        Column("lesson_mbps", LINE["lesson_mbps"], "mbps"), Column("tests", LINE["tests"], "count"),
        Column("days", LINE["days"], "count"), Column("verdict", LINE["verdict"], "verdict"),
        Column("congested", LINE["congested"], "yes"),
    ]  # fmt: skip
    fields = {c.name: c.name for c in columns[1:]}
    text = influxql.latest("line_day", fields, _HERE, ("line",), influxql.MONTH)
    return tables.listing(head, Query("line_day", text), columns, lang)


def _load(lang: Lang, field: str) -> Json:
    about = Words(
        "全校电脑的处理器占用：中位数与最高。代理本身不到千分之一。",
        "Processor use of the school's PCs: median and highest. The agent's share is under 0.1%.",
    )
    head = Head(Words("处理器", "Processor").of(lang), about.of(lang), SILENT.of(lang))
    asked = [
        Query("host", influxql.each("host", name, {field: words.of(lang)}, _HERE,
                                    every="$__interval"), False, "$col")
        for name, words in _SPREAD
    ]  # fmt: skip
    return panels.trend(head, asked, "percent", [])


def _memory(lang: Lang) -> Json:
    about = Words(
        "代理占用的内存：中位数与最高。超过 60 MB 请报告给开发者。",
        "Memory that the agents hold: median and highest. Above 60 MB, tell the developers.",
    )
    head = Head(Words("代理的内存", "The agent's memory").of(lang), about.of(lang), SILENT.of(lang))
    asked = [
        Query("agent", influxql.each("agent", name, {"rss_bytes": words.of(lang)}, _HERE,
                                     every="$__interval"), False, "$col")
        for name, words in _SPREAD
    ]  # fmt: skip
    made = panels.trend(head, asked, "bytes", [])
    made["fieldConfig"]["defaults"]["min"] = 0
    return made
