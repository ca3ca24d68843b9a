"""The indicators that are known, their names, their shares and what they count. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agent.common.vocabulary.thresholds import THRESHOLD_MBPS, label, number
from agent.common.vocabulary.words import Words


class Known(NamedTuple):
    """An indicator: the rule that judges it, what one unit is, and its names.

    `{label}` and `{mbps}` of the names stand for the threshold in force. `threshold_mbps` is that
    of a line; None: the setting `[figure] threshold_mbps`, or no line.
    """

    rule: str
    unit: str  # of UNITS
    title: Words
    short: Words
    threshold_mbps: float | None = None


_LINE = Words("{label} 以上带宽接入比例", "Schools with a line of {mbps} Mbit/s or more")
_SHORT_LINE = Words("{label} 带宽", "{label} line")
#: What can be judged, by id. The first three are the default.
KNOWN: Mapping[str, Known] = {
    "multimedia": Known(
        "multimedia", "class",
        Words("中小学班级多媒体设备配备率", "Classes with multimedia equipment"),
        Words("多媒体", "multimedia"),
    ),
    "computer_room": Known(
        "computer_room", "school",
        Words("学校计算机教室配备率", "Schools with a computer room"),
        Words("计算机教室", "computer room"),
    ),
    "line": Known("line", "school", _LINE, Words("带宽", "line")),
    "line_100": Known("line", "school", _LINE, _SHORT_LINE, 100.0),
    "line_1000": Known("line", "school", _LINE, _SHORT_LINE, 1000.0),
    "connected": Known(
        "connected", "school",
        Words("学校联网率", "Schools on the Internet"), Words("联网", "online"),
    ),
    "all_classes": Known(
        "all_classes", "school",
        Words("全部班级配备多媒体的学校比例", "Schools with multimedia in every class"),
        Words("班班多媒体", "all classes"),
    ),
    "any_room": Known(
        "any_room", "school",
        Words("拥有多媒体教室的学校比例", "Schools with a multimedia room"),
        Words("多媒体教室", "multimedia room"),
    ),
    "resource_package": Known(
        "resource_package", "school",
        Words("教学点资源包配备率", "Teaching points with the resource package"),
        Words("资源包", "resource package"),
    ),
    "teacher_space": Known(
        "teacher_space", "teacher",
        Words("专任教师网络空间开通率", "Teachers with a network space"),
        Words("网络空间", "network space"),
    ),
}  # fmt: skip
#: Judged where the settings name no others.
INDICATORS = ("multimedia", "computer_room", "line")
#: What one unit is, as it stands behind a number.
UNITS: Mapping[str, Words] = {
    "class": Words("个班级", "classes"),
    "school": Words("所学校", "schools"),
    "teacher": Words("位教师", "teachers"),
}
SHARES: Mapping[str, Words] = {
    "verified_share": Words("核实率", "verified share"),
    "reported_share": Words("上报率", "reported share"),
    "ceiling_share": Words("上限", "ceiling"),
    "unknown_share": Words("未知率", "unknown share"),
    "target": Words("目标", "target"),
}
#: For the heads of narrow columns.
SHORT_SHARES: Mapping[str, Words] = {
    "verified_share": Words("核实率", "verified"),
    "reported_share": Words("上报率", "reported"),
    "ceiling_share": Words("上限", "ceiling"),
    "unknown_share": Words("未知率", "unknown"),
    "target": Words("目标", "target"),
}


def title(indicator: str, threshold_mbps: float = THRESHOLD_MBPS) -> Words:
    """The indicator's name, made from the threshold; one of our users' own is a line's."""
    return _made(KNOWN.get(indicator, KNOWN["line"]).title, threshold_mbps)


def short(indicator: str, threshold_mbps: float = THRESHOLD_MBPS) -> Words:
    """The same for the head of a column."""
    known = KNOWN.get(indicator)
    return _made(known.short if known else _SHORT_LINE, threshold_mbps)


def _made(words: Words, threshold_mbps: float) -> Words:
    called = {"label": label(threshold_mbps), "mbps": number(threshold_mbps)}
    return Words(words.zh.format(**called), words.en.format(**called))


#: For what an inspection names, which tells a line's threshold by itself where it has one.
SHORT: Mapping[str, Words] = {
    name: short(name, known.threshold_mbps or THRESHOLD_MBPS) for name, known in KNOWN.items()
}
