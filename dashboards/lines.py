"""线路: which lines keep their promise, which do not, and of which nothing is known."""

from __future__ import annotations

from itertools import pairwise

from dashboards import influxql, panels, tables, thresholds, variables
from dashboards.board import Look, Row, board
from dashboards.influxql import TODAY, Between, Beyond, Where
from dashboards.panels import Head, Json, Query
from dashboards.tables import DISTRICT, SCHOOL, Column
from dashboards.words import LINE, NOTHING, VERDICTS, Lang, Words

_HERE: Where = {"district": variables.DISTRICT}
_NO_DAY = Words(
    "今天还没有线路结论：采集服务在运行吗（schoolpulse doctor）？台账里有线路吗？",
    "no verdict of lines today: does the collector run (schoolpulse doctor), has the register "
    "lines?",
)
_EDGES = (0, 10, 20, 50, 100, 1000, 1_000_000)  # Mbit/s
_SHARE = Column("share", Words("实测 ÷ 合同", "measured / contract"), "share", 120)
_COLUMNS = [
    SCHOOL, DISTRICT, Column("line", LINE["line"], "text", 90),
    Column("contract_mbps", LINE["contract_mbps"], "mbps", 110),
    Column("p90_mbps", LINE["p90_mbps"], "mbps", 140), _SHARE,
    Column("lesson_mbps", LINE["lesson_mbps"], "mbps", 110),
    Column("tests", LINE["tests"], "count", 90),
    Column("verdict", LINE["verdict"], "verdict", 100),
    Column("congested", LINE["congested"], "yes", 100),
]  # fmt: skip


def build(lang: Lang) -> Json:
    """The board in one language."""
    rows = [
        Row(
            Words("结论", "Verdicts").of(lang), 6, [(10, _counts(lang)), (14, _distribution(lang))]
        ),
        Row(Words("低于合同", "Under the contract").of(lang), 10, [(24, _under(lang))]),
        Row(Words("还不知道", "Not known").of(lang), 10, [(14, _unknown(lang)), (10, _why(lang))]),
        Row(Words("测出来的线路", "Lines measured").of(lang), 14, [(24, _ranking(lang))]),
        Row(Words("走势", "Trend").of(lang), 8, [(24, _trend(lang))]),
    ]
    chosen = [*variables.sources(lang), variables.district(lang)]
    description = Words(
        "全市或一个区县的线路：先看低于合同的，打电话给运营商；再看还不知道的，补代理或台账。",
        "The lines of the city or a district. First those under their contract: call the "
        "provider. Then those not known: agents or register rows are missing.",
    )
    title = Words("线路", "Lines")
    return board("schoolpulse-lines", title, description, rows, lang, Look(chosen))


def _counts(lang: Lang) -> Json:
    about = Words(
        "学校数，按今天的线路结论。目标：八成以上已核实。「仅申报」和「未知」要变少，靠测试。",
        "Schools by today's verdict of their line. The target: four in five verified. declared "
        "and unknown shrink by testing.",
    )
    head = Head(
        Words("学校，按结论", "Schools by verdict").of(lang), about.of(lang), _NO_DAY.of(lang)
    )
    fields = {name: VERDICTS[name].of(lang) for name in VERDICTS}
    where: Where = {"level": "district", "indicator": "line_10m", **_HERE}
    query = Query("indicator", influxql.each("indicator", "sum", fields, where, (), TODAY))
    colours = [panels.colour(fields[n], thresholds.VERDICT_COLOURS[n]) for n in VERDICTS]
    return panels.counts(head, [query], colours)


def _distribution(lang: Lang) -> Json:
    about = Words(
        "今天每条线路的实测（第 90 百分位，Mbit/s）。第一条是达不到 10M 的。",
        "Each line's measured rate today (90th percentile, Mbit/s). The first bar holds those "
        "under 10.",
    )
    head = Head(Words("实测的分布", "How fast they are").of(lang), about.of(lang), _NO_DAY.of(lang))
    asked = []
    for low, high in pairwise(_EDGES):
        shown = f"{low}–{high}" if high < _EDGES[-1] else f"≥ {low}"
        where: Where = {**_HERE, "p90_mbps": Between(low, high)}
        text = influxql.each("line_day", "count", {"p90_mbps": shown}, where, (), TODAY)
        asked.append(Query("line_day", text))
    return panels.counts(head, asked, [])


def _under(lang: Lang) -> Json:
    share = thresholds.CONTRACT_SHARE.value
    about = Words(
        f"实测不到合同的 {share:.0%}，差得最多的在上。已有足够的课外测试：可以拿去和运营商谈。",
        f"Measured under {share:.0%} of the contract, the worst first, over enough quiet tests to "
        "show the provider.",
    )
    head = Head(Words("低于合同", "Under the contract").of(lang), about.of(lang), NOTHING.of(lang))
    fields = [c.name for c in _COLUMNS if c is not _SHARE]
    where: Where = {**_HERE, "p90_mbps": Beyond("<", f'{share} * "contract_mbps"')}
    text = influxql.rows("line_day", fields, where, TODAY)
    return _with_share(tables.listing(head, Query("line_day", text), _COLUMNS, lang,
                                      ("share", False)))  # fmt: skip


