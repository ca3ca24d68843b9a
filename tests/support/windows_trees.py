"""School PCs as Windows device trees. All are constructed: no real one is copied.

Their form follows Microsoft's documentation (SetupAPI, the registry); vendor and product numbers
are those of usb.ids.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import edids
from agent.windows import CAMERA, HID, IMAGE, MONITOR, Present, Value


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
