"""School PCs as Linux trees. All are constructed: no real one is copied.

Their form follows the kernel's documentation (sysfs, /proc/asound); vendor and product numbers are
those of usb.ids.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import edids


@dataclass
class LinuxTree:
    """Builds a tree of files below `root`."""

    root: Path
    cards: list[str] = field(default_factory=list)

    def put(self, path: str, content: str | bytes) -> Path:
        """A file."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content if isinstance(content, bytes) else f"{content}\n".encode())
        return file

    def display(
        self, connector: str, edid: bytes = b"", status: str = "connected", dpms: str = "On"
    ) -> None:
        """A connector of the first graphics card."""
        folder = f"sys/class/drm/card0-{connector}"
        (self.root / "sys/class/drm/card0").mkdir(parents=True, exist_ok=True)
        for name, content in (("status", status), ("dpms", dpms), ("edid", edid)):
            self.put(f"{folder}/{name}", content)

    def usb(
        self, place: str, ids: str, *classes: str, maker: str = "", name: str = "",
        serial: str = "", removable: str = "removable",
    ) -> Path:  # fmt: skip
        """A USB device with an interface of each class."""
        port = f"sys/devices/pci0000:00/0000:00:14.0/usb1/{place}"
        vendor, _, product = ids.partition(":")
        told = {
            "idVendor": vendor, "idProduct": product, "manufacturer": maker, "product": name,
            "serial": serial, "removable": removable,
        }  # fmt: skip
        for attribute, said in told.items():
            if said:
                self.put(f"{port}/{attribute}", said)
        bus = self.root / "sys/bus/usb/devices"
        bus.mkdir(parents=True, exist_ok=True)
        for number, kind in enumerate(classes):
            self.put(f"{port}/{place}:1.{number}/bInterfaceClass", kind)
            self._link(bus / f"{place}:1.{number}", self.root / f"{port}/{place}:1.{number}")
        self._link(bus / place, self.root / port)
        return self.root / port

    def input(self, number: int, device: Path, name: str, properties: str, axes: str) -> None:
        """An input of a device."""
        node = device / f"input/input{number}"
        for path, said in (
            ("name", name), ("properties", properties), ("capabilities/abs", axes),
            ("phys", "" if "usb1" in str(device) else device.name),
        ):  # fmt: skip
            self.put(f"{node.relative_to(self.root)}/{path}", said)
        folder = self.root / "sys/class/input"
        folder.mkdir(parents=True, exist_ok=True)
        self._link(folder / f"input{number}", node)

    def sound(self, card: str, *pcms: tuple[str, str], driver: str = "HDA-Intel") -> None:
        """A sound card; pcms are (name of the node, what it calls itself)."""
        number = len(self.cards)
        self.cards.append(f" {number} [{card:<15}]: {driver} - {card}\n        {card}")
        self.put("proc/asound/cards", "\n".join(self.cards))
        for pcm, name in pcms:
            self.put(f"proc/asound/card{number}/{pcm}/info", f"id: {name}\nname: {name}")

    def eld(self, card: int, name: str) -> None:
        """Sound over a display."""
        said = f"monitor_present\t\t1\neld_valid\t\t1\nmonitor_name\t\t{name}"
        self.put(f"proc/asound/card{card}/eld#2.0", said)

    def _link(self, link: Path, target: Path) -> None:
        link.symlink_to(os.path.relpath(target, link.parent))


TOUCH = "2", "260800000000003"  # INPUT_PROP_DIRECT; several fingers
TOUCHPAD = "5", "660800011000003"  # a pointer's
_ANALOG = ("pcm0p", "ALC256 Analog"), ("pcm0c", "ALC256 Analog")


def laptop(tree: LinuxTree) -> None:
    """A laptop alone: its panel, its camera, its touchpad, a touch screen on I2C."""
    tree.display("eDP-1", edids.panel_text("NV156FHM-N61", "BOE", (34, 19)))
    tree.display("HDMI-A-1", status="disconnected", dpms="Off")
    tree.usb("1-5", "04f2:b6d9", "0e", "0e", maker="Chicony", name="HD Webcam",
             serial="0001", removable="fixed")  # fmt: skip
    tree.usb("1-7", "8087:0aaa", "e0", "e0", removable="fixed")
    i2c = tree.root / "sys/devices/platform/i2c-1"
    tree.input(4, i2c / "i2c-ELAN0501:00", "ELAN0501:00 04F3:3060 Touchpad", *TOUCHPAD)
    tree.input(5, i2c / "i2c-ELAN2514:00", "ELAN2514:00 04F3:2A1E", *TOUCH)
    tree.sound("PCH", *_ANALOG)


