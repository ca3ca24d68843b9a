"""Queries one device once, by its own protocol."""

from __future__ import annotations

import contextlib
import errno
import socket
from pathlib import Path

import msgspec
import psutil

from agent.common import textfile
from agent.config import Watched
from agent.probes.line import nics
from agent.probes.network import pjlink
from agent.probes.network.pjlink_connection import (
    GarbledError,
    NoPasswordError,
    PasswordError,
    SilentError,
)
from agent.wire.messages import Device, Power

_TIMEOUT_S = 4.0
_PORTS = {"pjlink": pjlink.PORT, "snmp": 161, "tcp": 80}
#: Ports (web, raw printing) that show whether a device without an SNMP answer is present.
_FALLBACK_PORTS, _FALLBACK_S = (80, 9100), 1.0
_TRIES = 2
_POWERS: dict[str, Power] = {
    "0": "standby", "1": "on", "2": "standby", "3": "on", "ERR3": "standby",
}  # fmt: skip
_TRANSITIONS = {"2": "cooling_down", "3": "warming_up"}
#: Errors of our own network, which say nothing of the device.
_LOCAL_ERRORS = frozenset({errno.ENETUNREACH, errno.ENETDOWN, errno.EADDRNOTAVAIL})


class UnknowableError(Exception):
    """Whether the device is present is unknown: our network is down, or its name not found."""


def ask(one: Watched) -> Device:
    """The state of the device; absent where it does not answer twice.

    Raises:
        UnknowableError: our network is down, or its host name is not found.
    """
    for _ in range(_TRIES):
        try:
            return _query(one)
        except (socket.gaierror, UnicodeError) as error:
            raise UnknowableError("no_such_name") from error
        except OSError as error:
            if error.errno in _LOCAL_ERRORS:
                raise UnknowableError("no_network") from error
    if _no_network():
        raise UnknowableError("no_network")
    return _device(one, present=False)


def _no_network() -> bool:
    """Whether no interface of this PC is connected, so that no device can answer."""
    up = {
        name: one.isup
        for name, one in psutil.net_if_stats().items()  # Windows has no flags
        if "loopback" not in one.flags and not name.startswith("Loopback")
    }
    # Interfaces of VPNs and hypervisors are up without a cable; a container has no others.
    own = [name for name in up if nics.kind(name) != "virtual"] or list(up)
    return not any(up[name] for name in own)


def projector(one: Watched, facts: pjlink.Facts) -> Device:
    """A reading from PJLink's facts. ERR3, the answer to most queries in standby, is no fault."""
    notes = [_TRANSITIONS.get(facts.power, "")]
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


def _query(one: Watched) -> Device:
    if one.speaks == "snmp":
        return _by_snmp(one)
    port = one.port or _PORTS[one.speaks]
    if one.speaks == "tcp":
        return _device(one, note="" if _port_open(one.host, port, _TIMEOUT_S) else "port_closed")
    try:
        return projector(one, pjlink.ask(one.host, port, secret(one), _TIMEOUT_S))
    except ConnectionRefusedError:
        return _device(one, fault="pjlink_closed")
    except NoPasswordError:
        return _device(one, fault="password_missing")
    except PasswordError:
        return _device(one, fault="password_refused")
    except SilentError:  # as some are in standby
        return _device(one, note="pjlink_silent")
    except GarbledError as error:
        return _device(one, fault="not_pjlink", note=f"answered={error}")


def _port_open(host: str, port: int, timeout: float) -> bool:
    """Whether the port is open; a refused connection shows that the host is there.

    Raises:
        OSError: no answer.
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
        return _by_fallback_port(one, "snmp_not_installed")
    try:
        facts = network_snmp.ask(one.host, one.port or _PORTS["snmp"], secret(one), _TIMEOUT_S)
    except TimeoutError:  # a wrong community, or no such device: SNMP does not answer either
        return _by_fallback_port(one, "snmp_silent")
    return msgspec.structs.replace(
        _device(one, note="; ".join(f"warning={part}" for part in facts.warnings)),
        name=one.name or facts.name[:256],
        model=facts.description[:256],
        serial=facts.serial[:256],
        power="on" if facts.on else "unknown",
        fault=", ".join(facts.faults),
    )


def _by_fallback_port(one: Watched, fault: str) -> Device:
    """Present with this fault, if the device answers on one of `_FALLBACK_PORTS`.

    Raises:
        OSError: it does not.
    """
    for port in _FALLBACK_PORTS:
        with contextlib.suppress(TimeoutError):
            _port_open(one.host, port, _FALLBACK_S)
            return _device(one, fault=fault)
    raise TimeoutError("timed out")


def secret(one: Watched) -> str:
    """The password, from the settings or the file they name.

    Empty where the file cannot be read: the device then reports that it needs one.
    """
    if not one.password_file:
        return one.password
    try:
        return textfile.secret(Path(one.password_file))
    except (OSError, textfile.TextFileError):
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
