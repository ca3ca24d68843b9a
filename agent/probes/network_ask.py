"""One listed device asked once, in its own protocol."""

from __future__ import annotations

import socket
from pathlib import Path

import msgspec

from agent import pjlink
from agent.config import Watched
from agent.wire.messages import Device, Power

_TIMEOUT_S = 4.0
_PORTS = {"pjlink": pjlink.PORT, "snmp": 161, "tcp": 80}
_POWERS: dict[str, Power] = {
    "0": "standby", "1": "on", "2": "standby", "3": "on", "ERR3": "standby",
}  # fmt: skip
_PASSING = {"2": "cooling down", "3": "warming up"}


def ask(one: Watched) -> Device:
    """What it says of itself, or why it cannot be asked although it is there.

    Raises:
        OSError: nobody answers, after two tries.
    """
    try:
        return _asked(one)
    except ConnectionRefusedError:  # a host that refuses is a host
        return _device(one, note="the port is closed")
    except OSError:
        try:
            return _asked(one)
        except ConnectionRefusedError:
            return _device(one, note="the port is closed")


def silent(one: Watched) -> Device:
    """A device that does not answer."""
    return _device(one, present=False)


def projector(one: Watched, facts: pjlink.Facts) -> Device:
    """What PJLink's facts say. In standby it answers ERR3 to most: that is standby, no fault."""
    notes = [_PASSING.get(facts.power, "")]
    notes += [f"{part}: warning" for part in facts.warnings]
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
    port = one.port or _PORTS[one.speaks]
    if one.speaks == "tcp":
        socket.create_connection((one.host, port), _TIMEOUT_S).close()
        return _device(one)
    if one.speaks == "snmp":
        return _by_snmp(one, port)
    try:
        return projector(one, pjlink.ask(one.host, port, secret(one), _TIMEOUT_S))
    except pjlink.PjlinkError as error:
        return _device(one, note=f"PJLink: {error}")


def _by_snmp(one: Watched, port: int) -> Device:
    try:
        from agent.probes import network_snmp
    except ModuleNotFoundError:
        return _device(one, present=True, note="SNMP: pip install schoolpulse[snmp]")
    facts = network_snmp.ask(one.host, port, secret(one), _TIMEOUT_S)
    return msgspec.structs.replace(
        _device(one, note="; ".join(f"{part}: warning" for part in facts.warnings)),
        name=one.name or facts.name[:256],
        model=facts.description[:256],
        serial=facts.serial[:256],
        power="on" if facts.on else "unknown",
        fault=", ".join(facts.faults),
    )


def secret(one: Watched) -> str:
    """The password, from the settings or the file they name.

    A file that cannot be read is no password: the device then says that it wants one.
    """
    if not one.password_file:
        return one.password
    try:
        return Path(one.password_file).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _device(one: Watched, *, present: bool = True, note: str = "") -> Device:
    port = f":{one.port}" if one.port else ""
    return Device(
        kind=one.kind,
        connector=f"net:{one.host}{port}",
        connection="network",
        present=present,
        name=one.name,
        room=one.room,
        note=note[:256],
    )
