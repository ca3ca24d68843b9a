"""`schoolpulse-agent once`: one report, printed. Needs no config and no broker."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from agent import identity, renewed
from agent.commands.config_file import load_config
from agent.common import tables
from agent.common.command_line import DONE, config_argument, json_argument
from agent.common.language import say
from agent.common.output import print_json
from agent.common.vocabulary import devices as words
from agent.common.vocabulary.states import NICS
from agent.common.vocabulary.words import word
from agent.config import Config
from agent.identity import Identity
from agent.resident.gather import Gatherer, health
from agent.wire.codec import encode
from agent.wire.messages import VERSION, AgentHealth, Device, Host, Inventory, Report

_Row = tuple[str, str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are, and the form."""
    config_argument(parser)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Gather once, and print the report."""
    config = load_config(args)
    who = identity.identify(keys=renewed.source_keys(config))
    report = _report(config, who)
    if args.json:
        print_json(encode(report).decode())
    else:
        print("\n".join(tables.lines(_rows(config, who.machine, report))))
    return DONE


def _report(config: Config, who: Identity) -> Report:
    """A report as it would be sent, but with this PC's own time."""
    inventory = identity.inventory(weak=who.weak, room=config.room)
    readings, failed = Gatherer(config.probes.enabled, config.devices, patient=True).all(inventory)
    ran = tuple(name for name in config.probes.enabled if name not in failed)
    own = health(failed=failed, room=config.room, weak=who.weak, ran=ran, sources=who.digests)
    return Report(v=VERSION, time=tables.now_ms(), readings=(*readings, own), uncertain=True)


def _rows(config: Config, machine: str, report: Report) -> Iterator[_Row]:
    yield say("学校", "school"), config.school or say("（未配置）", "(not set)")
    yield say("机器号", "machine id"), machine
    yield say("时间（本机时钟）", "time (this PC's clock)"), tables.moment(report.time)
    for reading in report.readings:
        if isinstance(reading, Host):
            yield from _host(reading)
        elif isinstance(reading, Device):
            yield say("设备", "device"), _device(reading)
        elif isinstance(reading, AgentHealth):
            yield from _health(reading)


def _host(host: Host) -> Iterator[_Row]:
    if host.inventory is not None:
        yield from _inventory(host.inventory)
    if host.cpu_percent is not None:
        yield say("处理器占用", "processor load"), f"{host.cpu_percent:.0f}%"
    used, total = tables.size(host.memory_used), tables.size(host.memory_total)
    yield say("内存", "memory"), f"{used} / {total}"
    yield say("系统盘", "disk"), f"{tables.size(host.disk_used)} / {tables.size(host.disk_total)}"
    if host.uptime_s is not None:
        yield say("开机时长", "uptime"), tables.span(host.uptime_s)
    for nic in host.nics:
        state = say("已连接", "up") if nic.up else say("未连接", "down")
        speed = "" if nic.link_mbps is None else f", {nic.link_mbps:g} Mbit/s"
        kind = word(NICS, nic.kind)
        yield say("网卡", "interface"), f"{nic.name} ({kind}, {state}{speed})"


def _inventory(inventory: Inventory) -> Iterator[_Row]:
    yield say("主机名", "host name"), inventory.hostname
    yield say("系统", "system"), f"{inventory.os} {inventory.os_version}".strip()
    model = f"{inventory.maker} {inventory.model}".strip()
    if model:
        yield say("型号", "model"), model
    if inventory.cpu:
        yield say("处理器", "processor"), f"{inventory.cpu} ({inventory.cores or '?'})"
    if inventory.weak_id:
        yield (
            say("机器号来源", "machine id from"),
            say("系统编号（弱：读不到硬件编号）", "the system's id (weak: no hardware id found)"),
        )


def _device(device: Device) -> str:
    what = " ".join(filter(None, (device.maker, device.model or device.name)))
    notes = [words.kind(device.kind), device.connector, what]
    notes += [] if device.present else [say("不在", "absent")]
    notes += [say("故障：", "fault: ") + words.fault(device.fault)] if device.fault else []
    return ", ".join(filter(None, notes))


def _health(health: AgentHealth) -> Iterator[_Row]:
    yield say("代理", "agent"), f"{health.version}, {tables.size(health.rss_bytes)}"
    for name in health.failed_probes:
        yield say("探测失败", "probe failed"), name
