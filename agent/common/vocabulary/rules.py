"""The rules whose steps explain a verdict. Codes as `Step.rule` of the collector. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

RULES: Mapping[str, Words] = {
    "room": Words("教室", "room"),
    "computer_room": Words("计算机教室", "computer room"),
    "line": Words("线路", "line"),
    "refused": Words("不作证据的测试", "refused tests"),
    "earlier": Words("窗口以前", "before the window"),
    "cleared": Words("已消除", "cleared"),
    "doubts": Words("有疑点的测试", "tests in doubt"),
    "device": Words("多处出现的设备", "a device in several rooms"),
    "campus": Words("校区", "campus"),
    "inspection": Words("现场核查", "inspection"),
    "register": Words("台账", "register"),
    "verdict": Words("结论", "verdict"),
}
