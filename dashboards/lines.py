"""线路: which lines reach their contract, which do not, and which were not measured."""

from __future__ import annotations

from itertools import pairwise

from agent.common.vocabulary.lines import COLUMNS, CONGESTED
from agent.common.vocabulary.reasons import REASONS
from agent.common.vocabulary.thresholds import number
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql, panels, tables, thresholds, variables
from dashboards.board import Options, Row, board
from dashboards.edition import Edition
from dashboards.influxql import TODAY, Between, Beyond, Where
from dashboards.panels import Head, Json, Query, head
from dashboards.tables import DISTRICT, SCHOOL, Column
from dashboards.words import NOTHING

_HERE: Where = {"district": variables.DISTRICT}
_NO_DAY = Words(
    "今天还没有线路结论：采集服务在运行吗（schoolpulse doctor）？台账里有线路吗？",
    "no verdict of lines today: does the collector run (schoolpulse doctor), has the register "
    "lines?",
)
UNDER = Words("低于合同", "Under the contract")
#: Edges of the distribution's bars, as multiples of the threshold.
_EDGES = (0, 1, 2, 5, 10, 100, 100_000)
_SHARE = Column("share", Words("实测 ÷ 合同", "measured / contract"), "share", 120)
_COLUMNS = [
    SCHOOL, DISTRICT, Column("line", COLUMNS["line"], "text", 90),
    Column("contract_mbps", COLUMNS["contract_mbps"], "mbps", 110),
    Column("p90_mbps", COLUMNS["p90_mbps"], "mbps", 140), _SHARE,
    Column("lesson_mbps", COLUMNS["lesson_mbps"], "mbps", 110),
    Column("tests", COLUMNS["tests"], "count", 90),
    Column("verdict", COLUMNS["verdict"], "verdict", 100),
    Column("congested", COLUMNS["congested"], "yes", 100),
]  # fmt: skip


def build(edition: Edition) -> Json:
    """The board of one edition."""
    lang = edition.lang
    rows = [
        Row(Words("结论", "Verdicts"), 6, [(10, _counts(edition)), (14, _distribution(edition))]),
        Row(UNDER, 10, [(24, _under(lang))]),
        Row(Words("还不知道", "Not known"), 10, [(14, _unknown(lang)), (10, _why(lang))]),
        Row(Words("测出来的线路", "Lines measured"), 14, [(24, _ranking(lang))]),
        Row(Words("走势", "Trend"), 8, [(24, _trend(lang))]),
    ]
    chosen = [*variables.sources(lang), variables.district(lang), variables.schools(lang)]
    description = Words(
        "全市或一个区县的线路：先看低于合同的，打电话给运营商；再看还不知道的，补代理或台账。",
        "The lines of the city or a district. First those under their contract: call the "
        "provider. Then those not known: agents or register rows are missing.",
    )
    title = Words("线路", "Lines")
    return board("schoolpulse-lines", title, description, rows, lang, Options(chosen))


def _counts(edition: Edition) -> Json:
    verified, declared, unknown = (VERDICTS[name] for name in ("verified", "declared", "unknown"))
    target = edition.target("line")
    zh, en = "学校数，按今天的线路结论。", "Schools by today's verdict of their line."
    if target is not None:
        zh += f"目标：{target:g}% 以上{verified.zh}。"
        en += f" The target: {target:g}% {verified.en}."
    about = Words(
        f"{zh}「{declared.zh}」和「{unknown.zh}」要变少，靠测试。",
        f"{en} {declared.en} and {unknown.en} shrink by testing.",
    )
    fields = {name: words.of(edition.lang) for name, words in VERDICTS.items()}
    where: Where = {"level": "district", "indicator": "line", **_HERE}
    query = Query("indicator", influxql.each("indicator", "sum", fields, where, (), TODAY))
    colours = [panels.colour(fields[n], thresholds.VERDICT_COLOURS[n]) for n in VERDICTS]
    said = head(edition.lang, Words("学校，按结论", "Schools by verdict"), about, _NO_DAY)
    return panels.counts(said, [query], colours)


def _distribution(edition: Edition) -> Json:
    about = Words(
        f"今天每条线路的实测（第 90 百分位，Mbit/s）。第一条是达不到 {edition.label} 的。",
        "Each line's measured rate today (90th percentile, Mbit/s). The first bar holds those "
        f"under {edition.asked}.",
    )
    asked = []
    for low, high in pairwise(edge * edition.threshold_mbps for edge in _EDGES):
        shown = f"{number(low)}–{number(high)}"
        if high == _EDGES[-1] * edition.threshold_mbps:
            shown = f"≥ {number(low)}"
        where: Where = {**_HERE, "p90_mbps": Between(low, high)}
        text = influxql.each("line_day", "count", {"p90_mbps": shown}, where, (), TODAY)
        asked.append(Query("line_day", text))
    said = head(edition.lang, Words("实测的分布", "How fast they are"), about, _NO_DAY)
    return panels.counts(said, asked, [])


