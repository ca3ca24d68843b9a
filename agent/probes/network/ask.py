"""One listed device asked once, in its own protocol."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

import msgspec
import psutil

from agent.config import Watched
from agent.probes.line import nics
from agent.probes.network import pjlink
from agent.wire.messages import Device, Power

_TIMEOUT_S = 4.0
_PORTS = {"pjlink": pjlink.PORT, "snmp": 161, "tcp": 80}
#: Where a device that does not speak SNMP to us may show that it is there: web and raw printing.
_DOORS, _DOOR_S = (80, 9100), 1.0
_TRIES = 2
_POWERS: dict[str, Power] = {
    "0": "standby", "1": "on", "2": "standby", "3": "on", "ERR3": "standby",
}  # fmt: skip
_PASSING = {"2": "cooling_down", "3": "warming_up"}
#: Our own network is away: that says nothing of any device.
_OURS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


class UnknowableError(Exception):
    """Whether it is there cannot be told: our own network, or its name, is at fault."""


def ask(one: Watched) -> Device:
    """What it says of itself; absent where nobody answers, after two tries.

    Raises:
        UnknowableError
    """
    for _ in range(_TRIES):
        try:
            return _asked(one)
        except (socket.gaierror, UnicodeError) as error:
            raise UnknowableError("no_such_name") from error
        except OSError as error:
            if error.errno in _OURS:
                raise UnknowableError("no_network") from error
    if _cut_off():
        raise UnknowableError("no_network")
    return _device(one, present=False)


def _cut_off() -> bool:
    """Whether no cable and no radio of this PC is connected: then all are silent."""
    up = {
        name: one.isup
        for name, one in psutil.net_if_stats().items()  # Windows tells no flags
        if "loopback" not in one.flags and not name.startswith("Loopback")
    }
    # What VPNs and hypervisors make is up without any cable; a container has nothing else.
    own = [name for name in up if nics.kind(name) != "virtual"] or list(up)
    return not any(up[name] for name in own)


def projector(one: Watched, facts: pjlink.Facts) -> Device:
    """What PJLink's facts say. In standby it answers ERR3 to most: that is standby, no fault."""
    notes = [_PASSING.get(facts.power, "")]
    notes += [f"warning={part}" for part in facts.warnings]
    return msgspec.structs.replace(
        _device(one),
        power=_POWERS.get(facts.power, "unknown"),
        fault=", ".join(facts.faults),
        name=one.name or facts.name[:256],
        maker=facts.maker[:256],
        model=facts.model[:256],
        serial=facts.serial[:256],
        input=facts.source,
        muted=facts.muted,
        lamp_hours=facts.lamp_hours,
        filter_hours=facts.filter_hours,
        note="; ".join(filter(None, notes))[:256],
    )


def _asked(one: Watched) -> Device:
    if one.speaks == "snmp":
        return _by_snmp(one)
    port = one.port or _PORTS[one.speaks]
    if one.speaks == "tcp":
        return _device(one, note="" if _opens(one.host, port, _TIMEOUT_S) else "port_closed")
    try:
        return projector(one, pjlink.ask(one.host, port, secret(one), _TIMEOUT_S))
    except ConnectionRefusedError:
        return _device(one, fault="pjlink_closed")
    except pjlink.NoPasswordError:
        return _device(one, fault="password_missing")
    except pjlink.PasswordError:
        return _device(one, fault="password_refused")
    except pjlink.GarbledError as error:
        return _device(one, fault="not_pjlink", note=f"answered={error}")


def _opens(host: str, port: int, timeout: float) -> bool:
    """Whether the port is open; a host that refuses is a host.

    Raises:
        OSError: nobody answers.
    """
    try:
        socket.create_connection((host, port), timeout).close()
    except ConnectionRefusedError:
        return False
    return True


def _by_snmp(one: Watched) -> Device:
    try:
        from agent.probes.network import snmp as network_snmp
    except ModuleNotFoundError:
        return _at_some_door(one, "snmp_not_installed")
    try:
        facts = network_snmp.ask(one.host, one.port or _PORTS["snmp"], secret(one), _TIMEOUT_S)
    except TimeoutError:  # SNMP does not tell a wrong community from an empty place
        return _at_some_door(one, "snmp_silent")
    return msgspec.structs.replace(
        _device(one, note="; ".join(f"warning={part}" for part in facts.warnings)),
        name=one.name or facts.name[:256],
        model=facts.description[:256],
        serial=facts.serial[:256],
        power="on" if facts.on else "unknown",
        fault=", ".join(facts.faults),
    )


def _at_some_door(one: Watched, fault: str) -> Device:
    """Present with this fault, where it shows itself otherwise.

    Raises:
        OSError: it does not.
    """
    for door in _DOORS:
        with contextlib.suppress(TimeoutError):
            _opens(one.host, door, _DOOR_S)
            return _device(one, fault=fault)
    raise TimeoutError("timed out")


def secret(one: Watched) -> str:
    """The password, from the settings or the file they name.

    A file that cannot be read is no password: the device then says that it wants one.
    """
    if not one.password_file:
        return one.password
    try:
        return Path(one.password_file).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError):
        return ""


def _device(one: Watched, *, present: bool = True, fault: str = "", note: str = "") -> Device:
    port = f":{one.port}" if one.port else ""
    return Device(
        kind=one.kind,
        connector=f"net:{one.host}{port}",
        connection="network",
        present=present,
        fault=fault,
        name=one.name,
        room=one.room,
        note=note[:256],
    )
