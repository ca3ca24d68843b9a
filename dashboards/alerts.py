"""Alert rules for Grafana's own alerting, as files that it reads at its start.

Each rule asks the store for one row a school, a room, a line or the platform; what is alarming
stands in `thresholds`. A rule never looks at a single test or a single report. Rules are
grouped by district where they have one, and say what to do.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import NamedTuple

from dashboards import influxql, thresholds
from dashboards.board import Asked
from dashboards.influxql import WEEK, Beyond, Where
from dashboards.panels import Json
from dashboards.words import Lang, Words

FOLDER = Words("校园脉搏 · 告警", "SchoolPulse alerts")
_EXPRESSION = "__expr__"
#: Retention class -> uid of its data source in the Grafana that takes the rules.
Source = Callable[[str], str]


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


_SCHOOL = ("school", "district")
_OPEN: Where = {"open": True}


def rules() -> list[Rule]:
    """All rules, in the order of the page that explains them."""
    return [*_of_schools(), *_of_platform()]


def _of_schools() -> list[Rule]:
    hours, days = int(thresholds.SILENT_HOURS.value), int(thresholds.LINE_DAYS.value)
    met, seats = thresholds.LINE_MET_MBPS.value, thresholds.SEATS_SHARE.value
    age = int(thresholds.FAULT_DAYS.value)
    by_name = "{{ $labels.school }}"
    return [
        Rule(
            "schoolpulse-school-silent",
            Words("学校在开放时间里沉默", "School silent in open hours"),
            [_open_hours(hours, "max"), _open_hours(hours, "count")],
            f"$A < 1 && $B >= {hours}",
            "10m", "day",
            Words(
                f"学校 {by_name} 最近 {hours} 个开放小时里没有电脑上报：停电、断网，代理没了？",
                f"No PC of school {by_name} reported in its last {hours} open hours: power, "
                "network, or no agent?",
            ),
            "school",
        ),
        Rule(
            "schoolpulse-line-slow",
            Words("线路连续多日低于标准", "Line under the threshold for days"),
            [_line("max", days), _line("count", days)],
            f"$A < {met} && $B >= {days}",
            "0s", "week",
            Words(
                f"学校 {by_name} 的{{{{ $labels.line }}}}合同 10M 以上，而连续 {days} 天的实测"
                f"都低于 {met} Mbit/s：带着测试记录找运营商。",
                f"{{{{ $labels.line }}}} of school {by_name} has a contract of 10 Mbit/s or more "
                f"and measured under {met} on {days} days running: call the provider.",
            ),
            "school",
        ),
        Rule(
            "schoolpulse-fault-old",
            Words("设备故障超过一天", "Equipment fault older than a day"),
            [Question("event", _open_faults())],
            "$A > 0",
            f"{age}d", "day",
            Words(
                f"学校 {by_name} 有一台设备的故障超过 {age} 天没有修好。",
                f"A device of school {by_name} has been at fault for more than {age} day.",
            ),
            "school",
        ),
        Rule(
            "schoolpulse-room-short",
            Words("计算机教室电脑不足", "Computer room below its seats"),
            [_room("max", "pcs"), _room("max", "seats"), _room("count", "pcs")],
            f"$A < {seats} * $B && $C >= 3",
            "0s", "week",
            Words(
                f"学校 {by_name} 的{{{{ $labels.room }}}}一周里最多 {{{{ $values.A }}}} 台"
                f"电脑上报，座位 {{{{ $values.B }}}}，不到八成。",
                f"At most {{{{ $values.A }}}} PCs of {{{{ $labels.room }}}} of school {by_name} "
                "reported on one day of the week, for {{ $values.B }} seats.",
            ),
            "school",
        ),
    ]  # fmt: skip


def _of_platform() -> list[Rule]:
    return [
        Rule(
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
        ),
        Rule(
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
        ),
        Rule(
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
        ),
        Rule(
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
        ),
    ]  # fmt: skip


def _open_hours(hours: int, reducer: str) -> Question:
    """The newest open hours of each school, however long ago: a night ends no alarm."""
    text = influxql.latest("school_hour", {"pcs": "pcs"}, _OPEN, _SCHOOL, WEEK)
    return Question("school_hour", text.replace("LIMIT 1", f"LIMIT {hours}"), reducer)


def _line(function: str, days: int) -> Question:
    where: Where = {"contract_mbps": Beyond(">=", thresholds.LINE_MBPS.value)}
    by = (*_SCHOOL, "line")
    time = f"time > now() - {days}d"
    return Question(
        "line_day", influxql.each("line_day", function, {"p90_mbps": "p90"}, where, by, time)
    )


def _open_faults() -> str:
    """1 for each device whose newest event says fault. How long it must last is the rule's."""
    by = (*_SCHOOL, "device")
    inner = influxql.newest("event", "event", [], ("fault", "repaired"), by, {})
    return influxql.over('count("event") AS "faults"', inner, "\"event\" = 'fault'", by)


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
    """How much a counter has grown within the hour; a restart, which sets it to 0, is no growth."""
    inner = influxql.each("collector", "last", {field: field}, {}, (), "time > now() - 1h", "5m")
    inner = inner.replace(f'last("{field}")', f'non_negative_difference(last("{field}"))')
    return influxql.over(f'sum("{field}") AS "grown"', inner)


