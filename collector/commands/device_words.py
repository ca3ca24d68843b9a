"""A device's state in words, the same in every list."""

from __future__ import annotations

from agent.wire.lang import say
from collector.commands import listing
from collector.inventory.devices import Device
from collector.roster.words import KINDS_ZH

HEADINGS: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("room", "教室", "room"), ("kind", "种类", "kind"),
    ("model", "型号", "model"), ("serial", "序列号", "serial"),
    ("presence", "在否", "present"), ("presence_ms", "自", "since"),
    ("power", "电源", "power"), ("power_ms", "自", "since"),
    ("working", "使用", "working"), ("working_ms", "自", "since"), ("fault", "故障", "fault"),
    ("machine", "机器号", "machine"),
)  # fmt: skip


def row(one: Device) -> listing.Row:
    """A device as a row of `HEADINGS`; times in ms since 1970 UTC."""
    state = one.state
    return {
        "school": one.school,
        "room": one.room,
        "kind": kind(one.kind),
        "model": one.model,
        "maker": one.maker,
        "serial": one.serial,
        "connector": one.connector,
        "presence": _presence(state.presence),
        "presence_ms": state.presence_since,
        "power": _power(state.power),
        "power_ms": state.power_since,
        "working": _working(state.working),
        "working_ms": state.working_since,
        "fault": state.fault,
        "machine": one.machine,
        "device": one.device,
    }


def kind(name: str) -> str:
    """A kind of device."""
    return say(KINDS_ZH.get(name, "内置屏" if name == "screen" else name), name)


def _presence(value: str) -> str:
    words = {"present": say("在", "present"), "missing": say("不在", "missing")}
    return words.get(value, say("未知", "unknown"))


def _power(value: str) -> str:
    words = {"on": say("开", "on"), "standby": say("待机", "standby"), "off": say("关", "off")}
    return words.get(value, say("未知", "unknown"))


def _working(value: str) -> str:
    words = {
        "fault": say("故障", "fault"),
        "used": say("在用", "used"),
        "idle": say("闲置", "idle"),
    }
    return words.get(value, say("未知", "unknown"))
