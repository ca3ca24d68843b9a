"""运维: do the agents report, does the platform keep up, what waits for somebody."""

from __future__ import annotations

from agent.common.vocabulary.counters import COUNTERS
from agent.common.vocabulary.words import Lang, Words
from dashboards import (
    doubted,
    headlines,
    influxql,
    own_counts,
    panels,
    tables,
    thresholds,
    variables,
)
from dashboards.board import Options, Row, board
from dashboards.edition import Edition
from dashboards.influxql import Beyond, Outside, Where
from dashboards.panels import Json, Query, head
from dashboards.tables import DISTRICT, SCHOOL, Column
from dashboards.words import ABSENT, NOTHING

_HERE: Where = {"district": variables.DISTRICT}
_OPEN: Where = {**_HERE, "open": True}
_SILENT = Words(
    "没有代理的上报：运行 schoolpulse doctor；再在一台学校电脑上运行 schoolpulse-agent doctor",
    "no reports of agents: run schoolpulse doctor, then schoolpulse-agent doctor on a school PC",
)


def build(edition: Edition) -> Json:
    """The board of one edition."""
    lang = edition.lang
    rows = [
        Row(Words("现在", "Now"), 4, _now(lang)),
        Row(Words("学校与代理", "Schools and agents"), 9,
            [(8, _silent(lang)), (8, _last_seen(lang)), (8, _online(lang))]),
        Row(Words("代理的版本", "Versions of the agent"), 4, [(24, _versions(lang))]),
        Row(Words("时钟与发件箱", "Clocks and outboxes"), 9,
            [(12, _clocks(lang)), (12, _outboxes(lang))]),
        Row(doubted.TITLE, 8, [(24, doubted.signs(lang, _HERE))]),
        Row(Words("采集服务", "The collector"), 8, own_counts.side_by_side(
            lang, own_counts.INGEST, own_counts.LAG, own_counts.KEEPER, own_counts.KEPT_BACK)),
        Row(Words("数据库与消息服务", "Database and broker"), 8, own_counts.side_by_side(
            lang, own_counts.WRITES, own_counts.CLIENTS, own_counts.DROPS)),
    ]  # fmt: skip
    chosen = [*variables.sources(lang), variables.district(lang), variables.version(lang)]
    description = Words(
        "平台自己：代理报不报，采集服务跟不跟得上，有没有要人处理的。学校的事在别的看板。",
        "The platform itself: do agents report, does the collector keep up, does anything wait "
        "for a person.",
    )
    title = Words("运维", "Operations")
    options = Options(chosen, "now-7d")
    return board("schoolpulse-operations", title, description, rows, lang, options)


def silent_schools(hours: str, here: Where = _HERE) -> str:
    """Schools of which no PC reported in any open hour of the time given."""
    by = ("school", "district")
    where: Where = {**here, "open": True}
    inner = influxql.each("school_hour", "sum", {"pcs": "pcs"}, where, by, hours)
    return influxql.over('"pcs"', inner, '"pcs" = 0', by)


def _open_hours(time: str, here: Where) -> str:
    """The schools' open hours of the time given."""
    where: Where = {**here, "open": True}
    return influxql.each("school_hour", "last", {"pcs": "alive"}, where, ("school",), time)


def quarantined(lang: Lang) -> Json:
    """What was quarantined since the collector's start."""
    return _own("quarantined", _QUARANTINED, thresholds.QUARANTINE.value, lang)


def _now(lang: Lang) -> list[tuple[int, Json]]:
    return [
        (4, _pcs_on(lang)), (4, silent_count(lang)), (4, _heard(lang)), (4, keeper_pass(lang)),
        (4, quarantined(lang)),
        (4, _own("queue", _WAITING, thresholds.QUEUE.value, lang)),
    ]  # fmt: skip


