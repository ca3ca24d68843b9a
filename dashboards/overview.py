"""全市总览: the three indicators, where they stand, what is not known, and since when."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from agent.common.vocabulary.counters import COUNTERS
from agent.common.vocabulary.indicators import INDICATORS, KNOWN, SHARES, UNITS
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Lang, Words
from dashboards import (
    districts,
    headlines,
    hurts,
    influxql,
    mappings,
    panels,
    thresholds,
    variables,
)
from dashboards.board import WIDTH, Options, Row, board
from dashboards.edition import Edition
from dashboards.own_counts import SILENT
from dashboards.panels import Head, Json, Query, head

_EMPTY = Words(
    "还没有指标：请检查采集服务是否在运行（schoolpulse doctor），或把时间范围放宽",
    "no indicator yet: see whether the collector runs (schoolpulse doctor), or widen the time",
)
_CITY: dict[str, str | bool] = {"area": "${city}"}
_VERIFIED, _REPORTED, _CEILING, _UNKNOWN, _TARGET = SHARES.values()


def build(edition: Edition) -> Json:
    """The board of one edition: what fits on one screen first, the rest below."""
    lang = edition.lang
    now = [*_each(_headline, edition, WIDTH - _MARK), (_MARK, _watermark(lang))]
    rows = [
        *_rows(_called(edition), 4, now),
        Row(None, 10, [(WIDTH, districts.together(edition))]),
        Row(Words("现在要做的", "What hurts now"), 4, hurts.now(lang)),
        *_rows(Words("与目标对照", "Against the target"), 7, _each(_bars, edition)),
        *_rows(Words("学校在哪里", "Where the schools are"), 11, _maps(edition)),
        *_rows(Words("走势", "Trend"), 8, _each(_trend, edition)),
        *(Row(edition.words(name), 10, [(WIDTH, districts.alone(name, edition))])
          for name in edition.indicators),
        Row(Words("上报的电脑", "PCs that report"), 7, [(WIDTH, _reporting(lang))]),
        Row(Words("平台自身", "The platform itself"), 6,
            [(12, _ingest(lang)), (12, _trouble(lang))]),
    ]  # fmt: skip
    description = Words(
        f"各项指标以台账为分母：{_VERIFIED.zh}是主要数字，{_REPORTED.zh}、{_CEILING.zh}与"
        f"{_UNKNOWN.zh}并列。",
        f"All indicators count over the register: the {_VERIFIED.en} leads, with {_REPORTED.en}, "
        f"{_CEILING.en} and {_UNKNOWN.en} beside it.",
    )
    called = Words("全市总览", "City overview")
    options = Options([*variables.sources(lang), variables.city(lang)], "now-90d")
    return board("schoolpulse-overview", called, description, rows, lang, options)


def _each(
    panel: Callable[[str, Edition], Json], edition: Edition, width: int = WIDTH
) -> list[tuple[int, Json]]:
    """One panel for each indicator, side by side in so many columns."""
    each = width // min(len(edition.indicators), _BESIDE)
    return [(each, panel(name, edition)) for name in edition.indicators]


def _maps(edition: Edition) -> list[tuple[int, Json]]:
    """Maps of the indicators of which each school's day has a verdict: not a city's own."""
    found = [name for name in edition.indicators if name in KNOWN]
    width = (WIDTH - _MARK) // min(len(found) or 1, _BESIDE)
    return [(_MARK, _placed(edition.lang)), *((width, _map(name, edition)) for name in found)]


def _rows(title: Words, height: int, panels_: list[tuple[int, Json]]) -> list[Row]:
    """Rows of as many panels as fit side by side; the first one has the title."""
    parts: list[list[tuple[int, Json]]] = [[]]
    for width, panel in panels_:
        if sum(taken for taken, _ in parts[-1]) + width > WIDTH:
            parts.append([])
        parts[-1].append((width, panel))
    return [Row(title, height, part) for part in parts]


def _called(edition: Edition) -> Words:
    number = len(edition.indicators)
    if number == len(INDICATORS):
        return Words("全市三项指标", "The city's three indicators")
    return Words(f"全市 {number} 项指标", f"The city's {number} indicators")


def _head(indicator: str, about: Words, edition: Edition) -> Head:
    return head(edition.lang, edition.title(indicator), about, _EMPTY)


_MARK = 3  # columns
_BESIDE = 4  # more panels side by side cannot be read


def _headline(indicator: str, edition: Edition) -> Json:
    verified, inspected = VERDICTS["verified"], VERDICTS["inspected"]
    target, lang = edition.target(indicator), edition.lang
    zh = f"最近一天的{_VERIFIED.zh}（{verified.zh}与{inspected.zh} ÷ 全部）。"
    en = f"{_VERIFIED.en} of the newest day: ({verified.en} + {inspected.en}) / all."
    fields = {"verified_share": _VERIFIED.of(lang)}
    computed = {}
    if target is not None:
        zh += f"蓝色：达到 {target:g}%；橙色：未达到，{headlines.TO_GO.zh}多少写在旁边。"
        en += f" Blue: {target:g}% or more; orange: less, with how many are {headlines.TO_GO.en}."
        fields["target"] = _TARGET.of(lang)
        computed[headlines.TO_GO.of(lang)] = influxql.TO_GO
    query = Query("indicator", _latest(indicator, fields, computed))
    said = _head(indicator, Words(zh, en), edition)
    return headlines.headline(said, query, target, _unit(indicator, lang), lang)


def _unit(indicator: str, lang: Lang) -> str:
    """What is counted; one of a city's own indicators counts schools by their lines."""
    known = KNOWN.get(indicator)
    return UNITS[known.unit if known else "school"].of(lang)


