"""The computer itself: processor, memory, disk, interfaces, uptime."""

from __future__ import annotations

import os
import platform
import time

import psutil

from agent.probes.line import nics
from agent.probes.runner import Context
from agent.wire import Host


def probe(context: Context) -> tuple[Host, ...]:
    """One reading; cpu_percent is the use since the previous run, None at the first."""
    memory = psutil.virtual_memory()
    disk = psutil.disk_usage(os.path.abspath(os.sep))
    return (
        Host(
            cpu_percent=_cpu_percent(context),
            memory_total=memory.total,
            memory_used=memory.total - memory.available,
            disk_total=disk.total,
            disk_used=disk.used,
            uptime_s=round(_uptime(), 1),
            os=f"{platform.system()} {platform.release()}"[:256],
            nics=nics.interfaces(context.root),
        ),
    )


def _cpu_percent(context: Context) -> float | None:
    """Share of all processors' time since the previous run that was not idle, in %."""
    times = psutil.cpu_times()
    # On Linux user time includes guest time already.
    total = sum(times) - getattr(times, "guest", 0.0) - getattr(times, "guest_nice", 0.0)
    idle = times.idle + getattr(times, "iowait", 0.0)
    before = context.memory.get("host.cpu")
    context.memory["host.cpu"] = (total, idle)
    if not isinstance(before, tuple):
        return None
    passed, idled = float(total - before[0]), float(idle - before[1])
    if passed <= 0:
        return None
    share = 1 - idled / passed
    return round(min(100.0, max(0.0, share * 100)), 2)


def _uptime() -> float:
    """Seconds since boot, including suspend; not by the wall clock, which may be years off."""
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime(time.CLOCK_BOOTTIME)
    return time.monotonic()
