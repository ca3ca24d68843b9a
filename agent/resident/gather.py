"""Gathers the readings for a report: those of the probes, and the agent's own health."""

from __future__ import annotations

import time
from collections.abc import Collection, Iterable

import msgspec
import psutil

from agent import probes
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.config import Watched
from agent.outbox import Counts
from agent.version import VERSION
from agent.wire.messages import AgentHealth, Device, Host, Inventory, Reading

_started = time.monotonic()
_NO_COUNTS = Counts(0, 0, 0, 0, 0, 0, 0)


def check_names(names: Collection[str]) -> None:
    """Raise SettingsError where a probe of the settings does not exist."""
    unknown = [name for name in names if name not in probes.PROBES]
    if unknown:
        known = ", ".join(probes.PROBES)
        raise SettingsError(
            say(
                f"probes.enabled: 没有探测项 {', '.join(unknown)}；可用：{known}",
                f"probes.enabled: no probe {', '.join(unknown)}; there are: {known}",
            )
        )


class Gatherer:
    """Runs the enabled probes, and compares their devices with those last reported."""

    def __init__(
        self, enabled: Collection[str], watched: tuple[Watched, ...] = (), *, patient: bool = False
    ) -> None:
        """Raises SettingsError where a name is no probe."""
        check_names(enabled)
        self._enabled = tuple(enabled)
        self._compared = tuple(name for name in enabled if probes.PROBES[name].devices)
        self._context = probes.Context(watched=watched, patient=patient)
        self._reported: frozenset[Device] | None = None

    @property
    def enabled(self) -> tuple[str, ...]:
        """The names of the probes."""
        return self._enabled

    def all(
        self, inventory: Inventory | None = None
    ) -> tuple[tuple[Reading, ...], tuple[str, ...]]:
        """All readings for a report, and the names of the probes that failed.

        `inventory` is put into the host's reading.
        """
        gathered = probes.run(self._enabled, self._context)
        self._reported = _devices(gathered.readings)
        readings = gathered.readings
        if inventory is not None:
            readings = tuple(_with_inventory(readings, inventory))
        return readings, gathered.failed

    def changed(self) -> bool:
        """Whether devices differ from those last reported; those of a failed probe do not count."""
        if not self._compared or self._reported is None:
            return False
        gathered = probes.run(self._compared, self._context)
        unknown = {key for name in gathered.failed for key in self._context.devices.get(name, ())}
        now, before = _devices(gathered.readings), self._reported
        return any((one.kind, one.connector) not in unknown for one in now ^ before)


def _devices(readings: Iterable[Reading]) -> frozenset[Device]:
    return frozenset(reading for reading in readings if isinstance(reading, Device))


def _with_inventory(readings: Iterable[Reading], inventory: Inventory) -> list[Reading]:
    """Put the inventory into the host's reading; add such a reading where there is none."""
    listed = list(readings)
    for index, reading in enumerate(listed):
        if isinstance(reading, Host):
            listed[index] = msgspec.structs.replace(reading, inventory=inventory)
            return listed
    return [Host(inventory=inventory), *listed]


def health(
    counts: Counts = _NO_COUNTS,
    failed: tuple[str, ...] = (),
    *,
    room: str = "",
    weak: bool = False,
    ran: tuple[str, ...] = (),
    sources: tuple[str, ...] = (),
) -> AgentHealth:
    """The agent's own health; memory in bytes, times in s. `ran`: the probes that succeeded."""
    memory, cpu = _usage()
    return AgentHealth(
        version=VERSION,
        rss_bytes=memory,
        cpu_s=cpu,
        uptime_s=round(time.monotonic() - _started, 3),
        outbox_rows=counts.rows,
        outbox_bytes=counts.bytes,
        dropped_telemetry=counts.dropped_telemetry,
        dropped_evidence=counts.dropped_evidence,
        set_aside=counts.set_aside,
        lost=counts.lost,
        failed_probes=failed,
        room=room,
        weak_id=weak,
        probes=ran,
        sources=sources,
    )


def _usage() -> tuple[int, float]:
    """This process's resident memory in bytes, and its CPU time in s."""
    process = psutil.Process()
    with process.oneshot():
        cpu = process.cpu_times()
        return process.memory_info().rss, cpu.user + cpu.system