def queries() -> Iterator[Asked]:
    """Every query of every rule."""
    for rule in rules():
        for number, question in enumerate(rule.asked):
            retention = influxql.retention(question.measurement)
            yield Asked(rule.title.zh, _letter(number), retention, question.text)


def provisioned(lang: Lang) -> bytes:
    """The rules as Grafana's provisioning reads them; JSON, which YAML 1.2 contains."""
    tree = {"apiVersion": 1, "groups": groups(lang, lambda name: f"schoolpulse-{name}")}
    head = "# Made by `schoolpulse dashboards build` from dashboards/alerts.py; do not edit.\n"
    return (head + json.dumps(tree, ensure_ascii=False, indent=1) + "\n").encode()


def groups(lang: Lang, source: Source) -> list[Json]:
    """Two groups: schools are looked at every five minutes, the platform every minute."""
    return [
        _group("schools", "5m", _of_schools(), lang, source),
        _group("platform", "1m", _of_platform(), lang, source),
    ]


def _group(name: str, interval: str, found: Sequence[Rule], lang: Lang, source: Source) -> Json:
    made = [_rule(rule, lang, source) for rule in found]
    return {"orgId": 1, "name": f"schoolpulse-{name}", "folder": FOLDER.of(lang),
            "interval": interval, "rules": made}  # fmt: skip


def _rule(rule: Rule, lang: Lang, source: Source) -> Json:
    data = [part for n, question in enumerate(rule.asked) for part in _data(n, question, source)]
    condition = rule.condition
    data.append(_expression("Z", {"type": "math", "expression": condition}))
    return {
        "uid": rule.uid,
        "title": rule.title.of(lang),
        "condition": "Z",
        "data": data,
        "noDataState": rule.silence,
        "execErrState": "Error",
        "for": rule.lasting,
        "annotations": {
            "summary": rule.says.of(lang),
            "runbook_url": f"/d/schoolpulse-runbook-{lang}",
            "board": _board(rule, lang),
        },
        "labels": {"source": "schoolpulse", "urgency": rule.urgency},
    }


def _board(rule: Rule, lang: Lang) -> str:
    chosen = "?var-school={{ $labels.school }}" if rule.board == "school" else ""
    return f"/d/schoolpulse-{rule.board}-{lang}{chosen}"


def _data(number: int, question: Question, source: Source) -> list[Json]:
    """A query (a, b…) and its reduction to one number a series (A, B…)."""
    ref = _letter(number).lower()
    model = {
        "refId": ref, "rawQuery": True, "query": question.text, "resultFormat": "time_series",
        "intervalMs": 60_000, "maxDataPoints": 43_200,
    }  # fmt: skip
    asked = {
        "refId": ref,
        "relativeTimeRange": {"from": 691_200, "to": 0},
        "datasourceUid": source(influxql.retention(question.measurement)),
        "model": model,
    }
    reduced = {"type": "reduce", "expression": ref, "reducer": question.reducer,
               "settings": {"mode": "dropNN"}}  # fmt: skip
    return [asked, _expression(_letter(number), reduced)]


def _expression(ref: str, model: Mapping[str, object]) -> Json:
    target = {"type": _EXPRESSION, "uid": _EXPRESSION}
    return {
        "refId": ref,
        "relativeTimeRange": {"from": 0, "to": 0},
        "datasourceUid": _EXPRESSION,
        "model": {"refId": ref, "datasource": target, **model},
    }


def _letter(number: int) -> str:
    return chr(ord("A") + number)
