"""`schoolpulse-agent equipment`: list the devices attached to this PC now."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
from collections.abc import Iterator

import msgspec

from agent import probes
from agent.commands.config_file import load_config
from agent.common import log, tables
from agent.common.command_line import DONE, FAILED, config_argument, json_argument
from agent.common.language import say
from agent.common.output import print_json
from agent.common.printable import shown
from agent.common.vocabulary import devices as words
from agent.config import Config
from agent.probes import Context, Gathered
from agent.probes.network import probe as network
from agent.wire.messages import Device

#: The probes that see devices.
_PROBES = tuple(name for name, probe in probes.PROBES.items() if probe.devices)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The form; settings are needed only for devices on the network."""
    config_argument(parser)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """List the devices; 1 when a probe failed."""
    log.configure("CRITICAL")  # `show` says why a probe failed
    config = load_config(args)
    context = Context(watched=config.devices, patient=True)
    code = show(look(config, context), as_json=args.json)
    for host, reason in network.unknowable(context).items():
        problem = say("问不到，不知道在不在", "cannot be queried, presence unknown")
        print(f"{shown(host)}: {problem}: {shown(words.note(reason))}", file=sys.stderr)
    return code


def look(config: Config, context: Context | None = None) -> Gathered:
    """What the enabled probes see now."""
    names = [name for name in _PROBES if name in config.probes.enabled]
    return probes.run(names, context or Context(watched=config.devices, patient=True))


def show(gathered: Gathered, *, as_json: bool) -> int:
    """Print what was seen; the exit code."""
    for timing in gathered.timings:
        if not timing.ok:
            problem = say("探测失败", "probe failed")
            print(f"{timing.probe}: {problem}: {shown(timing.reason)}", file=sys.stderr)
    found = [reading for reading in gathered.readings if isinstance(reading, Device)]
    if as_json:
        print_json(_json(found, gathered))
    else:
        print("\n".join(_text(found)))
    return FAILED if gathered.failed else DONE


def _json(found: list[Device], gathered: Gathered) -> str:
    whole = {"devices": found, "failed": gathered.failed}
    return msgspec.json.encode(whole).decode()


def _text(found: list[Device]) -> list[str]:
    if not found:
        return [say("没有发现任何设备", "no devices found")]
    rows = _filled([*_rows(found)])
    if sys.stdout.isatty() or "COLUMNS" in os.environ:
        columns = shutil.get_terminal_size().columns
        return [*tables.fitted(rows, columns), *_fixes(found)]
    return [*tables.lines(rows), *_fixes(found)]


def _rows(found: list[Device]) -> Iterator[tuple[str, ...]]:
    """What people ask for first comes first; the connector, which is for programs, last."""
    yield (
        say("种类", "kind"), say("名称", "name"), say("状态", "state"), say("连接", "connection"),
        say("型号", "model"), say("序列号", "serial"), say("尺寸", "size"),
        say("接口", "connector"),
    )  # fmt: skip
    for device in found:
        wide, high = device.width_cm, device.height_cm
        yield (
            words.kind(device.kind), device.name, _state(device),
            words.connection(device.connection), device.model, device.serial,
            "" if wide is None or high is None else f"{wide}×{high} cm", device.connector,
        )  # fmt: skip


def _filled(rows: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Without the columns that no device fills."""
    _, *devices = rows
    kept = [at for at, cells in enumerate(zip(*devices, strict=True)) if any(cells)]
    return [tuple(row[at] or tables.NONE for at in kept) for row in rows]


def _state(device: Device) -> str:
    """Absent, faulty, or its power; and what else it says."""
    if not device.present:
        return say("无应答", "no answer")
    fault = say("故障：", "fault: ") + words.fault(device.fault) if device.fault else ""
    power = "" if device.power == "unknown" else words.power(device.power)
    note = words.note(device.note) if device.note else ""
    return say("；", "; ").join(filter(None, (fault or power, note)))


def _fixes(found: list[Device]) -> Iterator[str]:
    """What to do about devices that are there and cannot be asked."""
    for device in found:
        if fix := words.fix(device.fault):
            yield f"{device.connector}: {words.fault(device.fault)} → {fix}"
