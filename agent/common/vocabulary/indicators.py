"""The three indicators, their shares and what they count. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.thresholds import THRESHOLD_MBPS, label, number
from agent.common.vocabulary.words import Words

#: By id, with T in the place of the threshold.
_TITLES: Mapping[str, tuple[str, str]] = {
    "multimedia": ("中小学班级多媒体设备配备率", "Classes with multimedia equipment"),
    "computer_room": ("学校计算机教室配备率", "Schools with a computer room"),
    "line": ("{label} 以上带宽接入比例", "Schools with a line of {mbps} Mbit/s or more"),
}
INDICATORS = tuple(_TITLES)
#: For the heads of columns, and for what an inspection names.
SHORT: Mapping[str, Words] = {
    "multimedia": Words("多媒体", "multimedia"),
    "computer_room": Words("计算机教室", "computer room"),
    "line": Words("带宽", "line"),
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
    """The indicator's name; the line's is made from the threshold in force."""
    called = {"label": label(threshold_mbps), "mbps": number(threshold_mbps)}
    zh, en = _TITLES[indicator]
    return Words(zh.format(**called), en.format(**called))
