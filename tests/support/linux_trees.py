"""School PCs as Linux trees and Windows device trees. All are constructed: no real one is copied.

Their form follows the kernel's documentation (sysfs, /proc/asound) and Microsoft's (SetupAPI,
the registry); vendor and product numbers are those of usb.ids.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import edids
from agent.windows import CAMERA, HID, IMAGE, MONITOR, Present, Value


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


@dataclass
class WindowsTree:
    """`agent.windows.boundary.System` answered from tables."""

    present: dict[str, list[Present]] = field(default_factory=dict)  # by class or enumerator
    registry: dict[str, dict[str, Value]] = field(default_factory=dict)
    table: bytes = b""
    technologies: dict[str, int] = field(default_factory=dict)
    serials: Sequence[str] = ()
    macs: dict[str, str] = field(default_factory=dict)  # by an adapter's GUID

    def devices(self, setup_class: str = "", enumerator: str = "") -> Sequence[Present]:
        return self.present.get(setup_class or enumerator, [])

    def values(self, key: str) -> Mapping[str, Value]:
        return self.registry.get(key, {})

    def subkeys(self, key: str) -> Sequence[str]:
        below = (name.removeprefix(f"{key}\\") for name in self.registry if f"{key}\\" in name)
        return sorted({name.partition("\\")[0] for name in below})

    def firmware(self) -> bytes:
        return self.table

    def disk_serials(self) -> Sequence[str]:
        return self.serials

    def burnt_in_macs(self) -> Mapping[str, str]:
        return self.macs

    def outputs(self) -> Mapping[str, int]:
        return self.technologies

    def monitor(self, instance: str, edid: bytes, technology: int | None = None) -> None:
        """A monitor that is attached now."""
        self.present.setdefault(MONITOR, []).append(
            Present(instance, "Generic PnP Monitor", "(Standard monitor types)", "monitor")
        )
        self.remembered(instance, edid)
        if technology is not None:
            self.technologies[instance] = technology

    def remembered(self, instance: str, edid: bytes) -> None:
        """A monitor that the registry knows from another day."""
        key = rf"SYSTEM\CurrentControlSet\Enum\{instance}\Device Parameters"
        self.registry[key] = {"EDID": edid}

    def endpoint(self, flow: str, guid: str, card: str, name: str, state: int = 1) -> None:
        """An audio endpoint in a state."""
        key = rf"SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio\{flow}\{guid}"
        self.registry[key] = {"DeviceState": state}
        self.registry[rf"{key}\Properties"] = {
            "{a45c254e-df1c-4efd-8020-67d146a850e0},2": name,
            "{b3f8fa53-0004-438e-9003-51a46e139bfc},6": card,
        }

    def adapter(self, number: int, name: str, instance: str, subtype: int, mac: str) -> None:
        """A network adapter; without an address it is not there now."""
        network = r"SYSTEM\CurrentControlSet\Control\Network"
        guid = f"{{0D7A0000-0000-4000-8000-{number:012}}}"
        key = rf"{network}\{{4D36E972-E325-11CE-BFC1-08002BE10318}}\{guid}\Connection"
        self.registry[key] = {"Name": name, "PnpInstanceID": instance, "MediaSubType": subtype}
        if mac:
            self.macs[guid] = mac

    def touch(self, instance: str, name: str, *usages: str) -> None:
        """A HID collection."""
        ids = (instance.rpartition("\\")[0], *(f"HID_DEVICE_UP:000D_U:{u}" for u in usages))
        self.present.setdefault(HID, []).append(
            Present(instance, name, "(标准系统设备)", "mshidkmdf", ids, 3)
        )


def chassis(kind: int) -> bytes:
    """An SMBIOS table that says what the case is."""
    return bytes([3, 9, 0, 3, 1, kind | 0x80, 0, 0, 0]) + b"Maker\0\0" + b"\x7f\x04\xff\xff\0\0"


_REALTEK = "Realtek High Definition Audio"


def windows_laptop() -> WindowsTree:
    """A teacher's laptop, logged in: its panel, a TV on HDMI, its camera, its touch screen."""
    tree = WindowsTree(table=chassis(10))
    panel_edid = edids.panel_text("B156HAN02.1", "AUO", (34, 19))
    tree.monitor(r"DISPLAY\AUO21ED\4&1A2B3C4D&0&UID8388688", panel_edid, 0x80000000)
    tree.monitor(
        r"DISPLAY\HEC0030\4&1A2B3C4D&0&UID8261", edids.named("HISENSE TV", "HEC", (160, 90)), 5
    )
    tree.remembered(r"DISPLAY\SEC1C02\4&1A2B3C4D&0&UID8261", edids.named("EPSON PJ", "SEC"))
    tree.present[CAMERA] = [
        Present(r"USB\VID_04F2&PID_B6D9&MI_00\6&2F7A9&0&0000", "HD Webcam", "Chicony", "usbvideo",
                (r"USB\VID_04F2&PID_B6D9", r"USB\Class_0e"), 1),
    ]  # fmt: skip
    tree.touch(r"HID\ELAN2514&COL01\5&2A8&0&0000", "符合 HID 标准的触摸屏", "0004")
    tree.touch(r"HID\ELAN2514&COL02\5&2A8&0&0001", "符合 HID 标准的笔", "0002")
    tree.touch(r"HID\ELAN0501&COL02\5&2A9&0&0001", "符合 HID 标准的触摸板", "0005")
    tree.endpoint("Render", "{0a1b}", _REALTEK, "扬声器")
    tree.endpoint("Render", "{0a1c}", _REALTEK, "耳机", 8)
    tree.endpoint("Capture", "{0b1a}", _REALTEK, "麦克风阵列")
    return tree