def _unknown(lang: Lang) -> Json:
    about = Words(
        "结论不是来自实测的线路。有效测试为空：没有代理在测，或测试都不算数（右表）；"
        "有几次：再等几天；合同为空：台账没填。",
        "Lines whose verdict is not measured. No valid tests: no agent tests them, or none counts "
        "(at the right); a few: wait some days; no contract: the register says nothing.",
    )
    head = Head(Words("没有实测结论", "Not measured").of(lang), about.of(lang), NOTHING.of(lang))
    columns = [c for c in _COLUMNS if c.name in ("school", "district", "line", "contract_mbps",
                                                 "tests", "verdict")]  # fmt: skip
    columns.insert(5, Column("days", LINE["days"], "count", 90))
    names = [column.name for column in columns]
    where: Where = {**_HERE, "verdict": influxql.OneOf(("declared", "unknown"))}
    text = influxql.rows("line_day", names, where, TODAY)
    return tables.listing(head, Query("line_day", text), columns, lang, ("tests", True))


def _why(lang: Lang) -> Json:
    about = Words(
        "最近一周不算数的测试：每条线路多少次，最近一次为什么。wifi：换有线的电脑来测；"
        "other traffic：那台电脑正忙。全市的，不分区县。",
        "Tests of the last week that do not count: how many a line, and the newest one's reason. "
        "wifi: let a PC with a cable test; other traffic: that PC is busy. Of the whole city.",
    )
    head = Head(
        Words("为什么不算数", "Why tests do not count").of(lang), about.of(lang), NOTHING.of(lang)
    )
    columns = [
        SCHOOL, Column("line", LINE["line"], "text", 90),
        Column("count", Words("次数", "times"), "count", 70),
        Column("reason", Words("最近的原因", "newest reason")),
    ]  # fmt: skip
    text = influxql.rows("line_test", ["reason"], {"reason": Beyond("!=", "''")}, influxql.WEEK)
    text = text.replace('"reason"', 'count("reason") AS "count", last("reason") AS "reason"', 1)
    text += ' GROUP BY "school", "line"'
    return tables.listing(head, Query("line_test", text), columns, lang, ("count", True))


def _ranking(lang: Lang) -> Json:
    about = Words(
        "测出来的线路，慢的在上。点学校看它每一次测试。「达标但拥塞」：带宽够，但多数时候被占满。",
        "All lines measured, the slowest first. A click on the school shows each test. congested: "
        "fast enough, mostly full.",
    )
    head = Head(Words("测出来的线路", "Lines measured").of(lang), about.of(lang), _NO_DAY.of(lang))
    fields = [c.name for c in _COLUMNS if c is not _SHARE]
    where: Where = {**_HERE, "p90_mbps": Beyond(">", 0)}
    text = influxql.rows("line_day", fields, where, TODAY)
    return _with_share(tables.listing(head, Query("line_day", text), _COLUMNS, lang,
                                      ("p90_mbps", False)))  # fmt: skip


def _with_share(made: Json) -> Json:
    """Add the column `share`: measured by contract."""
    share = {
        "id": "calculateField",
        "options": {
            "mode": "binary",
            "alias": _SHARE.name,
            "binary": {"left": "p90_mbps", "operator": "/", "right": "contract_mbps"},
        },
    }
    organize = made["transformations"].pop()
    made["transformations"] += [share, organize]
    return made


def _trend(lang: Lang) -> Json:
    about = Words(
        "所有线路实测的中位数与最慢的十分之一。整条线往下走：测速服务或汇聚段出了问题，不是学校。",
        "The median of all lines and their slowest tenth. Both falling: the measurement server or "
        "its uplink, not the schools.",
    )
    head = Head(
        Words("全部线路的走势", "All lines over time").of(lang), about.of(lang), _NO_DAY.of(lang)
    )
    fields = {"p90_mbps": Words("中位数", "median").of(lang)}
    median = influxql.each("line_day", "median", fields, _HERE, every="1d")
    tenth = median.replace('median("p90_mbps")', 'percentile("p90_mbps", 10)')
    tenth = tenth.replace(fields["p90_mbps"], Words("最慢的十分之一", "slowest tenth").of(lang))
    asked = [Query("line_day", text, False, "$col") for text in (median, tenth)]
    made = panels.trend(head, asked, "Mbits", [])
    made["fieldConfig"]["defaults"]["min"] = 0
    return made
