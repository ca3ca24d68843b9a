"""Equipment in words: one table for the agent and the city.

On the wire and in the stores stand codes, which are short English; `--lang en` shows them as
they are. What this table lacks, a device's own word or a newer agent's, is shown as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from agent.common.language import say

KINDS_ZH = {
    "computer": "计算机", "screen": "内置屏", "display": "显示设备", "monitor": "显示器",
    "projector": "投影机", "panel": "交互平板", "tv": "电视", "sound": "音箱",
    "microphone": "麦克风", "camera": "摄像头", "touch": "触摸框", "printer": "打印机",
    "document_camera": "实物展台",
}  # fmt: skip
_CONNECTIONS_ZH = {"internal": "内置", "network": "网络"}
_POWERS_ZH = {"on": "开", "standby": "待机", "off": "关", "unknown": "未知"}
_FAULTS_ZH = {
    "fan": "风扇", "lamp": "灯泡", "temperature": "温度", "cover": "机盖", "filter": "滤网",
    "other": "其他", "failure": "整机故障",
    "no paper": "缺纸", "no toner": "缺墨粉", "door open": "盖门未关", "jammed": "卡纸",
    "offline": "脱机", "service": "需要维修", "low paper": "纸少", "low toner": "墨粉少",
    "password refused": "密码不对", "password missing": "要密码，没有配置",
    "PJLink closed": "PJLink 没有打开", "not PJLink": "应答的不是 PJLink",
    "SNMP silent": "SNMP 不应答", "SNMP not installed": "没有装 SNMP 库",
}  # fmt: skip
#: Faults of asking, not of the device: it is there, and cannot be asked. With the mend.
CANNOT_BE_ASKED: Mapping[str, tuple[str, str]] = {
    "password refused": (
        "改代理 agent.toml 里这台设备的 password，与设备菜单里的 PJLink 密码一致",
        "set the device's password in agent.toml to that of its PJLink menu",
    ),
    "password missing": (
        "在代理 agent.toml 里给这台设备写上 password",
        "give the device its password in agent.toml",
    ),
    "PJLink closed": (
        "在设备菜单里打开网络控制（PJLink），核对地址和端口",
        "open network control (PJLink) in its menu; check address and port",
    ),
    "not PJLink": (
        "核对地址和端口：那里是别的设备",
        "check address and port: it is another device",
    ),
    "SNMP silent": (
        "在设备上打开 SNMP，核对团体名（password）",
        "open SNMP on the device; check the community (password)",
    ),
    "SNMP not installed": (
        "在那台电脑上运行 pip install 'schoolpulse[snmp]'",
        "run pip install 'schoolpulse[snmp]' on that PC",
    ),
}
_NOTES_ZH = {
    r"(.+): warning": "{fault}：警告",
    r"cooling down": "正在散热",
    r"warming up": "正在预热",
    r"the port is closed": "端口没有打开",
    r"no such name": "没有这个主机名",
    r"no network": "这台电脑没有网络",
    r"no EDID": "没有 EDID",
    r"no EDID header": "EDID 没有开头",
    r"EDID truncated: (\d+) of (\d+) bytes": "EDID 不全：{0}/{1} 字节",
    r"EDID checksum wrong": "EDID 校验和不对",
    r"EDID extension (\d+) checksum wrong": "EDID 第 {0} 个扩展校验和不对",
    r"EDID extensions: (\d+) declared, (\d+) present": "EDID 扩展：应有 {0} 个，实有 {1} 个",
    r"EDID maker is no PNP id: (\w+)": "EDID 的厂商码不合规：{0}",
    r"EDID text (\w+) is in no known code": "EDID 文字 {0} 编码不明",
    r"DisplayID section longer than its block": "DisplayID 超出所在的块",
    r"DisplayID checksum wrong": "DisplayID 校验和不对",
}
_NOTES = {re.compile(code): zh for code, zh in _NOTES_ZH.items()}


def kind(code: str) -> str:
    """A kind of device."""
    return say(KINDS_ZH.get(code, code), code.replace("_", " "))


def connection(code: str) -> str:
    """How a device is connected; empty where that is not told."""
    return say(_CONNECTIONS_ZH.get(code, code), code)


def power(code: str) -> str:
    """A power state."""
    return say(_POWERS_ZH.get(code, code), code)


def fault(codes: str) -> str:
    """A device's faults, by comma."""
    return say("、".join(_FAULTS_ZH.get(code, code) for code in codes.split(", ")), codes)


def mend(codes: str) -> str:
    """What IT staff do about it; empty where the device itself must be repaired."""
    found = [say(*CANNOT_BE_ASKED[code]) for code in codes.split(", ") if code in CANNOT_BE_ASKED]
    return say("；", "; ").join(found)


def note(codes: str) -> str:
    """Notes on a device, by semicolon."""
    return say("；".join(map(_note, codes.split("; "))), codes)


def _note(code: str) -> str:
    for known, zh in _NOTES.items():
        if match := known.fullmatch(code):
            told = match.groups()
            return zh.format(*told, fault=fault(told[0]) if told else "")
    return code
