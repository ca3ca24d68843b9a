"""What a reader of a board sees, as pairs; a board is built once in each language."""

from __future__ import annotations

from typing import Literal, NamedTuple

Lang = Literal["zh", "en"]
LANGS: tuple[Lang, ...] = ("zh", "en")


class Words(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str

    def of(self, lang: Lang) -> str:
        """The text in one language."""
        return self.zh if lang == "zh" else self.en


INDICATORS = {
    "multimedia": Words("班级多媒体设备配备率", "Classes with multimedia equipment"),
    "computer_room": Words("学校计算机教室配备率", "Schools with a computer room"),
    "line_10m": Words("10M 以上带宽接入比例", "Schools with a line of 10 Mbit/s or more"),
}
VERDICTS = {
    "verified": Words("已核实", "verified"),
    "inspected": Words("现场核查", "inspected"),
    "declared": Words("仅申报", "declared"),
    "contradicted": Words("与申报不符", "contradicted"),
    "short": Words("未配备", "short"),
    "unknown": Words("未知", "unknown"),
}
SHARES = {
    "verified_share": Words("核实率", "verified share"),
    "reported_share": Words("上报率", "reported share"),
    "ceiling_share": Words("上限", "ceiling"),
    "unknown_share": Words("未知", "unknown"),
    "target": Words("目标", "target"),
}
LINE = {
    "line": Words("线路", "line"),
    "contract_mbps": Words("合同带宽", "contract"),
    "p90_mbps": Words("实测（90 百分位）", "measured (p90)"),
    "median_mbps": Words("课外中位数", "quiet median"),
    "lesson_mbps": Words("课堂中位数", "lesson median"),
    "tests": Words("有效测试", "valid tests"),
    "days": Words("测试天数", "test days"),
    "verdict": Words("结论", "verdict"),
    "congested": Words("达标但拥塞", "congested"),
}
#: event, its word, its colour
EVENTS = (
    ("appeared", Words("出现", "appeared"), "#0072B2"),
    ("gone", Words("不见", "gone"), "#E69F00"),
    ("fault", Words("故障", "fault"), "#D55E00"),
    ("repaired", Words("修复", "repaired"), "#009E73"),
    ("withdrawn", Words("撤回", "withdrawn"), "#8C8C8C"),
)
KINDS = {
    "projector": Words("投影机", "projector"),
    "panel": Words("交互平板", "panel"),
    "tv": Words("电视", "TV"),
    "display": Words("外接显示", "display"),
    "monitor": Words("显示器", "monitor"),
    "screen": Words("内置屏", "screen"),
    "sound": Words("扬声器", "sound output"),
    "microphone": Words("麦克风", "microphone"),
    "camera": Words("摄像头", "camera"),
    "touch": Words("触控", "touch"),
    "printer": Words("打印机", "printer"),
    "document_camera": Words("展台", "document camera"),
}

#: InfluxQL counts nothing and no data alike: with no row. A board must not call both well.
ZERO = Words("0 或无数据", "0 or no data")
#: An empty table of troubles is good news only where data come in: a board must not say more.
NOTHING = Words(
    "没有要做的事；前提是有数据：看运维看板上采集服务刚刚写过",
    "nothing to do, as long as data come in: see on Operations that the collector wrote just now",
)
