"""What the store has about this machine; every number was measured on it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from rich.console import Console

from agent.common.language import say
from agent.common.vocabulary import reasons
from agent.common.vocabulary.words import word
from collector.commands.tables import CleanTable
from collector.demo.school import CODE, NAME
from collector.store import Point, Store, Value

_EVER = 2**62
_GIB = 2**30
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Seen:
    """The newest values of each measurement about this machine."""

    machine: str = ""
    reports: int = 0
    agent: dict[str, Value] = field(default_factory=dict)
    host: dict[str, Value] = field(default_factory=dict)
    test: dict[str, Value] = field(default_factory=dict)
    record: dict[str, Value] = field(default_factory=dict)
    day: Point | None = None
    devices: tuple[str, ...] = ()
    simulated: bool = False  # whether any of these rows is; none may be


def read(store: Store) -> Seen:
    """Read this machine's rows.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    agent = _points(store, "agent")
    host, days = _points(store, "host"), _points(store, "machine_day")
    tests, records = _points(store, "line_test"), _points(store, "line_record")
    devices = _points(store, "device")
    rows = [*agent, *host, *days, *tests, *records, *devices]
    return Seen(
        machine=agent[-1].tags["machine"] if agent else "",
        reports=len(agent),
        agent=_merged(agent),
        host=_merged(host),
        test=_merged(tests[-1:]),
        record=_merged(records[-1:]),
        day=days[-1] if days else None,
        devices=tuple(sorted({_device(point) for point in devices})),
        simulated=any(point.fields.get("simulated") is True for point in rows),
    )


def reported(store: Store) -> bool | None:
    """True if a report of this machine is stored, else None."""
    return True if _points(store, "host") else None


def tested(store: Store) -> dict[str, Value] | None:
    """The line test's fields, if the agent's and the server's row are both stored, else None."""
    tests = {str(point.fields.get("test")): point for point in _points(store, "line_test")}
    records = {str(point.fields.get("test")) for point in _points(store, "line_record")}
    ended = [p for test, p in tests.items() if test in records or p.fields.get("outcome") != "ok"]
    return dict(ended[-1].fields) if ended else None


def show(console: Console, seen: Seen) -> None:
    """Print a table of this machine's values."""
    title = say("本机（真实数据，不是模拟）", "This machine (real, not simulated)")
    table = CleanTable(title=title, title_justify="left", title_style="bold")
    table.add_column(say("项目", "item"), no_wrap=True)
    table.add_column(say("数值", "value"), overflow="fold")
    table.add_column(say("来源", "source"), style="dim", no_wrap=True)
    for row in _rows(seen):
        table.add_row(*row)
    console.print(table)


def _rows(seen: Seen) -> list[tuple[str, str, str]]:
    host, test, record = seen.host, seen.test, seen.record
    room = seen.day.tags.get("room", "") if seen.day else ""
    probe, server = say("代理探测", "agent probe"), say("测速服务器记录", "server record")
    line = say("线路测试（回环）", "line test (loopback)")
    return [
        (say("学校", "school"), f"{NAME} {CODE}", say("台账", "register")),
        (say("教室", "room"), room or say("未绑定", "not bound"), "machine_day"),
        (say("机器号", "machine id"), seen.machine, say("硬件指纹", "hardware")),
        (say("主机名", "host name"), str(host.get("hostname", "")), probe),
        (say("系统", "system"), f"{host.get('os', '')} {host.get('os_version', '')}", probe),
        (say("内存", "memory"), _memory(host.get("memory_total")), probe),
        (say("处理器", "processor"), f"{host.get('cpu', '')} × {host.get('cores', '?')}", probe),
        (say("设备", "devices"), "、".join(seen.devices) or say("未见", "none seen"), probe),
        (say("报告", "reports"), str(seen.reports), "agent"),
        (say("代理占用内存", "agent's memory"), _mib(seen.agent.get("rss_bytes")), "agent"),
        (line, outcome(test), "line_test"),
        (say("  下行", "  down"), _mbps(test.get("down_mbps")), probe),
        (say("  上行", "  up"), _mbps(test.get("up_mbps")), probe),
        (say("  延迟", "  latency"), _unit(test.get("latency_ms"), "ms"), probe),
        (say("  服务端所见下行", "  down, seen by server"), _mbps(record.get("down_mbps")), server),
        (say("  为何不作证据", "  why not evidence"), _reasons(test), probe),
    ]  # fmt: skip


def outcome(test: Mapping[str, Value]) -> str:
    """How a line test ended, in words."""
    return word(reasons.OUTCOMES, str(test["outcome"])) if test else say("没有", "none")


def _reasons(test: Mapping[str, Value]) -> str:
    return str(reasons.said(str(test.get("reason", "")))) or "—"


def _memory(value: Value | None) -> str:
    if not isinstance(value, int):
        return "—"
    return say(f"{value} 字节（{value / _GIB:.1f} GiB）", f"{value} bytes ({value / _GIB:.1f} GiB)")


def _mib(value: Value | None) -> str:
    return f"{value / 2**20:.1f} MiB" if isinstance(value, int) else "—"


def _mbps(value: Value | None) -> str:
    return _unit(value, "Mbit/s")


def _unit(value: Value | None, unit: str) -> str:
    return f"{value:.2f} {unit}" if isinstance(value, int | float) else "—"


def _device(point: Point) -> str:
    return f"{point.tags['kind']} {point.fields.get('name', '')}".strip()


def _points(store: Store, measurement: str) -> list[Point]:
    return list(store.read(measurement, 0, _EVER, tags={"school": CODE}))


def _merged(points: list[Point]) -> dict[str, Value]:
    """The newest value of each field: only the first reports have the inventory."""
    found: dict[str, Value] = {}
    for point in points:
        found |= point.fields
    return found
