"""`schoolpulse-agent equipment`: what is attached to this computer, seen now."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import msgspec

from agent import config as settings
from agent import probes, table
from agent.config import Config
from agent.probes import Context, Gathered
from agent.wire.command_line import DONE, FAILED
from agent.wire.lang import say
from agent.wire.messages import Device

#: The probes that see devices.
_PROBES = tuple(name for name in probes.PROBES if name != "host")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form; settings are needed only for devices on the network."""
    parser.add_argument("--config", metavar="FILE", help=say("配置文件", "the config file"))
    parser.add_argument("--json", action="store_true", help=say("输出 JSON", "print JSON"))


def run(args: argparse.Namespace) -> int:
    """List the devices; 1 when a probe failed."""
    config, warnings = settings.load(args.config, need_school=False)
    for warning in warnings:
        print(warning, file=sys.stderr)
    return show(look(config), as_json=args.json)


def look(config: Config, context: Context | None = None) -> Gathered:
    """What the enabled probes see now."""
    names = [name for name in _PROBES if name in config.probes.enabled]
    return probes.run(names, context or Context(watched=config.devices, patient=True))


def show(gathered: Gathered, *, as_json: bool) -> int:
    """Print what was seen; the exit code."""
    for timing in gathered.timings:
        if not timing.ok:
            problem = say("探测失败", "the probe failed")
            print(f"{timing.probe}: {problem}: {timing.reason}", file=sys.stderr)
    found = [reading for reading in gathered.readings if isinstance(reading, Device)]
    print(_json(found, gathered) if as_json else "\n".join(_text(found)))
    return FAILED if gathered.failed else DONE


def _json(found: list[Device], gathered: Gathered) -> str:
    whole = {"devices": found, "failed": gathered.failed}
    return msgspec.json.encode(whole).decode()


def _text(found: list[Device]) -> list[str]:
    if not found:
        return [say("没有发现任何设备", "no device was found")]
    return table.lines(_rows(found))


def _rows(found: list[Device]) -> Iterator[tuple[str, ...]]:
    yield (
        say("种类", "kind"), say("接口", "connector"), say("连接", "connection"),
        say("名称", "name"), say("型号", "model"), say("序列号", "serial"), say("尺寸", "size"),
        say("状态", "state"), say("说明", "note"),
    )  # fmt: skip
    for device in found:
        wide, high = device.width_cm, device.height_cm
        size = "—" if wide is None or high is None else f"{wide}×{high} cm"
        yield (
            _kind(device.kind), device.connector, device.connection or "—", device.name or "—",
            device.model or "—", device.serial or "—", size, _state(device), device.note,
        )  # fmt: skip


def _state(device: Device) -> str:
    """Absent, faulty, or its power."""
    if not device.present:
        return say("无应答", "silent")
    if device.fault:
        return say("故障：", "fault: ") + device.fault
    powers = {"on": say("开", "on"), "standby": say("待机", "standby"), "off": say("关", "off")}
    return powers.get(device.power, "—")


def _kind(kind: str) -> str:
    words = {
        "screen": say("内置屏", "screen"),
        "display": say("外接显示", "display"),
        "monitor": say("显示器", "monitor"),
        "projector": say("投影机", "projector"),
        "panel": say("交互大屏", "panel"),
        "tv": say("电视", "TV"),
        "sound": say("声音输出", "sound"),
        "microphone": say("麦克风", "microphone"),
        "camera": say("摄像头", "camera"),
        "touch": say("触摸", "touch"),
        "printer": say("打印机", "printer"),
        "document_camera": say("实物展台", "document camera"),
    }
    return words.get(kind, kind)
