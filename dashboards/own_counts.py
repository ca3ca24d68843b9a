"""What collector, database and broker count of themselves, over time."""

from __future__ import annotations

from typing import NamedTuple

from agent.common.vocabulary.counters import COUNTERS
from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql, panels
from dashboards.board import WIDTH
from dashboards.panels import Json, Query, head

SILENT = Words(
    "没有采集服务的数据：请运行 schoolpulse doctor",
    "no data of the collector: run schoolpulse doctor",
)


class _Counters(NamedTuple):
    """Counters over time: how fast they grow (cpm), or how high they are."""

    measurement: str
    names: tuple[str, ...]
    title: Words
    about: Words
    unit: str = "cpm"


INGEST = _Counters(
    "collector", ("received", "stored", "duplicates"), Words("上报速率", "Reports a minute"),
    Words(
        "每分钟收到与存下的报告；两条线应当重合。重复多：回执丢了，代理在重发（不会存两次）。",
        "Reports received and stored a minute; the two should meet. Many duplicates: receipts are "
        "lost and agents resend (nothing is stored twice).",
    ),
)  # fmt: skip
LAG = _Counters(
    "collector", ("queue",), Words("滞后", "Lag"),
    Words(
        "收下而还没入库的报告：入库跟不上收的，就在这里涨。",
        "Reports taken in and not yet stored: they pile up here when the store lags.",
    ),
    "none",
)  # fmt: skip
KEEPER = _Counters(
    "collector", ("keeper_lag_s",), Words("汇总滞后", "The keeper's lag"),
    Words(
        "最早一份还没有汇总进日表的报告等了多久。设备故障在汇总之后才看得见。",
        "How long the oldest report has waited whose rows are not derived yet. Faults of devices "
        "show once they are.",
    ),
    "seconds",
)  # fmt: skip
_HELD, _QUARANTINE = COUNTERS["held"], COUNTERS["quarantined"]
KEPT_BACK = _Counters(
    "collector", ("held", "quarantined"),
    Words(f"{_HELD.zh}与{_QUARANTINE.zh}", "Held and quarantined"),
    Words(
        f"启动以来的计数。{_HELD.zh}：台账没有的学校或未来版本，导入台账后自己到达；"
        f"{_QUARANTINE.zh}：永远读不懂的，要人看。",
        f"Counts since the start. {_HELD.en}: a school not in the register or a version of the "
        f"future, arriving by itself later; {_QUARANTINE.en}: never readable, needs a person.",
    ),
    "none",
)  # fmt: skip
WRITES = _Counters(
    "collector", ("write_ms",), Words("数据库写入", "Database writes"),
    Words(
        "数据库写入一批要多久。超过一秒：磁盘满了或太慢。",
        "How long the database takes for a batch. Above a second: its disk is full or slow.",
    ),
    "suffix:ms",
)  # fmt: skip
CLIENTS = _Counters(
    "broker", ("clients",), Words("消息服务的连接", "Broker clients"),
    Words(
        "消息服务上的连接数。和在线电脑数差很多：有别的程序在连，或证书出了问题。",
        "Connections of the broker. Far from the number of PCs: others connect, or a certificate "
        "fails.",
    ),
    "none",
)  # fmt: skip
DROPS = _Counters(
    "broker", ("dropped",), Words("消息服务丢弃", "Broker drops"),
    Words(
        "消息服务每分钟丢弃的消息。大于 0：加大 max_queued_messages；报告不会丢，代理会重发。",
        "Messages that the broker drops a minute. Above 0: raise max_queued_messages; no report "
        "is lost, agents resend.",
    ),
)  # fmt: skip


def over_time(of: _Counters, lang: Lang) -> Json:
    """Counters over time, or how fast they grow."""
    shown = {name: COUNTERS[name].of(lang) for name in of.names}
    said = head(lang, of.title, of.about, SILENT)
    if of.unit == "cpm":
        text = influxql.rate(of.measurement, shown)
        return panels.trend(said, [Query(of.measurement, text, False, "$col")], panels.MINUTE, [])
    text = influxql.each(of.measurement, "max", shown, {}, every="$__interval")
    unit = panels.seconds(lang) if of.unit == "seconds" else of.unit
    made = panels.trend(said, [Query(of.measurement, text, False, "$col")], unit, [])
    return panels.from_zero(made)


def side_by_side(lang: Lang, *found: _Counters) -> list[tuple[int, Json]]:
    """Several of these in one row."""
    return [(WIDTH // len(found), over_time(one, lang)) for one in found]
