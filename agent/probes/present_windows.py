"""From a device that Windows shows as present to a reading. Pure."""

from __future__ import annotations

import re

from agent.probes.serials import usable
from agent.windows import Present
from agent.wire.messages import Device, DeviceKind

_IDS = re.compile(r"VID_([0-9A-F]{4})&PID_([0-9A-F]{4})", re.IGNORECASE)
#: Makers of Windows' own drivers, which do not name the maker of the device.
_NO_MAKER = ("(", "Microsoft")
_BUILT_IN = 1  # CM_REMOVAL_POLICY_EXPECT_NO_REMOVAL


def reading(found: Present, kind: DeviceKind) -> Device:
    """The reading of a device; its serial, if it has one, is the last part of the instance.

    For devices without a serial Windows generates that part, and then it contains an `&`.
    """
    ids = _IDS.search(found.instance)
    last = found.instance.rpartition("\\")[2]
    return Device(
        kind=kind,
        connector=found.instance[:256],
        name=found.name[:256],
        maker="" if found.maker.startswith(_NO_MAKER) else found.maker[:256],
        model=f"{ids[1]}:{ids[2]}".lower() if ids else "",
        serial=last[:256] if ids and "&" not in last and usable(last) else "",
        connection=_connection(found),
    )


def _connection(found: Present) -> str:
    if found.removal == _BUILT_IN:
        return "internal"
    return "USB" if _IDS.search(found.instance) or found.instance.startswith("USB") else ""
