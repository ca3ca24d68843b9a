"""The interface to Windows: everything that the agent reads from it.

`agent.windows.system` implements it by ctypes and winreg; tests implement it by device trees.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple, Protocol

Value = str | int | bytes | tuple[str, ...]

#: Setup classes (Microsoft, "System-Defined Device Setup Classes Available to Vendors").
MONITOR = "{4d36e96e-e325-11ce-bfc1-08002be10318}"
DISK = "{4d36e967-e325-11ce-bfc1-08002be10318}"
HID = "{745a17a0-74d3-11d0-b6fe-00a0c90f57da}"
CAMERA = "{ca3e7ab9-b4c3-4ae6-8251-579ef933890f}"
IMAGE = "{6bdd1fc6-810f-11d0-bec7-08002be2092f}"


class Present(NamedTuple):
    """A device that is attached now, as SetupAPI describes it; empty where unknown."""

    instance: str  # USB\VID_046D&PID_0825&MI_00\7&2A8D&0&0000
    name: str = ""
    maker: str = ""
    service: str = ""
    ids: tuple[str, ...] = ()  # hardware ids, then compatible ids
    removal: int | None = None  # 1: built in, 2 and 3: can be taken off


class System(Protocol):
    """What the agent reads from Windows. No method raises; what is missing is empty."""

    def devices(self, setup_class: str = "", enumerator: str = "") -> Sequence[Present]:
        """The devices of a setup class, or below an enumerator such as USBPRINT."""

    def values(self, key: str) -> Mapping[str, Value]:
        """All values of a key below HKEY_LOCAL_MACHINE."""

    def subkeys(self, key: str) -> Sequence[str]:
        """The names of a key's subkeys."""

    def firmware(self) -> bytes:
        """The SMBIOS structure table, without the header of GetSystemFirmwareTable."""

    def disk_serials(self) -> Sequence[str]:
        """The hardware serials of the disks, without those on USB."""

    def burnt_in_macs(self) -> Mapping[str, str]:
        """The burnt-in address by adapter GUID ({0D7A…}, in upper case)."""

    def outputs(self) -> Mapping[str, int]:
        """DISPLAYCONFIG_VIDEO_OUTPUT_TECHNOLOGY of the output, by the monitor's instance.

        Empty where nobody is logged in: a service has no desktop.
        """


def text(values: Mapping[str, Value], name: str) -> str:
    """The value `name` if it is a text; else empty."""
    value = values.get(name, "")
    return value.strip("\0 ") if isinstance(value, str) else ""
