"""`schoolpulse-agent equipment`: what is attached to this computer, seen now."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator

import msgspec

from agent import probes, table
from agent.probes import Gathered
from agent.wire.command_line import DONE, FAILED
from agent.wire.lang import say
from agent.wire.messages import Device

#: The probes that see devices.
_PROBES = ("displays", "sound")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form; no settings are needed."""
    parser.add_argument("--json", action="store_true", help=say("输出 JSON", "print JSON"))


def run(args: argparse.Namespace) -> int:
    """List the devices; 1 when a probe failed."""
    gathered = probes.run(_PROBES)
    for timing in gathered.timings:
        if not timing.ok:
            problem = say("探测失败", "the probe failed")
            print(f"{timing.probe}: {problem}: {timing.reason}", file=sys.stderr)
    found = [reading for reading in gathered.readings if isinstance(reading, Device)]
    print(_json(found, gathered) if args.json else "\n".join(_text(found)))
    return FAILED if gathered.failed else DONE


def _json(found: list[Device], gathered: Gathered) -> str:
    whole = {"devices": found, "failed": gathered.failed}
    return msgspec.json.encode(whole).decode()


def _text(found: list[Device]) -> list[str]:
    if not found:
        return [say("没有发现显示、声音设备", "no display and no sound device was found")]
    return table.lines(_rows(found))


def _rows(found: list[Device]) -> Iterator[tuple[str, ...]]:
    yield (
        say("种类", "kind"), say("接口", "connector"), say("名称", "name"),
        say("型号", "model"), say("序列号", "serial"), say("尺寸", "size"), say("说明", "note"),
    )  # fmt: skip
    for device in found:
        wide, high = device.width_cm, device.height_cm
        size = "—" if wide is None or high is None else f"{wide}×{high} cm"
        yield (
            _kind(device.kind), device.connector, device.name or "—",
            device.model or "—", device.serial or "—", size, device.note,
        )  # fmt: skip


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
    }
    return words.get(kind, kind)
