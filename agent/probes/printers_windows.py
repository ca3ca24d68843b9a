"""Printers on Windows: devices enumerated by USBPRINT, so no PDF printers."""

from __future__ import annotations

from agent.probes.present_windows import reading
from agent.windows import System
from agent.wire import Device


def printers(system: System) -> tuple[Device, ...]:
    """One reading for each."""
    return tuple(reading(found, "printer") for found in system.devices(enumerator="USBPRINT"))