def _watermark(lang: Lang) -> Json:
    about = Words(
        "所选时间内的指标里有没有模拟数据。有一行是模拟的，整个结果就是模拟的。",
        "Whether any indicator of the time chosen was invented: one simulated row makes all of it "
        "simulated.",
    )
    said = head(lang, Words("数据性质", "Nature"), about, Words("没有模拟的", "none simulated"))
    column = Words("数据", "data").of(lang)
    where = {**_CITY, "simulated": True}
    query = Query("indicator", influxql.latest("indicator", {"simulated": column}, where))
    label = {"true": (Words("模拟数据", "SIMULATED").of(lang), thresholds.VERMILION)}
    return panels.text(said, query, column, panels.words(label))


def _bars(indicator: str, edition: Edition) -> Json:
    about = Words(
        f"{_VERIFIED.zh}、{_REPORTED.zh}、{_CEILING.zh}、{_UNKNOWN.zh}与目标同列，从不单独出现。"
        f"{_VERIFIED.zh}低而{_REPORTED.zh}高：该去核实；{_UNKNOWN.zh}高：该去补台账或装代理。",
        "Verified, reported, ceiling, unknown and target together, never alone. Verified low and "
        "reported high: verify. Unknown high: complete the register or install agents.",
    )
    fields = _fields(_shares(edition, indicator), edition.lang)
    unknown = panels.steps(thresholds.GREY, thresholds.VERMILION, thresholds.UNKNOWN_SHARE.value)
    overrides = [
        panels.override(
            fields["unknown_share"],
            [{"id": "thresholds", "value": {"mode": "absolute", "steps": unknown}}],
        ),
        panels.colour(_TARGET.of(edition.lang), thresholds.GREY),
    ]
    steps = headlines.share_steps(edition.target(indicator)) or panels.steps(
        thresholds.BLUE, thresholds.BLUE, 0
    )
    query = Query("indicator", _latest(indicator, fields))
    return panels.bars(_head(indicator, about, edition), query, steps, overrides)


def _shares(edition: Edition, indicator: str) -> list[str]:
    """All shares, with the target where there is one."""
    without = edition.target(indicator) is None
    return [name for name in SHARES if not (without and name == "target")]


def _fields(shares: Sequence[str], lang: Lang) -> dict[str, str]:
    return {name: SHARES[name].of(lang) for name in shares}


_COLOURS = Words("蓝 浅蓝 橙 红 紫 灰", "blue|light blue|orange|red|purple|grey")


