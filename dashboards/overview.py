"""全市总览: the three indicators, where they stand, what is not known, and since when."""

from __future__ import annotations

from dashboards import influxql, panels, tables, thresholds, variables
from dashboards.board import Look, Row, board
from dashboards.panels import Head, Json, Query
from dashboards.words import INDICATORS, SHARES, VERDICTS, Lang, Words

_EMPTY = Words(
    "还没有指标：请检查采集服务是否在运行（schoolpulse doctor），或把时间范围放宽",
    "no indicator yet: see whether the collector runs (schoolpulse doctor), or widen the time",
)
_SILENT = Words(
    "没有采集服务的数据：请运行 schoolpulse doctor",
    "no data of the collector: run schoolpulse doctor",
)
_CITY: dict[str, str | bool] = {"area": "${city}"}
_COUNTS = {"all": Words("总数", "all"), **VERDICTS}


def build(lang: Lang) -> Json:
    """The board in one language."""
    rows = [
        Row(Words("全市三项指标", "The city's three indicators").of(lang), 5, _now(lang)),
        Row(Words("与目标对照", "Against the target").of(lang), 7, _against(lang)),
        *(
            Row(INDICATORS[name].of(lang), 10, [(24, _district_table(name, lang))])
            for name in INDICATORS
        ),
        Row(Words("学校在哪里", "Where the schools are").of(lang), 11, _maps(lang)),
        Row(Words("走势", "Trend").of(lang), 8, _trends(lang)),
        Row(Words("上报的电脑", "PCs that report").of(lang), 7, [(24, _reporting(lang))]),
        Row(Words("平台自身", "The platform itself").of(lang), 6, _platform(lang)),
    ]
    description = Words(
        "三项指标以台账为分母：核实率是主要数字，上报率、上限与未知并列。",
        "Three indicators over the register: the verified share leads, with reported, ceiling "
        "and unknown beside it.",
    )
    title = Words("全市总览", "City overview")
    look = Look([*variables.sources(lang), variables.city(lang)], "now-90d")
    return board("schoolpulse-overview", title, description, rows, lang, look)


def _now(lang: Lang) -> list[tuple[int, Json]]:
    made = [(7, _headline(name, lang)) for name in INDICATORS]
    return [*made, (3, _watermark(lang))]


def _headline(indicator: str, lang: Lang) -> Json:
    target = thresholds.TARGETS[indicator].value
    text = Words(
        f"最近一天的核实率（已核实与现场核查 ÷ 全部）。蓝色：达到 {target:g}%；橙色：未达到。",
        f"Verified share of the newest day: (verified + inspected) / all. Blue: {target:g}% or "
        "more; orange: less.",
    )
    head = Head(INDICATORS[indicator].of(lang), text.of(lang), _EMPTY.of(lang))
    fields = {"verified_share": SHARES["verified_share"].of(lang)}
    steps = panels.steps(thresholds.ORANGE, thresholds.BLUE, target)
    return panels.stat(head, Query("indicator", _latest(indicator, fields)), steps)


def _watermark(lang: Lang) -> Json:
    text = Words(
        "所选时间内的指标里有没有模拟数据。有一行是模拟的，整个结果就是模拟的。",
        "Whether any indicator of the time chosen was invented: one simulated row makes all of it "
        "simulated.",
    )
    head = Head(
        Words("数据性质", "Nature").of(lang),
        text.of(lang),
        Words("没有模拟的", "none simulated").of(lang),
    )
    fields = {"simulated": Words("数据", "data").of(lang)}
    where = {**_CITY, "simulated": True}
    query = Query("indicator", influxql.latest("indicator", fields, where))
    made = panels.stat(head, query, [], "none")
    label = {"text": Words("模拟数据", "SIMULATED").of(lang), "color": thresholds.VERMILION}
    mapping = {"type": "value", "options": {"true": label}}
    made["fieldConfig"]["defaults"]["mappings"] = [mapping]
    made["options"]["textMode"] = "value"
    made["options"]["reduceOptions"]["fields"] = f"/^{fields['simulated']}$/"  # "" is numbers only
    return made


