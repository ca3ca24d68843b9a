"""USB devices on Linux, from /sys/bus/usb/devices below a root folder."""

from __future__ import annotations

from typing import NamedTuple

from agent.probes import sysfs
from agent.probes.runner import Context
from agent.probes.serials import usable
from agent.wire.messages import Device, DeviceKind

#: USB classes (USB-IF, "Defined Class Codes").
PRINTER, VIDEO, HUB = "07", "0e", "09"
_MEMORY = "usb"


class Usb(NamedTuple):
    """A USB device; its texts are those it reports, empty where there are none."""

    place: str  # the port's path, as 1-2.3: the same at every boot
    vendor: str
    product: str
    maker: str
    name: str
    serial: str
    classes: frozenset[str]  # of its interfaces
    fixed: bool  # built in, as a laptop's camera


def devices(context: Context) -> tuple[Usb, ...]:
    """The devices plugged in, without hubs; read again only when that has changed.

    A device that is plugged in again gets a new node from the kernel, even on the same port.
    """
    folder = f"{context.root}/sys/bus/usb/devices"
    nodes = sysfs.nodes(folder)
    known = context.memory.get(_MEMORY)
    if isinstance(known, tuple) and known[0] == nodes:
        found: tuple[Usb, ...] = known[1]
        return found
    found = tuple(_device(folder, name, nodes) for name in sorted(nodes) if _is_device(name))
    found = tuple(usb for usb in found if usb.classes != {HUB})
    context.memory[_MEMORY] = (nodes, found)
    return found


def reading(usb: Usb, kind: DeviceKind) -> Device:
    """A device as a reading."""
    return Device(
        kind=kind,
        connector=f"usb:{usb.place}",
        name=usb.name,
        maker=usb.maker,
        model=f"{usb.vendor}:{usb.product}",
        serial=usb.serial,
        connection="internal" if usb.fixed else "USB",
    )


def _is_device(name: str) -> bool:
    return ":" not in name and not name.startswith("usb")


def _device(folder: str, place: str, nodes: dict[str, int]) -> Usb:
    node = f"{folder}/{place}"
    parts = [name for name in nodes if name.startswith(f"{place}:")]
    classes = {sysfs.text(f"{folder}/{part}/bInterfaceClass") for part in parts}
    serial = sysfs.text(f"{node}/serial")
    return Usb(
        place=place,
        vendor=sysfs.text(f"{node}/idVendor"),
        product=sysfs.text(f"{node}/idProduct"),
        maker=sysfs.text(f"{node}/manufacturer"),
        name=sysfs.text(f"{node}/product"),
        serial=serial if usable(serial) else "",
        classes=frozenset(classes - {""}),
        fixed=sysfs.text(f"{node}/removable") == "fixed",
    )
