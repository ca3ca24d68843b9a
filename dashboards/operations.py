"""运维: do the agents report, does the platform keep up, what waits for somebody."""

from __future__ import annotations

from dashboards import influxql, panels, tables, thresholds, variables
from dashboards.board import Look, Row, board
from dashboards.influxql import Beyond, Outside, Where
from dashboards.panels import Head, Json, Query
from dashboards.tables import DISTRICT, SCHOOL, Column
from dashboards.words import NOTHING, ZERO, Lang, Words

_HERE: Where = {"district": variables.DISTRICT}
_OPEN: Where = {**_HERE, "open": True}
_SILENT = Words(
    "没有代理的上报：运行 schoolpulse doctor；再在一台学校电脑上运行 schoolpulse-agent doctor",
    "no reports of agents: run schoolpulse doctor, then schoolpulse-agent doctor on a school PC",
)
_DEAD = Words(
    "没有采集服务的数据：请运行 schoolpulse doctor",
    "no data of the collector: run schoolpulse doctor",
)


def build(lang: Lang) -> Json:
    """The board in one language."""
    rows = [
        Row(Words("现在", "Now").of(lang), 4, _now(lang)),
        Row(Words("学校与代理", "Schools and agents").of(lang), 9,
            [(8, _silent(lang)), (8, _last_seen(lang)), (8, _online(lang))]),
        Row(Words("代理的版本", "Versions of the agent").of(lang), 4, [(24, _versions(lang))]),
        Row(Words("时钟与发件箱", "Clocks and outboxes").of(lang), 9,
            [(12, _clocks(lang)), (12, _outboxes(lang))]),
        Row(Words("采集服务", "The collector").of(lang), 8,
            [(8, _ingest(lang)), (8, _waiting(lang)), (8, _kept_back(lang))]),
        Row(Words("数据库与消息服务", "Database and broker").of(lang), 8,
            [(8, _writes(lang)), (8, _clients(lang)), (8, _dropped(lang))]),
    ]  # fmt: skip
    chosen = [*variables.sources(lang), variables.district(lang), variables.version(lang)]
    description = Words(
        "平台自己：代理报不报，采集服务跟不跟得上，有没有要人处理的。学校的事在别的看板。",
        "The platform itself: do agents report, does the collector keep up, does anything wait "
        "for a person.",
    )
    title = Words("运维", "Operations")
    look = Look(chosen, "now-7d")
    return board("schoolpulse-operations", title, description, rows, lang, look)


def silent_schools(hours: str) -> str:
    """Schools of which no PC reported in any open hour of the time given."""
    by = ("school", "district")
    inner = influxql.each("school_hour", "sum", {"pcs": "pcs"}, _OPEN, by, hours)
    return influxql.over('"pcs"', inner, '"pcs" = 0', by)


def _now(lang: Lang) -> list[tuple[int, Json]]:
    return [
        (5, _pcs_on(lang)), (5, _silent_count(lang)), (5, _heard(lang)),
        (5, _own("quarantined", Words("被隔离", "Quarantined"), thresholds.QUARANTINE.value, lang)),
        (4, _own("queue", Words("等待入库", "Waiting to be stored"), thresholds.QUEUE.value, lang)),
    ]  # fmt: skip


def _pcs_on(lang: Lang) -> Json:
    about = Words(
        "最近一个开放小时里有上报的电脑数。晚上显示的是白天最后一小时；假日里没有。",
        "PCs that reported in the newest open hour; at night, the day's last; none on a holiday.",
    )
    none = Words("最近一天没有开放的小时", "no open hour in the last day")
    head = Head(Words("在线电脑", "PCs that report").of(lang), about.of(lang), none.of(lang))
    text = influxql.each("school_hour", "sum", {"pcs": "pcs"}, _OPEN, (), influxql.TODAY, "1h")
    made = panels.stat(head, Query("school_hour", influxql.over('last("pcs") AS "pcs"', text)),
                       [], "none")  # fmt: skip
    made["options"]["textMode"] = "value"
    return made


def _silent_count(lang: Lang) -> Json:
    about = Words(
        "最近一天的开放时间里没有一台电脑上报的学校。名单在下面。",
        "Schools of which no PC reported in the last day's open hours. The list is below.",
    )
    head = Head(Words("沉默的学校", "Silent schools").of(lang), about.of(lang), ZERO.of(lang))
    text = influxql.over('count("pcs") AS "n"', silent_schools(influxql.TODAY))
    return panels.troubles(head, Query("school_hour", text))


