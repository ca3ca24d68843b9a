"""How the figure is made, in the sentences that stand in every report. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent.common.language import say
from agent.common.vocabulary.indicators import SHORT_SHARES
from agent.common.vocabulary.schools import TYPES
from agent.common.vocabulary.thresholds import limit, number
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import word
from collector.compliance.model import Figure
from collector.report.rows import documents, rows


def sentences(figure: Figure) -> Iterator[str]:
    """The method in short, a sentence a rule, with the settings in force."""
    yield say(
        "每个指标都是对台账（截至截止日）的计数，不是对上报者的计数；没有上报的单位同样在分母中。",
        "Each indicator is a count over the register as of the cut-off, never over what reported; "
        "silent units stand in the denominator.",
    )
    yield _shares()
    yield _standing(figure)
    yield _rooms(figure)
    yield _computer_rooms(figure)
    yield _lines(figure)
    yield _window(figure)
    yield from _targets(figure)


def _shares() -> str:
    named = {code: str(words) for code, words in (*VERDICTS.items(), *SHORT_SHARES.items())}
    return say(
        "{verified_share} =（{verified} + {inspected}）÷ 全部；{reported_share}另加{declared}；"
        "{ceiling_share}再加{unknown}。没有声音的单位不会抬高任何一个。",
        "{verified_share} = ({verified} + {inspected}) ÷ all; {reported_share} adds {declared}, "
        "{ceiling_share} adds {unknown}. Silence raises none of them.",
    ).format(**named)


def _standing(figure: Figure) -> str:
    months = figure.settings.inspection_months
    return say(
        "遥测与现场核查以后者为准；“否”一经作出，直到以后有“是”才解除，解除后不再恢复；"
        f"现场核查的“是”有效 {months} 个月。",
        "Of telemetry and inspection the later holds; a no stands until a later yes, which ends "
        f"it for good; an inspection's yes is valid for {months} months.",
    )


def _rooms(figure: Figure) -> str:
    days = figure.settings.min_room_days
    return say(
        f"多媒体：窗口内至少 {days} 天，教室里的探针看到全部必需设备；走班的班级须每间教室都达标。",
        f"Multimedia: on at least {days} days of the window the room's probes saw the required "
        "set; a class of several rooms needs them all.",
    )


def _computer_rooms(figure: Figure) -> str:
    share = f"{figure.settings.seats_share * 100:g}%"
    return say(
        "计算机教室：同一天的同一小时内，同一间计算机教室上报的不同计算机不少于登记座位的"
        f" {share}（向上取整）。",
        "Computer room: in one same hour of one day one computer room had distinct PCs reporting "
        f"for at least {share} of its registered seats, rounded up.",
    )


def _lines(figure: Figure) -> str:
    rules = figure.settings
    asked, days = rules.min_tests, rules.min_test_days
    if rules.rule == "fcc80":
        mbps = number(rules.threshold_mbps)
        return say(
            f"线路：至少 80% 的有效课外测试达到门限的 80%（{mbps} Mbit/s），"
            f"且至少 {asked} 次、分布在 {days} 天。",
            f"Line: at least 80% of the valid quiet tests reach 80% of the threshold ({mbps} "
            f"Mbit/s), with at least {asked} tests on {days} days.",
        )
    low = number(limit(rules.threshold_mbps, rules.tolerance))
    made = f"{number(rules.threshold_mbps)} × {rules.tolerance:g}"
    return say(
        "线路：课外的有效测试（独占、有线、本机其他流量低于 5%、无错误、与测速服务器记录相符），"
        f"或课外与课内的合在一起，其第 90 百分位不低于 {low} Mbit/s（{made}），且至少 {asked} 次、"
        f"分布在 {days} 天；只有课外的能判为不达标，受本机限制的测试只能证明达标；"
        "每个有班级的校区都须有达标线路。",
        "Line: the 90th percentile of the valid quiet tests (alone, wired, other traffic under "
        "5%, no error, confirmed by the server's record), or of quiet and lesson tests together, "
        f"is at least {low} Mbit/s ({made}), with at least {asked} tests on {days} days. Only "
        "quiet tests deny, and one that its PC limits can only prove. Every campus with classes "
        "needs a line that meets.",
    )


def _window(figure: Figure) -> str:
    rules = figure.settings
    types = say("、", ", ").join(word(TYPES, code) for code in rules.types)
    return say(
        f"窗口：截止日前最近 {rules.open_days} 个开放日，最多回溯 {rules.calendar_days} 天。"
        "比率按精确分数计算，显示一位小数，从不越过目标，也不凑成 0 或 100。"
        f"计入的学校类型：{types}。",
        f"Window: the last {rules.open_days} open days up to the cut-off, at most "
        f"{rules.calendar_days} days back. Shares are exact fractions, shown with one decimal, "
        f"never across the target nor to 0 or 100. School types counted: {types}.",
    )


def _targets(figure: Figure) -> Iterator[str]:
    found = rows(figure)
    for title, year in documents(found):
        yield say(f"目标依据：{title}（{year} 年）。", f"Targets: {title} ({year}).")
    if any(row.remark and row.goal is not None for row in found):
        yield say(
            "本年度没有新的目标，仅作对照，不判定达标与否。",
            "This year has no target of its own: compared only, neither passed nor failed.",
        )
