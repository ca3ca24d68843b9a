"""The boundary to Windows: all that the agent asks of it, so that all above is plain code.

`agent.windows.system` answers by ctypes and winreg. Tests answer from device trees.
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
    """A device that is attached now, as SetupAPI tells it; empty where it does not."""

    instance: str  # USB\VID_046D&PID_0825&MI_00\7&2A8D&0&0000
    name: str = ""
    maker: str = ""
    service: str = ""
    ids: tuple[str, ...] = ()  # hardware ids, then compatible ids
    removal: int | None = None  # 1: built in, 2 and 3: can be taken off


class System(Protocol):
    """What is asked. None of these raises; what is not there is empty."""

    def devices(self, setup_class: str = "", enumerator: str = "") -> Sequence[Present]:
        """The devices of a setup class, or below an enumerator such as USBPRINT."""

    def values(self, key: str) -> Mapping[str, Value]:
        """All values of a key below HKEY_LOCAL_MACHINE."""

    def subkeys(self, key: str) -> Sequence[str]:
        """The names of a key's subkeys."""

    def firmware(self) -> bytes:
        """The SMBIOS structure table, without the header of GetSystemFirmwareTable."""

    def disk_serials(self) -> Sequence[str]:
        """What is burnt into the disks; not those on USB."""

    def burnt_in_macs(self) -> Mapping[str, str]:
        """By an adapter's GUID, {0D7A…} in upper case: the address its maker gave it."""

    def outputs(self) -> Mapping[str, int]:
        """By a monitor's instance: DISPLAYCONFIG_VIDEO_OUTPUT_TECHNOLOGY of its output.

        Empty where nobody is logged in: a service has no desktop to ask.
        """


def text(values: Mapping[str, Value], name: str) -> str:
    """A value that is a text; empty where it is not."""
    value = values.get(name, "")
    return value.strip("\0 ") if isinstance(value, str) else ""
