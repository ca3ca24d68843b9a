"""The columns of a line, as its day's row in the store has them. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

#: Meets the threshold, and is full most of the time.
CONGESTED = Words("达标但拥塞", "congested")
COLUMNS: Mapping[str, Words] = {
    "line": Words("线路", "line"),
    "contract_mbps": Words("合同带宽", "contract"),
    "p90_mbps": Words("实测（90 百分位）", "measured (p90)"),
    "median_mbps": Words("课外中位数", "quiet median"),
    "lesson_mbps": Words("课内中位数", "lesson median"),
    "tests": Words("有效测试", "valid tests"),
    "days": Words("测试天数", "test days"),
    "verdict": Words("结论", "verdict"),
    "congested": CONGESTED,
}
