"""Signs of doubt: evidence that whoever holds a school's credential could have made up. Pure.

They change no verdict. A number counts machine ids (the most of one day), rows of evidence, tests,
or devices, as its words say.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

#: What a school's reports show as a whole, in the order in which they are listed.
SIGNS: Mapping[str, Words] = {
    "ids_beyond": Words(
        "机器号多出登记座位和教室所能容纳的（一天最多）",
        "machine ids beyond what registered seats and rooms explain (most of a day)",
    ),
    "ids_alike": Words(
        "计数、运行时长或毫秒数彼此相同的机器号（一天最多）",
        "machine ids with equal counters, uptimes or milliseconds (most of a day)",
    ),
    "ids_unnamed": Words(
        "从未报告电脑名称和配置的机器号（一天最多）",
        "machine ids that never said which PC they are (most of a day)",
    ),
    "ids_in_turn": Words(
        "同一教室里一个接一个出现、不同时在线的机器号（一天最多）",
        "machine ids of one room that came one after another (most of a day)",
    ),
    "late": Words(
        "事后 7 天以上才到达的依据", "evidence that arrived 7 days or more after its time"
    ),
    "other_network": Words(
        "来自线路登记网段之外的测试", "tests from outside the line's registered network"
    ),
    "other_machine": Words(
        "报告的电脑与服务器记录不同的测试",
        "tests reported by another PC than the server's record has",
    ),
    "record_limited": Words(
        "服务器记录称受服务器限制、报告称没有的测试",
        "tests limited by the server by its record, not by the report",
    ),
    "moved_device": Words(
        "先后出现在几间教室或几所学校的设备",
        "devices seen in several rooms or schools at different times",
    ),
}
#: For the heads of narrow columns: those that the store holds of each school's day.
SHORT: Mapping[str, Words] = {
    "ids_beyond": Words("机器号过多", "too many ids"),
    "ids_alike": Words("机器号雷同", "ids alike"),
    "ids_unnamed": Words("机器号无名", "ids unnamed"),
    "late": Words("迟到的依据", "late evidence"),
}