def _against(lang: Lang) -> list[tuple[int, Json]]:
    return [(8, _bars(name, lang)) for name in INDICATORS]


def _bars(indicator: str, lang: Lang) -> Json:
    text = Words(
        "核实率、上报率、上限、未知与目标同列，从不单独出现。核实率低而上报率高：该去核实；"
        "未知高：该去补台账或装代理。",
        "Verified, reported, ceiling, unknown and target together, never alone. Verified low and "
        "reported high: verify. Unknown high: complete the register or install agents.",
    )
    head = Head(INDICATORS[indicator].of(lang), text.of(lang), _EMPTY.of(lang))
    fields = {name: words.of(lang) for name, words in SHARES.items()}
    unknown = panels.steps(thresholds.GREY, thresholds.VERMILION, thresholds.UNKNOWN_SHARE.value)
    overrides = [
        panels.override(
            fields["unknown_share"],
            [{"id": "thresholds", "value": {"mode": "absolute", "steps": unknown}}],
        ),
        panels.colour(fields["target"], thresholds.GREY),
    ]
    steps = panels.steps(thresholds.ORANGE, thresholds.BLUE, thresholds.TARGETS[indicator].value)
    return panels.bars(head, Query("indicator", _latest(indicator, fields)), steps, overrides)


def _district_table(indicator: str, lang: Lang) -> Json:
    text = Words(
        "各责任单位最近一天的数字。先看核实率，再看差在哪一列：申报、不符、未配备还是未知。",
        "Each responsible unit's newest day. Read the verified share, then which column holds the "
        "rest: declared, contradicted, short or unknown.",
    )
    head = Head(INDICATORS[indicator].of(lang), text.of(lang), _EMPTY.of(lang))
    fields = {"name": Words("区县", "district").of(lang)}
    fields |= {name: words.of(lang) for name, words in SHARES.items() if name != "target"}
    fields["code"] = "code"
    fields |= {
        name: words.of(lang) if name != "unknown" else Words("未知数", "unknown units").of(lang)
        for name, words in _COUNTS.items()
    }
    where = {"indicator": indicator, "level": "district"}
    query = Query("indicator", influxql.latest("indicator", fields, where, ("area",)))
    renamed = {"Time": Words("日期", "day").of(lang), "code": Words("代码", "code").of(lang)}
    order = {name: place for place, name in enumerate([*fields.values(), "Time"])}
    columns: Json = {"excludeByName": {"area": True}, "indexByName": order, "renameByName": renamed}
    overrides = [_percent(fields[name]) for name in SHARES if name in fields]
    day: list[Json] = [
        {"id": "unit", "value": "time:YYYY-MM-DD"},
        {"id": "custom.width", "value": 110},
    ]
    overrides.append(panels.override(renamed["Time"], day))
    overrides.append(_to_lines(fields["name"], lang))
    return panels.table(head, query, columns, overrides)


def _to_lines(column: str, lang: Lang) -> Json:
    """A click on a district opens its lines; the row's code says which."""
    link = tables.district_link(lang)
    link["url"] = link["url"].replace("${__value.raw}", "${__data.fields.code}")
    return panels.override(column, [{"id": "links", "value": [link]}])


def _maps(lang: Lang) -> list[tuple[int, Json]]:
    return [(8, _map(name, lang)) for name in INDICATORS]


def _map(indicator: str, lang: Lang) -> Json:
    text = Words(
        "每个点是一所学校（第一校区），颜色是今天的结论：蓝已核实，浅蓝现场核查，橙仅申报，红与申报"
        "不符，紫未配备，灰未知。没有坐标的学校不在图上：补台账的「校区」表。",
        "A point is a school (its first campus), its colour today's verdict: blue verified, light "
        "blue inspected, orange declared, red contradicted, purple short, grey unknown. Schools "
        "without coordinates are not shown: complete the sheet of campuses.",
    )
    head = Head(INDICATORS[indicator].of(lang), text.of(lang), _EMPTY.of(lang))
    columns = ["latitude", "longitude", "name", "district_name", indicator]
    query = Query("school_day", influxql.rows("school_day", columns, {}, influxql.TODAY))
    mappings = tables.verdict_words(lang)
    return panels.map_of(head, query, indicator, INDICATORS[indicator].of(lang), mappings)


