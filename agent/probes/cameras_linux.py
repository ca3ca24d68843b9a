"""Cameras on Linux: USB devices of the video class, whether a driver has taken them or not."""

from __future__ import annotations

from agent.probes import usb_linux
from agent.probes.document_camera import kind_of
from agent.probes.runner import Context
from agent.wire import Device


def cameras(context: Context) -> tuple[Device, ...]:
    """One reading for each."""
    found = (usb for usb in usb_linux.devices(context) if usb_linux.VIDEO in usb.classes)
    return tuple(usb_linux.reading(usb, kind_of(usb.maker, usb.name)) for usb in found)