def _heard(lang: Lang) -> Json:
    about = Words(
        "采集服务最后一次写下自己的计数：每分钟一次。超过几分钟：它停了，或数据库写不进。",
        "When the collector last wrote its own counts, once a minute. Minutes ago: it has stopped "
        "or the database takes nothing.",
    )
    head = Head(Words("采集服务", "Collector").of(lang), about.of(lang), _DEAD.of(lang))
    text = influxql.rows(
        "collector", ["received"], {}, influxql.RECENT, "ORDER BY time DESC LIMIT 1"
    )
    return panels.text(head, Query("collector", text), "Time", [], "dateTimeFromNow")


def _own(field: str, title: Words, limit: float, lang: Lang) -> Json:
    about = Words(
        "采集服务启动以来的被隔离数：每一条都要人看（schoolpulse doctor 说明原因）。"
        if field == "quarantined"
        else "收下而还没入库的报告。长期很多：数据库慢。",
        "Messages quarantined since the collector's start; each wants a look (schoolpulse doctor)."
        if field == "quarantined"
        else "Reports taken in and not yet stored. Many for long: the database is slow.",
    )
    head = Head(title.of(lang), about.of(lang), _DEAD.of(lang))
    text = influxql.each("collector", "last", {field: field}, {}, (), influxql.RECENT)
    steps = panels.steps(thresholds.BLUE, thresholds.VERMILION, limit)
    made = panels.stat(head, Query("collector", text), steps, "none")
    made["options"]["textMode"] = "value"
    return made


def _silent(lang: Lang) -> Json:
    about = Words(
        "最近一天的开放时间里一台电脑都没有上报的学校。打电话问：停电？断网？代理还在吗？",
        "Schools of which no PC reported in the last day's open hours. Call: power, network, or "
        "is the agent still there?",
    )
    head = Head(Words("沉默的学校", "Silent schools").of(lang), about.of(lang), NOTHING.of(lang))
    query = Query("school_hour", silent_schools(influxql.TODAY))
    made = tables.listing(head, query, [SCHOOL, DISTRICT], lang)
    return tables.hide(made, "pcs")


def _last_seen(lang: Lang) -> Json:
    about = Words(
        "每所学校最后一次有电脑上报，最久的在上。45 天都没有的学校不在这里，在左边。",
        "When a PC of each school last reported, the longest ago first. Those silent for 45 days "
        "are at the left only.",
    )
    head = Head(Words("最后上报", "Last seen").of(lang), about.of(lang), _SILENT.of(lang))
    columns = [Column("Time", Words("最后上报", "last seen"), "since", 120), SCHOOL, DISTRICT]
    where: Where = {**_HERE, "pcs": Beyond(">", 0)}
    by = ("school", "district")
    text = influxql.each("school_hour", "last", {"pcs": "pcs"}, where, by, influxql.MONTH)
    made = tables.listing(head, Query("school_hour", text), columns, lang, ("Time", False))
    return tables.hide(made, "pcs")


def _online(lang: Lang) -> Json:
    about = Words(
        "每小时有上报的电脑。和昨天同一时间比：突然少一截，多半是消息服务或一条汇聚线路。",
        "PCs that reported each hour. Against yesterday's same hour: a sudden loss is mostly the "
        "broker or an uplink.",
    )
    head = Head(Words("每小时在线", "PCs by hour").of(lang), about.of(lang), _SILENT.of(lang))
    fields = {"pcs": Words("电脑", "PCs").of(lang)}
    text = influxql.each("school_hour", "sum", fields, _HERE, every="1h")
    made = panels.trend(head, [Query("school_hour", text, False, "$col")], "none", [])
    made["fieldConfig"]["defaults"] |= {"min": 0, "decimals": 0}
    return made


