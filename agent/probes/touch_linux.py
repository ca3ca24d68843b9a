"""Touch screens on Linux: input devices for several fingers on a screen, from /sys/class/input.

Touchpads do not count, as they move a pointer, nor pen tablets, as they do not sense fingers.
"""

from __future__ import annotations

import os
import re

from agent.probes import sysfs, usb_linux
from agent.probes.runner import Context
from agent.wire import Device

#: linux/input-event-codes.h.
_PROP_DIRECT = 0x01
_ABS_MT_POSITION_X = 0x35
_USB_PORT = re.compile(r"/(\d+-[\d.]+)/\d+-[\d.]+:\d+\.\d+/")
_MEMORY = "touch"


def touch(context: Context) -> tuple[Device, ...]:
    """One reading for each device, although it may be several inputs to the kernel."""
    folder = f"{context.root}/sys/class/input"
    nodes = sysfs.nodes(folder)
    known = context.memory.get(_MEMORY)
    if not isinstance(known, tuple) or known[0] != nodes:
        known = context.memory[_MEMORY] = nodes, _places(folder, nodes)
    on_usb = {usb.place: usb for usb in usb_linux.devices(context)}
    places: dict[str, str] = known[1]
    return tuple(
        usb_linux.reading(on_usb[place], "touch")
        if place in on_usb
        else Device(kind="touch", connector=place[:256], name=name, connection="internal")
        for place, name in places.items()
    )


def _places(folder: str, nodes: dict[str, int]) -> dict[str, str]:
    """Names of the touch devices by place: the USB port, else what the kernel calls it."""
    found: dict[str, str] = {}
    for name in sorted(name for name in nodes if name.startswith("input")):
        node = f"{folder}/{name}"
        if _is_touch_screen(node):
            found.setdefault(_place(node), sysfs.text(f"{node}/name"))
    return found


def _is_touch_screen(node: str) -> bool:
    properties = _bits(sysfs.text(f"{node}/properties"))
    axes = _bits(sysfs.text(f"{node}/capabilities/abs"))
    return bool(properties >> _PROP_DIRECT & 1 and axes >> _ABS_MT_POSITION_X & 1)


def _bits(words: str) -> int:
    """A bitmap in sysfs: 64-bit words in hex, the highest first."""
    bits = 0
    try:
        for word in words.split():
            bits = bits << 64 | int(word, 16)
    except ValueError:
        return 0
    return bits


def _place(node: str) -> str:
    real = f"{os.path.realpath(node)}/"
    if port := _USB_PORT.search(real):
        return port[1]
    return sysfs.text(f"{node}/phys") or sysfs.text(f"{node}/name")
