"""Equipment: kinds, connections, powers, faults and notes, in codes and words. Pure.

The fields `fault` and `note` of `device` hold codes: faults by comma, notes by semicolon, each
note as `code` or `code=what it was`. A device's own word is shown as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from agent.common.language import say
from agent.common.vocabulary.words import SEPARATOR, Words, combined, listed, word

KINDS: Mapping[str, Words] = {
    "computer": Words("计算机", "computer"),
    "screen": Words("内置屏", "screen"),
    "display": Words("显示设备", "display"),
    "monitor": Words("显示器", "monitor"),
    "projector": Words("投影机", "projector"),
    "panel": Words("交互平板", "panel"),
    "panel_without_pc": Words("交互平板（无内置电脑）", "panel without a PC"),
    "tv": Words("电视", "TV"),
    "sound": Words("音箱", "sound"),
    "microphone": Words("麦克风", "microphone"),
    "camera": Words("摄像头", "camera"),
    "touch": Words("触摸框", "touch"),
    "printer": Words("打印机", "printer"),
    "document_camera": Words("实物展台", "document camera"),
}
KINDS_ZH: Mapping[str, str] = {code: words.zh for code, words in KINDS.items()}
CONNECTIONS: Mapping[str, Words] = {
    "internal": Words("内置", "internal"),
    "network": Words("网络", "network"),
}
POWERS: Mapping[str, Words] = {
    "on": Words("开", "on"),
    "standby": Words("待机", "standby"),
    "off": Words("关", "off"),
    "unknown": Words("未知", "unknown"),
}
#: What a projector reports by PJLink; any of them together, in this order.
PROJECTOR_FAULTS: Mapping[str, Words] = {
    "fan": Words("风扇", "fan"),
    "lamp": Words("灯泡", "lamp"),
    "temperature": Words("温度", "temperature"),
    "cover": Words("机盖", "cover"),
    "filter": Words("滤网", "filter"),
    "other": Words("其他", "other"),
    "failure": Words("整机故障", "failure"),
}
#: What a printer reports by SNMP; likewise.
PRINTER_FAULTS: Mapping[str, Words] = {
    "no_paper": Words("缺纸", "no paper"),
    "no_toner": Words("缺墨粉", "no toner"),
    "door_open": Words("盖门未关", "door open"),
    "jammed": Words("卡纸", "jammed"),
    "offline": Words("脱机", "offline"),
    "service": Words("需要维修", "service"),
}
#: What a printer warns of.
PRINTER_WARNINGS: Mapping[str, Words] = {
    "low_paper": Words("纸少", "low paper"),
    "low_toner": Words("墨粉少", "low toner"),
}
#: Faults of asking, not of the device: it is there, and cannot be asked. One at a time.
CANNOT_BE_ASKED: Mapping[str, Words] = {
    "password_refused": Words("密码不对", "password refused"),
    "password_missing": Words("要密码，没有配置", "password missing"),
    "pjlink_closed": Words("PJLink 没有打开", "PJLink closed"),
    "not_pjlink": Words("应答的不是 PJLink", "not PJLink"),
    "snmp_silent": Words("SNMP 不应答", "SNMP silent"),
    "snmp_not_installed": Words("没有装 SNMP 库", "SNMP not installed"),
}
FAULTS: Mapping[str, Words] = {
    **PROJECTOR_FAULTS, **PRINTER_FAULTS, **PRINTER_WARNINGS, **CANNOT_BE_ASKED,
}  # fmt: skip
#: What IT staff do about it.
FIXES: Mapping[str, Words] = {
    "password_refused": Words(
        "改代理 agent.toml 里这台设备的 password，与设备菜单里的 PJLink 密码一致",
        "set the device's password in agent.toml to that of its PJLink menu",
    ),
    "password_missing": Words(
        "在代理 agent.toml 里给这台设备写上 password",
        "give the device its password in agent.toml",
    ),
    "pjlink_closed": Words(
        "在设备菜单里打开网络控制（PJLink），核对地址和端口",
        "open network control (PJLink) in its menu; check address and port",
    ),
    "not_pjlink": Words(
        "核对地址和端口：那里是别的设备",
        "check address and port: it is another device",
    ),
    "snmp_silent": Words(
        "在设备上打开 SNMP，核对团体名（password）",
        "open SNMP on the device; check the community (password)",
    ),
    "snmp_not_installed": Words(
        "在那台电脑上给代理的 Python 装上 pysnmp（约束见 constraints.txt）",
        "install pysnmp into the agent's Python on that PC (version: constraints.txt)",
    ),
}
#: {0} is what stands behind the `=`, {1} the second part of it behind a slash.
NOTES: Mapping[str, Words] = {
    "warning": Words("{0}：警告", "{0}: warning"),
    "cooling_down": Words("正在散热", "cooling down"),
    "warming_up": Words("正在预热", "warming up"),
    "port_closed": Words("端口没有打开", "the port is closed"),
    "answered": Words("应答：{0}", "it answered {0}"),
    "no_such_name": Words("没有这个主机名", "no such name"),
    "no_network": Words("这台电脑没有网络", "this PC has no network"),
    "no_edid": Words("没有 EDID", "no EDID"),
    "no_edid_header": Words("EDID 没有开头", "no EDID header"),
    "edid_truncated": Words("EDID 不全：{0}/{1} 字节", "EDID truncated: {0} of {1} bytes"),
    "edid_checksum": Words("EDID 校验和不对", "EDID checksum wrong"),
    "edid_extension_checksum": Words(
        "EDID 第 {0} 个扩展校验和不对", "EDID extension {0} checksum wrong"
    ),
    "edid_extensions": Words(
        "EDID 扩展：应有 {0} 个，实有 {1} 个", "EDID extensions: {0} declared, {1} present"
    ),
    "edid_maker": Words("EDID 的厂商码不合规：{0}", "EDID maker is no PNP id: {0}"),
    "edid_text": Words("EDID 文字 {0} 编码不明", "EDID text {0} is in no known code"),
    "displayid_too_long": Words(
        "DisplayID 超出所在的块", "DisplayID section longer than its block"
    ),
    "displayid_checksum": Words("DisplayID 校验和不对", "DisplayID checksum wrong"),
}
#: What agents wrote for faults before there were codes.
OLD: Mapping[str, str] = {
    words.en: code
    for code, words in {**PRINTER_FAULTS, **PRINTER_WARNINGS, **CANNOT_BE_ASKED}.items()
    if words.en != code
}


def kind(code: str) -> str:
    """A kind of device."""
    return word(KINDS, code)


def connection(code: str) -> str:
    """How a device is connected; empty where that is not known."""
    return word(CONNECTIONS, code)


def power(code: str) -> str:
    """A power state."""
    return word(POWERS, code)


def codes(text: str) -> str:
    """The faults of a stored text as codes, whichever version wrote it."""
    return SEPARATOR.join(OLD.get(part, part) for part in text.split(SEPARATOR)) if text else ""


def fault_words(text: str) -> Words:
    """A device's faults, by comma."""
    return listed([_known(code) for code in codes(text).split(SEPARATOR)])


def fault(text: str) -> str:
    """A device's faults in the language in force."""
    return str(fault_words(text))


def _known(code: str) -> Words:
    return FAULTS.get(code, Words(code, code))


def fix(text: str) -> str:
    """What IT staff do about it; empty where the device itself must be repaired."""
    found = [str(FIXES[code]) for code in codes(text).split(SEPARATOR) if code in FIXES]
    return say("；", "; ").join(found)


def stored_faults() -> Iterator[tuple[str, Words]]:
    """Every text that the fault of a device can be, and its words."""
    yield from combined(PROJECTOR_FAULTS, tuple(PROJECTOR_FAULTS))
    yield from combined(PRINTER_FAULTS, tuple(PRINTER_FAULTS))
    yield from CANNOT_BE_ASKED.items()


def note(text: str) -> str:
    """Notes on a device, by semicolon."""
    return say("；", "; ").join(map(_note, text.split("; ")))


def _note(text: str) -> str:
    code, _, what = text.partition("=")
    if code not in NOTES:
        return text
    form = str(NOTES[code])
    parts = what.split("/", 1) if "{1}" in form else [what]
    if code == "warning":
        parts = [fault(what)]
    return form.format(*parts) if len(parts) > form.count("{1}") else text
