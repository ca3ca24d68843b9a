"""What becomes of a device: present, in use, changed, and not as the register has it. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

_GONE = Words("不见", "missing")
_FAULT = Words("故障", "fault")
_UNKNOWN = Words("未知", "unknown")

PRESENCES: Mapping[str, Words] = {
    "present": Words("在", "present"),
    "off": Words("关着", "off"),
    "missing": _GONE,
    "unknown": _UNKNOWN,
}
WORKING: Mapping[str, Words] = {
    "fault": _FAULT,
    "used": Words("在用", "used"),
    "idle": Words("闲置", "idle"),
    "unknown": _UNKNOWN,
}
EVENTS: Mapping[str, Words] = {
    "appeared": Words("出现", "appeared"),
    "gone": Words(_GONE.zh, "gone"),
    "fault": _FAULT,
    "repaired": Words("修复", "repaired"),
    "withdrawn": Words("撤回", "withdrawn"),
}
#: The register against what was seen.
DIFFERENCES: Mapping[str, Words] = {
    "never_seen": Words("登记了，没见过", "owned, never seen"),
    "not_owned": Words("见到了，没登记", "seen, not owned"),
    "moved": Words("换了教室", "moved"),
    "no_such_room": Words("配置的教室不在台账", "configured room not in the register"),
}
#: Kinds of network interfaces, as a report has them.
NICS: Mapping[str, Words] = {
    "wired": Words("有线", "wired"),
    "wifi": Words("无线", "Wi-Fi"),
    "loopback": Words("回环", "loopback"),
    "virtual": Words("虚拟", "virtual"),
    "other": Words("其他", "other"),
}