def _map(indicator: str, edition: Edition) -> Json:
    verdicts = VERDICTS.values()
    zh = "，".join(f"{c}{v.zh}" for c, v in zip(_COLOURS.zh.split(), verdicts, strict=True))
    en = ", ".join(f"{c} {v.en}" for c, v in zip(_COLOURS.en.split("|"), verdicts, strict=True))
    about = Words(
        f"每个点是一所学校（第一校区），颜色是今天的结论：{zh}。没有坐标的学校不在图上："
        "补台账的「校区」表。",
        f"A point is a school (its first campus), its colour today's verdict: {en}. Schools "
        "without coordinates are not shown: complete the sheet of campuses.",
    )
    columns = ["latitude", "longitude", "name", "district_name", indicator]
    query = Query("school_day", influxql.rows("school_day", columns, {}, influxql.TODAY))
    mapped = mappings.verdict_words(edition.lang)
    said = _head(indicator, about, edition)
    return panels.map_of(said, query, indicator, edition.title(indicator), mapped)


def _placed(lang: Lang) -> Json:
    """A map without schools says nothing by itself."""
    about = Words(
        "今天有坐标、因而在图上的学校数。没有：补台账的「校区」表的经纬度。",
        "Schools with coordinates today, which the maps show. None: complete latitude and "
        "longitude in the sheet of campuses.",
    )
    empty = Words("没有坐标：补台账「校区」表", "no coordinates: complete the campuses")
    said = head(lang, Words("图上的学校", "Schools shown"), about, empty)
    text = influxql.each("school_day", "count", {"latitude": "n"}, {}, (), influxql.TODAY)
    return panels.number(said, Query("school_day", text))


def _reporting(lang: Lang) -> Json:
    about = Words(
        "每天有上报的电脑数，和那天的学校数无关：放假是 0。平日突然变少，看「运维」。",
        "PCs that reported each day; 0 on holidays. A sudden loss on a school day: see Operations.",
    )
    fields = {"pcs": Words("电脑", "PCs").of(lang)}
    query = influxql.each("school_day", "sum", fields, {}, every="1d")
    said = head(lang, Words("每天上报的电脑", "PCs by day"), about, SILENT)
    return panels.counted(said, [Query("school_day", query, False, "$col")])


def _trend(indicator: str, edition: Edition) -> Json:
    about = Words(
        f"每天的{_VERIFIED.zh}、{_REPORTED.zh}与{_CEILING.zh}，对照目标。{_VERIFIED.zh}突然下降，"
        "多半是代理没有上报，而不是设备没了。",
        f"Verified, reported and ceiling by day, against the target. A sudden fall of the "
        f"{_VERIFIED.en} is more often agents gone silent than equipment gone.",
    )
    shown = [name for name in _shares(edition, indicator) if name != "unknown_share"]
    fields = _fields(shown, edition.lang)
    where = {"indicator": indicator, **_CITY}
    query = Query("indicator", influxql.series("indicator", fields, where), False, "$col")
    dashed = {"custom.lineStyle": {"fill": "dash", "dash": [8, 6]}, "custom.showPoints": "never"}
    overrides = [
        panels.colour(fields[name], thresholds.SHARE_COLOURS[name],
                      dashed if name == "target" else None)
        for name in shown
    ]  # fmt: skip
    return panels.trend(_head(indicator, about, edition), [query], "percent", overrides)


def _ingest(lang: Lang) -> Json:
    about = Words(
        "采集服务每分钟收到并存下的报告。两条线应当重合；收到的多，说明数据库慢了。",
        "Reports that the collector took in and stored each minute. The two lines should meet; "
        "more received than stored: the store is slow.",
    )
    fields = {name: COUNTERS[name].of(lang) for name in ("received", "stored")}
    query = Query("collector", influxql.rate("collector", fields), False, "$col")
    return panels.trend(
        head(lang, Words("上报", "Reports"), about, SILENT), [query], panels.MINUTE, []
    )


def _trouble(lang: Lang) -> Json:
    fields = {name: COUNTERS[name].of(lang) for name in ("queue", "held", "quarantined")}
    about = Words(
        f"{'、'.join(COUNTERS[name].zh for name in fields)}的报告。隔离数大于 0："
        "用 schoolpulse doctor 查看原因。",
        "Reports waiting, held and quarantined. Quarantine above 0: schoolpulse doctor names why.",
    )
    query = Query("collector", influxql.series("collector", fields, {}), False, "$col")
    return panels.trend(head(lang, Words("积压", "Backlog"), about, SILENT), [query], "none", [])


def _latest(indicator: str, fields: dict[str, str], computed: dict[str, str] | None = None) -> str:
    where = {"indicator": indicator, **_CITY}
    return influxql.latest("indicator", fields, where, computed=computed)
