"""Touch on Windows: HID collections of usage page Digitizer, usage Touch Screen."""

from __future__ import annotations

from agent.probes.present_windows import reading
from agent.windows import HID, System
from agent.wire import Device

#: HID Usage Tables 1.5, page 0x0D: 0x04 is a touch screen, 0x05 a touch pad, 0x02 a pen.
_TOUCH_SCREEN = "HID_DEVICE_UP:000D_U:0004"


def touch(system: System) -> tuple[Device, ...]:
    """One reading for each device; a device may have a collection for each of its modes."""
    found: dict[str, Device] = {}
    for one in system.devices(HID):
        if any(name.upper() == _TOUCH_SCREEN for name in one.ids):
            device = one.instance.upper().partition("&COL")[0]
            found.setdefault(device, reading(one, "touch"))
    return tuple(found.values())
