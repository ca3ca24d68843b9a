"""What is alarming, and what to do: one function a rule, each asking the store a few questions.

A question gives one row a school, a room, a line or the platform. No rule judges a single test
or a single report. Limits stand in `thresholds` and in the edition.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from agent.common.vocabulary.words import Words
from dashboards import influxql, thresholds
from dashboards.edition import Edition
from dashboards.influxql import WEEK, Beyond, Where


class Question(NamedTuple):
    """A query of a rule and how its rows become one number."""

    measurement: str
    text: str
    reducer: str = "last"


class Rule(NamedTuple):
    """One alert: questions A, B…, the condition over them ($A, $B…), and what to do."""

    uid: str
    title: Words
    asked: Sequence[Question]
    condition: str
    lasting: str
    urgency: str
    says: Words
    board: str = "operations"
    silence: str = "OK"  # what it means when nothing is answered


#: Stands in a message for the school; a series of the store carries its code alone.
SCHOOL = "{{ $labels.school }}"
_SCHOOL = ("school", "district")
_OPEN: Where = {"open": True}
_BY_NAME = SCHOOL


def of_schools(edition: Edition) -> list[Rule]:
    """Those that name a school."""
    return [_silent(), _slow_line(edition), _old_fault(), _gone(), _short_room()]


def of_platform() -> list[Rule]:
    """Those of the platform itself."""
    return [_lag(), _keeper(), _quarantine(), _calendar(), _certificate()]


def _silent() -> Rule:
    hours = int(thresholds.SILENT_HOURS.value)
    return Rule(
        "schoolpulse-school-silent",
        Words("学校在开放时间里沉默", "School silent in open hours"),
        [_open_hours(hours)],
        f"$A * {hours} < 0.5",
        "10m", "day",
        Words(
            f"学校 {_BY_NAME} 最近 {hours} 个开放小时里没有电脑上报：停电、断网，代理没了？",
            f"No PC of school {_BY_NAME} reported in its last {hours} open hours: power, "
            "network, or no agent?",
        ),
        "school",
    )  # fmt: skip


def _slow_line(edition: Edition) -> Rule:
    days, met = int(thresholds.LINE_DAYS.value), f"{edition.met_mbps:g}"
    return Rule(
        "schoolpulse-line-slow",
        Words("线路连续多日低于标准", "Line under the threshold for days"),
        [_line("max", days, edition), _line("count", days, edition)],
        f"$A < {met} && $B >= {days}",
        "0s", "week",
        Words(
            f"学校 {_BY_NAME} 的{{{{ $labels.line }}}}合同 {edition.label} 以上，而连续 {days} 天"
            f"的实测都低于 {met} Mbit/s：带着测试记录找运营商。",
            f"{{{{ $labels.line }}}} of school {_BY_NAME} has a contract of {edition.asked} Mbit/s "
            f"or more and measured under {met} on {days} days running: call the provider.",
        ),
        "school",
    )  # fmt: skip


def _old_fault() -> Rule:
    age = int(thresholds.FAULT_DAYS.value)
    return Rule(
        "schoolpulse-fault-old",
        Words("设备故障超过一天", "Equipment fault older than a day"),
        [Question("event", _open_events("fault", "repaired"))],
        "$A > 0",
        f"{age}d", "day",
        Words(
            f"学校 {_BY_NAME} 有一台设备的故障超过 {age} 天没有修好。",
            f"A device of school {_BY_NAME} has been at fault for more than {age} day.",
        ),
        "school",
    )  # fmt: skip


def _gone() -> Rule:
    age = int(thresholds.GONE_DAYS.value)
    return Rule(
        "schoolpulse-gone",
        Words("设备不见超过一天", "Equipment missing for over a day"),
        [Question("event", _open_events("gone", "appeared", influxql.MONTH))],
        "$A > 0",
        f"{age}d", "day",
        Words(
            f"学校 {_BY_NAME} 有一台设备超过 {age} 天不见：电脑开着，看不到它。",
            f"A device of school {_BY_NAME} has been missing for more than {age} day, with its PC "
            "on.",
        ),
        "school",
    )  # fmt: skip


def _short_room() -> Rule:
    seats = thresholds.SEATS_SHARE.value
    return Rule(
        "schoolpulse-room-short",
        Words("计算机教室电脑不足", "Computer room below its seats"),
        [_room("max", "pcs"), _room("max", "seats"), _room("count", "pcs")],
        f"$A < {seats} * $B && $C >= 3",
        "0s", "week",
        Words(
            f"学校 {_BY_NAME} 的{{{{ $labels.room }}}}一周里最多 {{{{ $values.A }}}} 台"
            "电脑上报，座位 {{ $values.B }}，不到八成。",
            f"At most {{{{ $values.A }}}} PCs of {{{{ $labels.room }}}} of school {_BY_NAME} "
            "reported on one day of the week, for {{ $values.B }} seats.",
        ),
        "school",
    )  # fmt: skip


def _lag() -> Rule:
    return Rule(
        "schoolpulse-collector-lag",
        Words("采集服务滞后或停止", "Collector lags or has stopped"),
        [_own("last", "queue", "10m")],
        f"$A > {thresholds.QUEUE.value}",
        "10m", "page",
        Words(
            "采集服务十分钟没有写下自己的计数，或等待入库的报告太多。报告不会丢，代理会留着。",
            "The collector has not written its counts for ten minutes, or too many reports "
            "wait. None is lost: agents keep them.",
        ),
        silence="Alerting",
    )  # fmt: skip


def _keeper() -> Rule:
    return Rule(
        "schoolpulse-keeper-lag",
        Words("汇总滞后或停止", "Keeper lags or has stopped"),
        [_own("last", "keeper_lag_s", "10m")],
        f"$A > {thresholds.KEEPER_LAG_S.value}",
        "10m", "day",
        Words(
            "报告收下了，十分钟以上还没有汇总：看板与故障清单停在那时。不丢：汇总会补上。",
            "Reports are stored, and not derived for over ten minutes: boards and faults show "
            "the state of then. Nothing is lost: the keeper catches up.",
        ),
    )  # fmt: skip


def _quarantine() -> Rule:
    return Rule(
        "schoolpulse-quarantine",
        Words("隔离的消息在增加", "Quarantine grows"),
        [Question("collector", _grown("quarantined"))],
        f"$A >= {thresholds.QUARANTINE.value}",
        "0s", "day",
        Words(
            "一小时内有 {{ $values.A }} 条消息读不懂而被隔离：用 schoolpulse doctor 看原因。",
            "{{ $values.A }} messages could not be read within an hour and are in quarantine: "
            "schoolpulse doctor says why.",
        ),
    )  # fmt: skip


def _calendar() -> Rule:
    return Rule(
        "schoolpulse-calendar",
        Words("校历快到头了", "Calendar runs out"),
        [_own("last", "calendar_days", "1d")],
        f"$A < {thresholds.CALENDAR_DAYS.value}",
        "0s", "week",
        Words(
            "台账的校历还有 {{ $values.A }} 天就到头，之后没有一天算开放日：导入下学期的校历。",
            "The register's calendar ends in {{ $values.A }} days, after which no day is "
            "open: import the next term.",
        ),
    )  # fmt: skip


def _certificate() -> Rule:
    return Rule(
        "schoolpulse-certificate",
        Words("消息服务的证书快过期", "Broker certificate expires"),
        [_own("last", "certificate_days", "1d")],
        f"$A < {thresholds.CERTIFICATE_DAYS.value}",
        "0s", "week",
        Words(
            "消息服务的证书还有 {{ $values.A }} 天过期，过期后采集服务连不上：换证书。",
            "The broker's certificate expires in {{ $values.A }} days, after which the "
            "collector cannot connect: renew it.",
        ),
    )  # fmt: skip


def _open_hours(hours: int) -> Question:
    """PCs in the newest open hours of each school, however long ago: a night ends no alarm.

    Their mean, which is 0 where each is, and is not there for a school with fewer hours: not the
    rows themselves, as on openGemini a LIMIT counts those of all schools together.
    """
    inner = influxql.moving("school_hour", {"pcs": "pcs"}, _OPEN, _SCHOOL, hours, WEEK)
    return Question("school_hour", influxql.over('last("pcs") AS "pcs"', inner, by=_SCHOOL))


def _line(function: str, days: int, edition: Edition) -> Question:
    # openGemini ends at the first line that has days with a contract and none of them with a test.
    tested = Beyond(">=", 0)
    where: Where = {"contract_mbps": Beyond(">=", edition.asked), "p90_mbps": tested}
    by = (*_SCHOOL, "line")
    time = f"time > now() - {days}d"
    return Question(
        "line_day", influxql.each("line_day", function, {"p90_mbps": "p90"}, where, by, time)
    )


def _open_events(began: str, ended: str, time: str = influxql.YEAR) -> str:
    """1 for each device whose newest of both events is `began`.

    How long it must last is the rule's.
    """
    by = (*_SCHOOL, "device")
    inner = influxql.newest("event", "event", [], (began, ended), by, {}, time)
    return influxql.over('count("event") AS "devices"', inner, f"\"event\" = '{began}'", by)


def _room(function: str, field: str) -> Question:
    by = (*_SCHOOL, "room")
    where: Where = {"seats": Beyond(">", 0)}
    return Question(
        "room_day", influxql.each("room_day", function, {field: field}, where, by, WEEK)
    )


def _own(function: str, field: str, stretch: str) -> Question:
    time = f"time > now() - {stretch}"
    return Question("collector", influxql.each("collector", function, {field: field}, {}, (), time))


def _grown(field: str) -> str:
    """How much a counter has grown within the hour; a restart, which sets it to 0, is no growth.

    Of a sub-query the first point has no difference: five minutes more are asked for.
    """
    inner = influxql.each("collector", "last", {field: field}, {}, (), "time > now() - 65m", "5m")
    more = influxql.over(f'non_negative_difference("{field}") AS "{field}"', inner)
    return influxql.over(f'sum("{field}") AS "grown"', more)