def _pcs_on(lang: Lang) -> Json:
    about = Words(
        "最近一个开放小时里有上报的电脑数。晚上显示的是白天最后一小时；假日里没有。",
        "PCs that reported in the newest open hour; at night, the day's last; none on a holiday.",
    )
    said = head(lang, Words("在线电脑", "PCs that report"), about, _CLOSED)
    text = influxql.each("school_hour", "sum", {"pcs": "pcs"}, _OPEN, (), influxql.TODAY, "1h")
    text = influxql.over('last("pcs") AS "pcs"', text)
    return panels.number(said, Query("school_hour", text))


def silent_count(lang: Lang, here: Where = _HERE) -> Json:
    """Schools silent for a day, of the district chosen or of `here`."""
    about = Words(
        "最近一天的开放时间里没有一台电脑上报的学校。名单在下面。",
        "Schools of which no PC reported in the last day's open hours. The list is below.",
    )
    said = head(lang, Words("沉默的学校", "Silent schools"), about, _CLOSED)
    found, hours = silent_schools(influxql.TODAY, here), _open_hours(influxql.TODAY, here)
    return headlines.how_many(said, "school_hour", "pcs", found, hours)


def _heard(lang: Lang) -> Json:
    about = Words(
        "采集服务最后一次写下自己的计数：每分钟一次。超过几分钟：它停了，或数据库写不进。",
        "When the collector last wrote its own counts, once a minute. Minutes ago: it has stopped "
        "or the database takes nothing.",
    )
    said = head(lang, Words("采集服务", "Collector"), about, ABSENT)
    text = influxql.rows(
        "collector", ["received"], {}, influxql.RECENT, "ORDER BY time DESC LIMIT 1"
    )
    return panels.text(said, Query("collector", text), "Time", [], panels.MOMENT)


def keeper_pass(lang: Lang) -> Json:
    """When the keeper last wrote rows."""
    about = Words(
        "汇总最后一次写下日表、事件或指标的时间。有上报的日子里应当是几分钟前；晚上没有新的报告，就停着。",
        "When the keeper last wrote days, events or indicators: minutes ago while reports come; at "
        "night there is nothing to derive.",
    )
    said = head(lang, Words("最近一次汇总", "Keeper's last pass"), about, ABSENT)
    tail = "ORDER BY time DESC LIMIT 1"
    text = influxql.rows("collector", ["keeper"], {}, influxql.RECENT, tail)
    return panels.text(said, Query("collector", text), "Time", [], panels.MOMENT)


_CLOSED = Words("最近一天没有开放的小时", "no open hour in the last day")
_QUARANTINED = Words(
    "采集服务启动以来的被隔离数：每一条都要人看（schoolpulse doctor 说明原因）。",
    "Messages quarantined since the collector's start; each must be read (schoolpulse doctor).",
)
_WAITING = Words(
    "收下而还没入库的报告。长期很多：数据库慢。",
    "Reports taken in and not yet stored. Many for long: the database is slow.",
)


def _own(field: str, about: Words, limit: float, lang: Lang) -> Json:
    """A counter of the collector, as it is now."""
    text = influxql.each("collector", "last", {field: field}, {}, (), influxql.RECENT)
    return panels.troubles(
        head(lang, COUNTERS[field], about, ABSENT), Query("collector", text), limit
    )


def _silent(lang: Lang) -> Json:
    about = Words(
        "最近一天的开放时间里一台电脑都没有上报的学校。打电话问：停电？断网？代理还在吗？",
        "Schools of which no PC reported in the last day's open hours. Call: power, network, or "
        "is the agent still there?",
    )
    said = head(lang, Words("沉默的学校", "Silent schools"), about, NOTHING)
    query = Query("school_hour", silent_schools(influxql.TODAY))
    made = tables.listing(said, query, [SCHOOL, DISTRICT], lang)
    return tables.hide(made, "pcs")


