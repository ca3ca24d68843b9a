"""Printers on Linux: USB devices of the printer class."""

from __future__ import annotations

from agent.probes import usb_linux
from agent.probes.runner import Context
from agent.wire import Device


def printers(context: Context) -> tuple[Device, ...]:
    """One reading for each."""
    found = (usb for usb in usb_linux.devices(context) if usb_linux.PRINTER in usb.classes)
    return tuple(usb_linux.reading(usb, "printer") for usb in found)