def projector(tree: LinuxTree) -> None:
    """A classroom's PC: a monitor on the desk, a projector above, sound over neither."""
    tree.display("DP-1", edids.named("DELL P2419H", "DEL", (53, 30), number=810962764))
    tree.display("HDMI-A-1", edids.named("EPSON PJ", "SEC", (160, 90)))
    tree.display("VGA-1", status="disconnected")
    tree.usb("1-2", "1e7d:2e22", "03")
    tree.sound("PCH", *_ANALOG, ("pcm3p", "HDMI 0"))


def panel(tree: LinuxTree) -> None:
    """An interactive panel: touch by USB as two inputs, its camera, its sound over HDMI."""
    tree.display("HDMI-A-1", edids.named("希沃交互", "CVT", (165, 93)))
    frame = tree.usb("1-3", "1ff7:0013", "03", maker="CVTOUCH", name="Touch Device",
                     serial="A20B0001C")  # fmt: skip
    for number in (7, 8):
        name = f"CVTOUCH Touch Device {number}"
        tree.input(number, frame / f"1-3:1.0/0003:1FF7:0013.000{number}", name, *TOUCH)
    tree.usb("1-4", "0c45:6366", "0e", "0e", "01", maker="Sonix", name="USB 4K Camera")
    tree.sound("PCH", *_ANALOG)
    tree.sound("Camera", ("pcm0c", "USB Audio"), driver="USB-Audio")
    tree.eld(0, "希沃交互")


def dock(tree: LinuxTree) -> None:
    """A PC with a dock: two monitors and a document camera behind the dock's hub, a printer."""
    tree.display("DP-1", status="disconnected")
    tree.display("DP-3", edids.named("27B1H", "AOC", (60, 34)))
    tree.display("DP-4", edids.named("DELL P2419H", "DEL", (53, 30), number=810962765), dpms="Off")
    tree.usb("1-1", "17ef:a391", "09", maker="Lenovo", name="USB2.0 Hub")
    tree.usb("1-1.2", "1778:0214", "0e", "0e", maker="IPEVO Inc.", name="IPEVO V4K",
             serial="0123456789")  # fmt: skip
    tree.usb("1-1.3", "17ef:a396", "01", "01", "03", maker="Lenovo", name="Dock Audio")
    tree.usb("1-6", "03f0:132a", "07", "ff", maker="Hewlett-Packard", name="HP LaserJet 1020",
             serial="JL1A2B3")  # fmt: skip
    tree.sound("PCH", *_ANALOG)
    tree.sound("Dock", ("pcm0p", "USB Audio"), ("pcm0c", "USB Audio"), driver="USB-Audio")


def headless(tree: LinuxTree) -> None:
    """A server in the school's cabinet: no graphics, no USB but hubs, no sound."""
    tree.put("sys/class/net/eth0/address", "54:bf:64:01:02:03")
    tree.usb("1-1", "1d6b:0002", "09", name="Hub")


def virtual(tree: LinuxTree) -> None:
    """A virtual machine: a display that is none, a tablet that takes no fingers, no sound card."""
    tree.display("Virtual-1", edids.named("QEMU Monitor", "RHT", (26, 20)))
    tablet = tree.usb("1-1", "0627:0001", "03", maker="QEMU", name="QEMU USB Tablet",
                      serial="28754-0000:00:01.2-1")  # fmt: skip
    axes = "3"
    tree.input(3, tablet / "1-1:1.0/0003:0627:0001.0001", "QEMU QEMU USB Tablet", "0", axes)
    tree.sound("Dummy", ("pcm0p", "Dummy PCM"), driver="Dummy")


def odd(tree: LinuxTree) -> None:
    """An old all-in-one whose devices are half broken: nothing of it stops the rest."""
    tree.display("LVDS-1", edids.panel_text("LTM200KT", "SEC", (44, 25))[:64])
    tree.display("VGA-1", b"")
    tree.usb("1-2", "0ac8:3420", "0e")
    frame = tree.usb("1-3", "0eef:0001", "03")
    tree.input(2, frame / "1-3:1.0/0003:0EEF:0001.0001", "x", "not a number", TOUCH[1])
    (tree.root / "proc").mkdir(exist_ok=True)
    tree.put("proc/asound/cards", b"\xff\xfe no cards\n")


LINUX: Mapping[str, Callable[[LinuxTree], None]] = {
    f.__name__: f for f in (laptop, projector, panel, dock, headless, virtual, odd)
}
