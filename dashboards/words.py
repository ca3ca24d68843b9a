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