def _last_seen(lang: Lang) -> Json:
    about = Words(
        "每所学校最后一次有电脑上报，最久的在上。45 天都没有的学校不在这里，在左边。",
        "When a PC of each school last reported, the longest ago first. Those silent for 45 days "
        "are at the left only.",
    )
    said = head(lang, Words("最后上报", "Last seen"), about, _SILENT)
    columns = [Column("Time", Words("最后上报", "last seen"), "since", 145), SCHOOL, DISTRICT]
    where: Where = {**_HERE, "pcs": Beyond(">", 0)}
    by = ("school", "district")
    text = influxql.each("school_hour", "last", {"pcs": "pcs"}, where, by, influxql.MONTH)
    made = tables.listing(said, Query("school_hour", text), columns, lang, ("Time", False))
    return tables.hide(made, "pcs")


def _online(lang: Lang) -> Json:
    about = Words(
        "每小时有上报的电脑。和昨天同一时间比：突然少一截，多半是消息服务或一条汇聚线路。",
        "PCs that reported each hour. Against yesterday's same hour: a sudden loss is mostly the "
        "broker or an uplink.",
    )
    said = head(lang, Words("每小时在线", "PCs by hour"), about, _SILENT)
    fields = {"pcs": Words("电脑", "PCs").of(lang)}
    text = influxql.each("school_hour", "sum", fields, _HERE, every="1h")
    return panels.counted(said, [Query("school_hour", text, False, "$col")])


def _versions(lang: Lang) -> Json:
    about = Words(
        "有多少台电脑用这个版本的代理，最近三天里最多的一天。旧版本长期不减：那些学校没有自动更新。",
        "How many PCs run this version of the agent, on the best of three days. An old one "
        "that stays: those schools do not update.",
    )
    said = head(lang, "$version", about, _SILENT)
    where: Where = {**_HERE, "version": "${version:raw}"}
    text = influxql.each("machine_day", "count", {"seen": "n"}, where, (), influxql.RECENT, "1d")
    made = panels.number(said, Query("machine_day", text, False, "$col"))
    made["options"]["reduceOptions"]["calcs"] = ["max"]
    return made | {"repeat": "version", "repeatDirection": "h", "maxPerRow": 6}


def _clocks(lang: Lang) -> Json:
    about = Words(
        "电脑自己的钟差得超过五分钟的。平台已改正时间，但登录与证书会出错：去校时。",
        "PCs whose own clock is off by more than five minutes. Times are corrected here, but "
        "logons and certificates fail: set the clock.",
    )
    title = Words("时钟不准的电脑", "Clocks that are off")
    limit = f"{thresholds.CLOCK_MS.value:.0f}"
    column = Column("offset_ms", Words("差（毫秒）", "off by (ms)"), "count", 130)
    far: Where = {**_HERE, "offset_ms": Outside(limit)}
    return _pcs(title, about, column, far, lang)


def _outboxes(lang: Lang) -> Json:
    limit = thresholds.OUTBOX_ROWS.value
    about = Words(
        f"发件箱里等着的报告超过 {limit} 份的电脑：在补发断网时攒下的，或回执到不了它。",
        f"PCs with more than {limit} reports waiting: catching up after an outage, or receipts do "
        "not reach them.",
    )
    title = Words("发件箱积压的电脑", "Outboxes that wait")
    column = Column("outbox_rows", Words("等待", "waiting"), "count", 90)
    return _pcs(title, about, column, {**_HERE, "outbox_rows": Beyond(">", limit)}, lang)


def _pcs(title: Words, about: Words, column: Column, where: Where, lang: Lang) -> Json:
    """PCs for which something holds today or yesterday, worst first."""
    said = head(lang, title, about, NOTHING)
    hostname = Column("hostname", Words("电脑", "PC"))
    day = Column("Time", Words("日期", "day"), "day", 105)
    columns = [column, SCHOOL, DISTRICT, hostname, day]
    names = [column.name, "school", "district", "hostname"]
    text = influxql.rows("machine_day", names, where, influxql.TWO_DAYS)
    return tables.listing(said, Query("machine_day", text), columns, lang, (column.name, True))
