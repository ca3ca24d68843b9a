"""Types of schools and rooms; the register keeps the Chinese word as its code. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

TYPES: Mapping[str, Words] = {
    zh: Words(zh, en)
    for zh, en in {
        "小学": "primary school",
        "初中": "junior secondary school",
        "九年一贯制": "nine-year school",
        "完全中学": "complete secondary school",
        "高中": "senior secondary school",
        "十二年一贯制": "twelve-year school",
        "教学点": "teaching point",
        "幼儿园": "kindergarten",
        "中职": "secondary vocational school",
        "特殊教育": "special school",
    }.items()
}
ROOM_TYPES: Mapping[str, Words] = {
    zh: Words(zh, en)
    for zh, en in {
        "普通教室": "classroom",
        "多媒体教室": "multimedia room",
        "计算机教室": "computer room",
    }.items()
}
