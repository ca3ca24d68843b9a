"""告警手册: for each alert, what it means, what to do, and when it clears by itself."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words
from dashboards import alerts, thresholds, variables
from dashboards.alert_rules import Rule
from dashboards.board import Options, Row, board
from dashboards.edition import Edition
from dashboards.panels import Head, Json

_HOURS, _DAYS, _AGE, _GONE, _QUEUE, _CALENDAR, _CERTIFICATE = (
    f"{threshold.value:g}"
    for threshold in (
        thresholds.SILENT_HOURS,
        thresholds.LINE_DAYS,
        thresholds.FAULT_DAYS,
        thresholds.GONE_DAYS,
        thresholds.QUEUE,
        thresholds.CALENDAR_DAYS,
        thresholds.CERTIFICATE_DAYS,
    )
)
_TODO: Mapping[str, Words] = {
    "schoolpulse-school-silent": Words(
        f"**意思**：最近 {_HOURS} 个开放小时里，这所学校没有电脑上报。\n\n"
        "**做什么**：1. 打电话问有没有停电、断网。2. 看「运维」：同一区县一起沉默，多半是汇聚线路"
        "或消息服务。3. 学校有网而仍沉默：在一台电脑上运行 `schoolpulse-agent doctor`。\n\n"
        "**何时解除**：有电脑上报的那个小时之后。装修、搬迁：`schoolpulse mute`。",
        f"**Means**: no PC of the school reported in its last {_HOURS} "
        "open hours.\n\n**Do**: 1. Call: power, network? 2. Operations: a whole district silent "
        "is an uplink or the broker. 3. With a network and still silent: `schoolpulse-agent "
        "doctor` on one PC.\n\n**Clears**: after the first hour with a report. Under repair: "
        "`schoolpulse mute`.",
    ),
    "schoolpulse-fault-old": Words(
        f"**意思**：有设备自己报告故障，{_AGE} 天没有说好；每台设备单独算。\n\n"
        "**做什么**：「多媒体设备」看板有名单与设备自己的说明；报修。\n\n"
        "**何时解除**：设备自己说好了。待机不算修好：要亮起来才算。",
        f"**Means**: a device has reported a fault for {_AGE} day and not since that it is well."
        "\n\n**Do**: Equipment lists them in their own words; order the repair.\n\n**Clears**: "
        "when the device says so; standby repairs nothing, it must be seen lit.",
    ),
    "schoolpulse-gone": Words(
        f"**意思**：有设备不见超过 {_GONE} 天：电脑开着，看不到它。每台设备单独算；"
        "只是关了的电视不算。\n\n**做什么**：先看线和电源；「多媒体设备」看板有名单。被偷了：报失；真的搬走了：改台账。\n\n"
        "**何时解除**：又看到它的时候，至迟 45 天之后；看板的名单上还在。",
        f"**Means**: a device has been missing for over {_GONE} day, with its PC on; each counts "
        "by itself, and a TV that is only off does not.\n\n**Do**: cable and power first; "
        "Equipment lists them. Stolen: report it; moved: correct the register.\n\n**Clears**: "
        "when it is seen again, or after 45 days; the board's list keeps it.",
    ),
    "schoolpulse-room-short": Words(
        "**意思**：一周里有上报的日子不少于 3 天，却没有一天有八成座位的电脑。\n\n"
        "**做什么**：上一节课，把电脑都打开；坏的修，少的补；座位数不对就改台账。\n\n"
        "**何时解除**：有一天够数，或一周没有人用这间教室。",
        "**Means**: on 3 or more days of the week the room reported, never with 80% of its "
        "seats.\n\n**Do**: hold a lesson with all PCs on; repair, replace, or correct the seats in "
        "the register.\n\n**Clears**: after a day with enough, or a week without use.",
    ),
    "schoolpulse-collector-lag": Words(
        f"**意思**：采集服务十分钟没有写下自己的计数，或等待入库的报告超过 {_QUEUE} 份。"
        "报告不会丢：没有回执，代理就留着。\n\n"
        "**做什么**：`schoolpulse doctor`；看采集服务的日志，看数据库的磁盘。\n\n"
        "**何时解除**：计数回来，积压消下去。",
        "**Means**: the collector has not written its counts for ten minutes, or more than "
        f"{_QUEUE} reports wait. None is lost: without a receipt agents keep "
        "them.\n\n**Do**: `schoolpulse doctor`; its log; the database's disk.\n\n**Clears**: "
        "when the counts are back and few reports wait.",
    ),
    "schoolpulse-keeper-lag": Words(
        "**意思**：报告存下了，最早一份等了十分钟以上还没有汇总进日表。看板与故障清单停在那时。\n\n"
        "**做什么**：`schoolpulse doctor`；看采集服务日志里的 keeper_failed、keeper_ended、"
        "day_not_derived。刚重启过，或刚导入台账：等它整天算完。\n\n"
        "**何时解除**：汇总赶上来。",
        "**Means**: reports are stored, and the oldest one has waited for over ten minutes to be "
        "derived. Boards and the list of faults show the state of then.\n\n**Do**: `schoolpulse "
        "doctor`; look for keeper_failed, keeper_ended and day_not_derived in the collector's "
        "log. After a restart or an import it derives the whole day: wait.\n\n**Clears**: when "
        "the keeper has caught up.",
    ),
    "schoolpulse-quarantine": Words(
        "**意思**：一小时内有消息永远读不懂，连同原因一起留在隔离区。\n\n"
        "**做什么**：`schoolpulse doctor` 说明有多少、为什么。多半是别的程序在发，或代理坏了。\n\n"
        "**何时解除**：一小时没有新的。",
        "**Means**: within an hour messages came that can never be read; they are kept with the "
        "reason.\n\n**Do**: `schoolpulse doctor` says how many and why. Mostly another program "
        "publishes, or a broken agent.\n\n**Clears**: after an hour without new ones.",
    ),
    "schoolpulse-calendar": Words(
        f"**意思**：台账里最后一个学期不到 {_CALENDAR} 天就结束；之后没有一天算开放日，"
        "沉默的学校不再告警，窗口停在旧的日子。\n\n"
        "**做什么**：导入下学期的校历：`schoolpulse roster import`。\n\n**何时解除**：导入之后。",
        f"**Means**: the register's last term ends within {_CALENDAR} days; "
        "after it no day is open, silent schools raise no alert and windows stand still.\n\n"
        "**Do**: import the next term: `schoolpulse roster import`.\n\n**Clears**: after it.",
    ),
    "schoolpulse-certificate": Words(
        f"**意思**：消息服务的证书不到 {_CERTIFICATE} 天过期。过期后采集服务连不上，"
        "代理照样连得上（它不看日期，只看是不是我们的 CA），报告在代理那里等。\n\n"
        "**做什么**：用自己的 CA 重新签发，重载消息服务。\n\n**何时解除**：采集服务重新连上之后。",
        f"**Means**: the broker's certificate expires within {_CERTIFICATE} "
        "days. Then the collector cannot connect; agents still do (they check our CA, not dates) "
        "and keep their reports.\n\n**Do**: issue a new one by our CA, reload the broker.\n\n"
        "**Clears**: after the collector has connected again.",
    ),
}  # fmt: skip


def _slow_line(edition: Edition) -> Words:
    met = f"{edition.met_mbps:g}"
    return Words(
        f"**意思**：合同 {edition.label} 以上，而连续 {_DAYS} 天，实测（近 30 个开放日课外测试"
        f"的第 90 百分位）都低于 {met} Mbit/s。从不因为一次测试告警。\n\n"
        "**做什么**：1. 「学校」看板上看每次测试：全天都低，还是只有某些时段。2. 换一台接网线的电脑"
        "测一次：`schoolpulse-agent line`。3. 还是低：带着记录找运营商。\n\n"
        "**何时解除**：有一天达到之后。",
        f"**Means**: contract of {edition.asked} Mbit/s or more, and on {_DAYS} days "
        "running the measured rate (90th percentile of the quiet tests of 30 open days) under "
        f"{met}. Never for one test.\n\n**Do**: 1. School: low all "
        "day or at some hours? 2. Test from another wired PC: `schoolpulse-agent line`. 3. Still "
        "low: call the provider with the record.\n\n**Clears**: after a day that meets it.",
    )


def _text(rule: Rule, edition: Edition) -> Words:
    return _slow_line(edition) if rule.uid == "schoolpulse-line-slow" else _TODO[rule.uid]


def build(edition: Edition) -> Json:
    """The board of one edition."""
    made = [(12, _page(rule, edition)) for rule in alerts.rules(edition)]
    rows = [Row(None, 8, made[at : at + 2]) for at in range(0, len(made), 2)]
    about = Words(
        "每条告警的意思、做什么、何时自己解除。",
        "What each alert means, what to do, when it clears.",
    )
    title, options = Words("告警手册", "Runbook"), Options(variables.sources(edition.lang))
    return board("schoolpulse-runbook", title, about, rows, edition.lang, options)


def _page(rule: Rule, edition: Edition) -> Json:
    said = Head(rule.title.of(edition.lang), rule.uid, "")
    return _markdown(said, _text(rule, edition).of(edition.lang))


def _markdown(head: Head, markdown: str) -> Json:
    """Fixed text, without a query."""
    return {
        "type": "text",
        "title": head.title,
        "description": head.description,
        "targets": [],
        "fieldConfig": {"defaults": {}, "overrides": []},
        "options": {"mode": "markdown", "content": markdown},
    }