def windows_projector() -> WindowsTree:
    """A classroom's tower asked by a service, with nobody logged in: a monitor and a projector."""
    tree = WindowsTree(table=chassis(3))
    tree.monitor(
        r"DISPLAY\DELA0C4\5&2C5F3D4&0&UID4352",
        edids.named("DELL P2419H", "DEL", (53, 30), number=810962764),
    )
    tree.monitor(r"DISPLAY\SEC1C02\5&2C5F3D4&0&UID4353", edids.named("EPSON PJ", "SEC", (160, 90)))
    nameless = edids.panel_text("HDMI 1", "SEC", (160, 90))  # and no case for a panel
    tree.monitor(r"DISPLAY\SEC1C03\5&2C5F3D4&0&UID4354", nameless)
    tree.endpoint("Render", "{0a1b}", _REALTEK, "扬声器")
    tree.endpoint("Capture", "{0b1a}", _REALTEK, "麦克风", 0x10000008)
    return tree


def windows_panel() -> WindowsTree:
    """The computer in an interactive panel: touch in several collections, camera, microphones."""
    tree = WindowsTree(table=chassis(3))
    tree.monitor(r"DISPLAY\CVT3000\5&1&0&UID256", edids.named("希沃交互", "CVT", (165, 93)), 5)
    for collection, usage in (("01", "0004"), ("02", "0004"), ("03", "000E")):
        instance = rf"HID\VID_1FF7&PID_0013&MI_00&COL{collection}\7&34B4A1C6&0&00{collection}"
        tree.touch(instance, "HID-compliant touch screen", usage)
    tree.present[CAMERA] = [
        Present(r"USB\VID_0C45&PID_6366&MI_00\7&1B2C&0&0000", "USB 4K Camera", "Microsoft",
                "usbvideo", (), 3),
    ]  # fmt: skip
    tree.endpoint("Render", "{0a}", "USB Audio Device", "扬声器")
    tree.endpoint("Capture", "{0b}", "USB Audio Device", "麦克风")
    return tree


def windows_remote() -> WindowsTree:
    """A class's PC with what remote-control tools leave: two virtual displays beside the panel.

    Their names as seen in reports of Virtual Display Driver and IddSampleDriver.
    """
    tree = WindowsTree(table=chassis(3))
    tree.monitor(r"DISPLAY\CVT3000\5&1&0&UID256", edids.named("希沃交互", "CVT", (165, 93)), 5)
    tree.monitor(
        r"DISPLAY\MTT1337\1&28A6823A&1F&UID256", edids.build(maker="MTT", product=0x1337), 17
    )
    tree.monitor(r"DISPLAY\ABC0001\1&8713BCA&0&UID0", edids.named("TV", "ABC", (121, 68)))
    return tree


def windows_virtual() -> WindowsTree:
    """A virtual machine: Windows takes it that there is a display, and nothing says so."""
    tree = WindowsTree(table=chassis(1))
    tree.monitor(r"DISPLAY\Default_Monitor\4&EBD50AF&0&UID0", b"")
    return tree


def windows_office() -> WindowsTree:
    """An office's PC: camera and scanner of one class, a printer, a desk camera."""
    tree = WindowsTree(table=chassis(3))
    tree.monitor(r"DISPLAY\AOC2701\5&3&0&UID1", edids.named("27B1H", "AOC", (60, 34)), 10)
    tree.present[IMAGE] = [
        Present(r"USB\VID_046D&PID_0825&MI_00\6&3A&0&0000", "Logitech HD Webcam C270", "Logitech",
                "usbvideo", (r"USB\Class_0e&SubClass_03", r"USB\Class_0e"), 3),
        Present(r"USB\VID_1778&PID_0214\V4K20190001", "IPEVO V4K", "IPEVO", "usbvideo", (), 3),
        Present(r"USB\VID_04A9&PID_190E\5&2&0&3", "CanoScan LiDE 110", "Canon", "usbscan",
                (r"USB\Class_ff",), 3),
    ]  # fmt: skip
    tree.present["USBPRINT"] = [
        Present(r"USBPRINT\HEWLETT-PACKARDHP_LASERJET_1020\7&1&0&USB001", "HP LaserJet 1020",
                "HP", "", (), 3),
    ]  # fmt: skip
    return tree


WINDOWS: Mapping[str, Callable[[], WindowsTree]] = {
    f.__name__: f
    for f in (
        windows_laptop, windows_projector, windows_panel, windows_remote, windows_virtual,
        windows_office,
    )
}  # fmt: skip
