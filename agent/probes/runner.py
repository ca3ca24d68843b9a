"""Runs probes: each is timed, and one that fails never breaks the others."""

from __future__ import annotations

import importlib
import time
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import msgspec

from agent.common import log
from agent.config import Watched
from agent.windows import System, this_system
from agent.wire import Device, Reading


class Probe(NamedTuple):
    """Module and function below `agent.probes`, imported on first use.

    `function(context) -> tuple[Reading, ...]`; on Windows, where a probe has one of its own for
    that, `function(system)`. One that reports no devices is not run to look for a change of them.
    """

    function: str
    windows: str = ""
    devices: bool = True


PROBES = {
    "host": Probe("host.probe", devices=False),
    "displays": Probe("displays_linux.displays", "displays_windows.displays"),
    "sound": Probe("sound_linux.sounds", "sound_windows.sounds"),
    "cameras": Probe("cameras_linux.cameras", "cameras_windows.cameras"),
    "touch": Probe("touch_linux.touch", "touch_windows.touch"),
    "printers": Probe("printers_linux.printers", "printers_windows.printers"),
    "network": Probe("network.probe.probe"),
}


class Context:
    """What probes may need, and what they remember from one run to the next.

    `memory` is the probes' own; `devices` are those seen so far, by probe: one that disappears
    is reported as absent. `root` is Linux's; on Windows, or from a device tree, `windows` answers
    in its place. `watched` are the devices on the network to ask; a `patient` context waits for
    their answers, as a command does, and a resident agent does not.
    """

    def __init__(
        self,
        root: Path = Path("/"),
        memory: dict[str, object] | None = None,
        *,
        windows: System | None = None,
        watched: tuple[Watched, ...] = (),
        patient: bool = False,
    ) -> None:
        self.root = root
        self.memory = {} if memory is None else memory
        self.windows = windows or this_system()
        self.watched = watched
        self.patient = patient
        self.devices: dict[str, dict[tuple[str, str], Device]] = {}


class Timing(NamedTuple):
    """How one probe went."""

    probe: str
    ok: bool
    seconds: float
    reason: str = ""


class Gathered(NamedTuple):
    """The readings of a run of probes. A probe that has nothing to say is none that failed."""

    readings: tuple[Reading, ...]
    failed: tuple[str, ...]
    timings: tuple[Timing, ...] = ()


def run(names: Iterable[str] = tuple(PROBES), context: Context | None = None) -> Gathered:
    """Run these probes one after another.

    Raises:
        KeyError: a name is not in PROBES.
    """
    context = context or Context()
    readings: list[Reading] = []
    timings = []
    for name, probe in [(name, PROBES[name]) for name in names]:
        timing, found = _run_one(name, probe, context)
        timings.append(timing)
        readings.extend(found)
    failed = tuple(timing.probe for timing in timings if not timing.ok)
    return Gathered(tuple(readings), failed, tuple(timings))


def _run_one(name: str, probe: Probe, context: Context) -> tuple[Timing, tuple[Reading, ...]]:
    started = time.perf_counter()
    try:
        found = _read(probe, context)
    except Exception as error:  # a broken driver, a strange kernel: the other probes go on
        log.warning("probe_failed", probe=name, reason=error)
        return Timing(name, False, time.perf_counter() - started, repr(error)), ()
    found += _departed(name, found, context)
    return Timing(name, True, time.perf_counter() - started), found


def _read(probe: Probe, context: Context) -> tuple[Reading, ...]:
    system = context.windows if probe.windows else None
    path = probe.function if system is None else probe.windows
    module, _, function = path.rpartition(".")
    call = getattr(importlib.import_module(f"agent.probes.{module}"), function)
    found: tuple[Reading, ...] = call(context if system is None else system)
    return found


def _departed(name: str, found: tuple[Reading, ...], context: Context) -> tuple[Device, ...]:
    """Devices that this probe saw earlier and does not see now: absent, until they return.

    Absent devices on the network are reported by their own probe.
    """
    seen = context.devices.setdefault(name, {})
    devices = [reading for reading in found if isinstance(reading, Device)]
    here: dict[tuple[str, str], Device] = {(d.kind, d.connector): d for d in devices}
    gone = tuple(
        msgspec.structs.replace(device, present=False, power="unknown", fault="", note="")
        for key, device in seen.items()
        if key not in here and device.connection != "network"
    )
    seen.update(here)
    return gone
