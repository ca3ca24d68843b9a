"""Cameras on Windows: classes Camera and, before Windows 10, Image with the video driver."""

from __future__ import annotations

from agent.probes.document_camera import kind_of
from agent.probes.present_windows import reading
from agent.windows import CAMERA, IMAGE, System
from agent.wire import Device

_VIDEO_CLASS = "USB\\CLASS_0E"


def cameras(system: System) -> tuple[Device, ...]:
    """One reading for each; scanners, which are of class Image too, do not count."""
    found = list(system.devices(CAMERA))
    found += [
        one
        for one in system.devices(IMAGE)
        if one.service.lower() == "usbvideo" or any(i.upper() == _VIDEO_CLASS for i in one.ids)
    ]
    unique = {one.instance: one for one in found}.values()
    return tuple(reading(one, kind_of(one.maker, one.name)) for one in unique)