def _under(lang: Lang) -> Json:
    share = thresholds.CONTRACT_SHARE.value
    about = Words(
        f"实测不到合同的 {share:.0%}，差得最多的在上。已有足够的课外测试：可以拿去和运营商谈。",
        f"Measured under {share:.0%} of the contract, the worst first, over enough quiet tests to "
        "show the provider.",
    )
    said = head(lang, UNDER, about, NOTHING)
    under = Beyond("<", f'{share} * "contract_mbps"')
    return _measured(said, under, "share", lang)


def _unknown(lang: Lang) -> Json:
    about = Words(
        "结论不是来自实测的线路。有效测试为空：没有代理在测，或测试都不算数（右表）；"
        "有几次：再等几天；合同为空：台账没填。",
        "Lines whose verdict is not measured. No valid tests: no agent tests them, or none counts "
        "(at the right); a few: wait some days; no contract: the register says nothing.",
    )
    said = head(lang, Words("没有实测结论", "Not measured"), about, NOTHING)
    columns = [c for c in _COLUMNS if c.name in ("school", "district", "line", "contract_mbps",
                                                 "tests", "verdict")]  # fmt: skip
    columns.insert(5, Column("days", COLUMNS["days"], "count", 90))
    names = [column.name for column in columns]
    where: Where = {**_HERE, "verdict": influxql.OneOf(("declared", "unknown"))}
    text = influxql.rows("line_day", names, where, TODAY)
    return tables.listing(said, Query("line_day", text), columns, lang, ("tests", True))


def _why(lang: Lang) -> Json:
    wifi, busy = REASONS["wifi"], REASONS["other_traffic"]
    about = Words(
        "最近一周不算数的测试：每条线路多少次，最近一次为什么。"
        f"{wifi.zh}：换有线的电脑来测；{busy.zh}：那台电脑正忙。",
        "Tests of the last week that do not count: how many a line, and the newest one's reason. "
        f"{wifi.en}: let a PC with a cable test; {busy.en}: that PC is busy.",
    )
    said = head(lang, Words("为什么不算数", "Why tests do not count"), about, NOTHING)
    columns = [
        SCHOOL, Column("line", COLUMNS["line"], "text", 90),
        Column("count", Words("次数", "times"), "count", 70),
        Column("reason", Words("最近的原因", "newest reason"), "reason"),
    ]  # fmt: skip
    where: Where = {"school": variables.OF_DISTRICT, "reason": Beyond("!=", "''")}
    text = influxql.rows("line_test", ["reason"], where, influxql.WEEK)
    text = text.replace('"reason"', 'count("reason") AS "count", last("reason") AS "reason"', 1)
    text += ' GROUP BY "school", "line"'
    return tables.listing(said, Query("line_test", text), columns, lang, ("count", True))


def _ranking(lang: Lang) -> Json:
    about = Words(
        "测出来的线路，慢的在上。点学校看它每一次测试。"
        f"「{CONGESTED.zh}」：带宽够，但多数时候被占满。",
        "All lines measured, the slowest first. A click on the school shows each test. "
        f"{CONGESTED.en}: fast enough, mostly full.",
    )
    said = head(lang, Words("测出来的线路", "Lines measured"), about, _NO_DAY)
    return _measured(said, Beyond(">", 0), "p90_mbps", lang)


def _measured(said: Head, rate: Beyond, sort: str, lang: Lang) -> Json:
    """Today's lines with such a measured rate, the lowest value of column `sort` first."""
    fields = [c.name for c in _COLUMNS if c is not _SHARE]
    text = influxql.rows("line_day", fields, {**_HERE, "p90_mbps": rate}, TODAY)
    made = tables.listing(said, Query("line_day", text), _COLUMNS, lang, (sort, False))
    return _with_share(made)


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
        "所有线路实测的中位数与最慢的十分之一。整条线往下走：测速服务器或汇聚段出了问题，不是学校。",
        "The median of all lines and their slowest tenth. Both falling: the measurement server or "
        "its uplink, not the schools.",
    )
    said = head(lang, Words("全部线路的走势", "All lines over time"), about, _NO_DAY)
    fields = {"p90_mbps": Words("中位数", "median").of(lang)}
    median = influxql.each("line_day", "median", fields, _HERE, every="1d")
    tenth = median.replace('median("p90_mbps")', 'percentile("p90_mbps", 10)')
    tenth = tenth.replace(fields["p90_mbps"], Words("最慢的十分之一", "slowest tenth").of(lang))
    asked = [Query("line_day", text, False, "$col") for text in (median, tenth)]
    return panels.from_zero(panels.trend(said, asked, "Mbits", []))
