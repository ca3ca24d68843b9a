r"""Sound on Windows: the audio endpoints in the registry, and their state.

SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio\Render\{guid} has DeviceState:
1 is active, 2 disabled, 8 a socket without a plug (DEVICE_STATE_XXX).
"""

from __future__ import annotations

from collections.abc import Iterator

from agent.windows import System, text
from agent.wire.messages import Device, DeviceKind

_AUDIO = r"SOFTWARE\Microsoft\Windows\CurrentVersion\MMDevices\Audio"
_ACTIVE = 1
#: PKEY_Device_DeviceDesc and PKEY_DeviceInterface_FriendlyName.
_ENDPOINT = "{a45c254e-df1c-4efd-8020-67d146a850e0},2"
_CARD = "{b3f8fa53-0004-438e-9003-51a46e139bfc},6"


def sounds(system: System) -> tuple[Device, ...]:
    """One reading for each active endpoint."""
    return (*_flow(system, "Render", "sound"), *_flow(system, "Capture", "microphone"))


def _flow(system: System, flow: str, kind: DeviceKind) -> Iterator[Device]:
    for name in sorted(system.subkeys(f"{_AUDIO}\\{flow}")):
        key = f"{_AUDIO}\\{flow}\\{name}"
        state = system.values(key).get("DeviceState")
        if isinstance(state, int) and state & 0xF == _ACTIVE:
            properties = system.values(f"{key}\\Properties")
            words = " · ".join(filter(None, (text(properties, _CARD), text(properties, _ENDPOINT))))
            yield Device(kind=kind, connector=name[:256], name=words[:256])