def _versions(lang: Lang) -> Json:
    about = Words(
        "有多少台电脑用这个版本的代理，最近三天里最多的一天。旧版本长期不减：那些学校没有自动更新。",
        "How many PCs run this version of the agent, on the best of three days. An old one "
        "that stays: those schools do not update.",
    )
    head = Head("$version", about.of(lang), _SILENT.of(lang))
    where: Where = {**_HERE, "version": "${version:raw}"}
    text = influxql.each("machine_day", "count", {"seen": "n"}, where, (), influxql.RECENT, "1d")
    made = panels.stat(head, Query("machine_day", text, False, "$col"), [], "none")
    made["options"]["textMode"] = "value"
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
    column = Column("offset_ms", Words("差", "off by"), "span", 110)
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
    head = Head(title.of(lang), about.of(lang), NOTHING.of(lang))
    hostname = Column("hostname", Words("电脑", "PC"))
    day = Column("Time", Words("日期", "day"), "day", 105)
    columns = [column, SCHOOL, DISTRICT, hostname, day]
    names = [column.name, "school", "district", "hostname"]
    text = influxql.rows("machine_day", names, where, influxql.TWO_DAYS)
    return tables.listing(head, Query("machine_day", text), columns, lang, (column.name, True))


def _rates(
    measurement: str, fields: dict[str, Words], title: Words, about: Words, lang: Lang
) -> Json:
    head = Head(title.of(lang), about.of(lang), _DEAD.of(lang))
    text = influxql.rate(measurement, {name: words.of(lang) for name, words in fields.items()})
    return panels.trend(head, [Query(measurement, text, False, "$col")], "cpm", [])


def _levels(
    measurement: str, fields: dict[str, Words], title: Words, about: Words, unit: str, lang: Lang
) -> Json:
    head = Head(title.of(lang), about.of(lang), _DEAD.of(lang))
    shown = {name: words.of(lang) for name, words in fields.items()}
    text = influxql.each(measurement, "max", shown, {}, every="$__interval")
    made = panels.trend(head, [Query(measurement, text, False, "$col")], unit, [])
    made["fieldConfig"]["defaults"]["min"] = 0
    return made


def _ingest(lang: Lang) -> Json:
    fields = {"received": Words("收到", "received"), "stored": Words("存下", "stored"),
              "duplicates": Words("重复", "duplicates")}  # fmt: skip
    about = Words(
        "每分钟收到与存下的报告；两条线应当重合。重复多：回执丢了，代理在重发（不会存两次）。",
        "Reports received and stored a minute; the two should meet. Many duplicates: receipts are "
        "lost and agents resend (nothing is stored twice).",
    )
    return _rates("collector", fields, Words("上报速率", "Reports a minute"), about, lang)


def _waiting(lang: Lang) -> Json:
    about = Words(
        "收下而还没入库的报告：入库跟不上收的，就在这里涨。",
        "Reports taken in and not yet stored: they pile up here when the store lags.",
    )
    fields = {"queue": Words("等待入库", "waiting")}
    return _levels("collector", fields, Words("滞后", "Lag"), about, "none", lang)


def _kept_back(lang: Lang) -> Json:
    fields = {"held": Words("暂存", "held"), "quarantined": Words("隔离", "quarantined")}
    about = Words(
        "启动以来的计数。暂存：台账没有的学校或未来版本，导入台账后自己到达；"
        "隔离：永远读不懂的，要人看。",
        "Counts since the start. held: a school not in the register or a version of the future, "
        "arriving by itself later; quarantined: never readable, wants a person.",
    )
    return _levels(
        "collector", fields, Words("暂存与隔离", "Held and quarantined"), about, "none", lang
    )


def _writes(lang: Lang) -> Json:
    about = Words(
        "数据库写入一批要多久。超过一秒：磁盘满了或太慢。",
        "How long the database takes for a batch. Above a second: its disk is full or slow.",
    )
    fields = {"write_ms": Words("写入", "write")}
    return _levels("collector", fields, Words("数据库写入", "Database writes"), about, "ms", lang)


def _clients(lang: Lang) -> Json:
    about = Words(
        "消息服务上的连接数。和在线电脑数差很多：有别的程序在连，或证书出了问题。",
        "Connections of the broker. Far from the number of PCs: others connect, or a certificate "
        "fails.",
    )
    fields = {"clients": Words("连接", "clients")}
    return _levels("broker", fields, Words("消息服务的连接", "Broker clients"), about, "none", lang)


def _dropped(lang: Lang) -> Json:
    fields = {"dropped": Words("丢弃", "dropped")}
    about = Words(
        "消息服务每分钟丢弃的消息。大于 0：加大 max_queued_messages；报告不会丢，代理会重发。",
        "Messages that the broker drops a minute. Above 0: raise max_queued_messages; no report "
        "is lost, agents resend.",
    )
    return _rates("broker", fields, Words("消息服务丢弃", "Broker drops"), about, lang)