def _reporting(lang: Lang) -> Json:
    text = Words(
        "每天有上报的电脑数，和那天的学校数无关：放假是 0。平日突然变少，看「运维」。",
        "PCs that reported each day; 0 on holidays. A sudden loss on a school day: see Operations.",
    )
    head = Head(Words("每天上报的电脑", "PCs by day").of(lang), text.of(lang), _SILENT.of(lang))
    fields = {"pcs": Words("电脑", "PCs").of(lang)}
    query = influxql.each("school_day", "sum", fields, {}, every="1d")
    made = panels.trend(head, [Query("school_day", query, False, "$col")], "none", [])
    made["fieldConfig"]["defaults"] |= {"min": 0, "decimals": 0}
    return made


def _percent(column: str) -> Json:
    return panels.override(column, [{"id": "unit", "value": "percent"},
                                    {"id": "decimals", "value": 1}])  # fmt: skip


def _trends(lang: Lang) -> list[tuple[int, Json]]:
    return [(8, _trend(name, lang)) for name in INDICATORS]


def _trend(indicator: str, lang: Lang) -> Json:
    text = Words(
        "每天的核实率、上报率与上限，对照目标。核实率突然下降，多半是代理没有上报，而不是设备没了。",
        "Verified, reported and ceiling by day, against the target. A sudden fall of the verified "
        "share is more often agents gone silent than equipment gone.",
    )
    head = Head(INDICATORS[indicator].of(lang), text.of(lang), _EMPTY.of(lang))
    shown = ("verified_share", "reported_share", "ceiling_share", "target")
    fields = {name: SHARES[name].of(lang) for name in shown}
    where = {"indicator": indicator, **_CITY}
    query = Query("indicator", influxql.series("indicator", fields, where), False, "$col")
    overrides = [panels.colour(fields[name], thresholds.SHARE_COLOURS[name]) for name in shown]
    return panels.trend(head, [query], "percent", overrides)


def _platform(lang: Lang) -> list[tuple[int, Json]]:
    return [(12, _ingest(lang)), (12, _trouble(lang))]


def _ingest(lang: Lang) -> Json:
    text = Words(
        "采集服务每分钟收到并存下的报告。两条线应当重合；收到的多，说明数据库慢了。",
        "Reports that the collector took in and stored each minute. The two lines should meet; "
        "more received than stored: the store is slow.",
    )
    head = Head(Words("上报", "Reports").of(lang), text.of(lang), _SILENT.of(lang))
    fields = {
        "received": Words("收到", "received").of(lang),
        "stored": Words("存下", "stored").of(lang),
    }
    query = Query("collector", influxql.rate("collector", fields), False, "$col")
    return panels.trend(head, [query], "cpm", [])


def _trouble(lang: Lang) -> Json:
    text = Words(
        "等待入库、被扣留与被隔离的报告。隔离数大于 0：用 schoolpulse doctor 查看原因。",
        "Reports waiting, held and quarantined. Quarantine above 0: schoolpulse doctor names why.",
    )
    head = Head(Words("积压", "Backlog").of(lang), text.of(lang), _SILENT.of(lang))
    fields = {
        "queue": Words("等待入库", "waiting").of(lang),
        "held": Words("扣留", "held").of(lang),
        "quarantined": Words("隔离", "quarantined").of(lang),
    }
    query = Query("collector", influxql.series("collector", fields, {}), False, "$col")
    return panels.trend(head, [query], "none", [])


def _latest(indicator: str, fields: dict[str, str]) -> str:
    return influxql.latest("indicator", fields, {"indicator": indicator, **_CITY})
