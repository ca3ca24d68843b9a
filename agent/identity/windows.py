"""Hardware sources and inventory on Windows, from the firmware table and the registry.

Every user may read the firmware table, so no privileged helper is needed.
"""

from __future__ import annotations

import platform

from agent.identity.linux import Facts
from agent.probes.line import nics_windows
from agent.windows import DISK, System, smbios, text

_BIOS_KEY = r"HARDWARE\DESCRIPTION\System\BIOS"
_CPU_KEY = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
_CRYPTOGRAPHY_KEY = r"SOFTWARE\Microsoft\Cryptography"
_NOT_BURNT_IN = 0x03  # locally administered, or multicast


def hardware(system: System) -> dict[str, str]:
    """Values by source."""
    table = smbios.parse(system.firmware())
    found = {
        "product_uuid": table.product_uuid,
        "product_serial": table.product_serial,
        "board_serial": table.board_serial,
        "macs": " ".join(burnt_in(system, "wired")),
        "wifi": " ".join(burnt_in(system, "wifi")),
        "disks": " ".join(sorted(system.disk_serials())),
    }
    return {name: value for name, value in found.items() if value}


def weak(system: System) -> tuple[str, str] | None:
    """MachineGuid, which is cloned with the disk."""
    guid = text(system.values(_CRYPTOGRAPHY_KEY), "MachineGuid")
    return ("MachineGuid", guid) if guid else None


def inventory(system: System) -> Facts:
    """What the firmware and the registry say of the machine."""
    bios, table = system.values(_BIOS_KEY), smbios.parse(system.firmware())
    return Facts(
        hostname=platform.node(),
        os="Windows",
        os_version=f"{platform.release()} {platform.version()}",
        maker=table.maker or text(bios, "SystemManufacturer"),
        model=table.model or text(bios, "SystemProductName"),
        cpu=text(system.values(_CPU_KEY), "ProcessorNameString"),
        firmware_date=table.firmware_date or text(bios, "BIOSReleaseDate"),
        serial=table.product_serial,
        disks=tuple(disk.name for disk in system.devices(DISK)),
    )


def burnt_in(system: System, kind: str) -> list[str]:
    """Addresses burnt into the adapters of `kind` that are not on USB, sorted.

    Other sources may show an address set by a user, or a random one of Wi-Fi, in its place.
    """
    built_in = {a.guid for a in nics_windows.adapters(system) if a.kind == kind and not a.on_usb}
    found = {mac for guid, mac in system.burnt_in_macs().items() if guid in built_in}
    return sorted(mac for mac in found if not int(mac[:2], 16) & _NOT_BURNT_IN)
