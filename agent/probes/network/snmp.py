"""SNMP client for printers and panels, 2c and 1, by pysnmp (the extra `snmp`).

pysnmp (7.1.30, 2026) is the only well maintained library. It costs 11 MB of memory, half of a
resting agent, so it is an optional extra for the one PC of a school that queries the printers,
and is imported only when a device uses SNMP.

OIDs: RFC 3418 (sysDescr, sysName), RFC 2790 (hrPrinterStatus, hrPrinterDetectedErrorState),
RFC 3805 (prtGeneralSerialNumber).
"""

from __future__ import annotations

import asyncio
import atexit
import socket
import threading
from collections.abc import Sequence
from typing import NamedTuple

from pysnmp.error import PySnmpError
from pysnmp.hlapi.v3arch.asyncio import (
    CommunityData,
    ContextData,
    ObjectIdentity,
    ObjectType,
    SnmpEngine,
    UdpTransportTarget,
    get_cmd,
)
from pysnmp.proto.rfc1902 import Integer32, OctetString

from agent.probes import device_text

_OIDS = {
    "1.3.6.1.2.1.1.1.0": "description",
    "1.3.6.1.2.1.1.5.0": "name",
    "1.3.6.1.2.1.25.3.5.1.1.1": "status",
    "1.3.6.1.2.1.25.3.5.1.2.1": "errors",
    "1.3.6.1.2.1.43.5.1.1.17.1": "serial",
}
#: Bits of hrPrinterDetectedErrorState, the highest of the first byte first.
_FAULTS = {1: "no_paper", 3: "no_toner", 4: "door_open", 5: "jammed", 6: "offline", 7: "service"}
_WARNINGS = {0: "low_paper", 2: "low_toner"}
_READY = frozenset({"3", "4", "5"})  # idle, printing, warming up


class Facts(NamedTuple):
    """The answers of a device; empty where it gave none."""

    description: str = ""
    name: str = ""
    status: str = ""
    errors: bytes = b""
    serial: str = ""

    @property
    def faults(self) -> tuple[str, ...]:
        """The errors that stop the device."""
        return tuple(word for bit, word in _FAULTS.items() if self._has(bit))

    @property
    def warnings(self) -> tuple[str, ...]:
        """The warnings: errors to come."""
        return tuple(word for bit, word in _WARNINGS.items() if self._has(bit))

    @property
    def on(self) -> bool:
        """Whether it reports to be idle, printing or warming up."""
        return self.status in _READY

    def _has(self, bit: int) -> bool:
        return bool(self.errors and self.errors[0] >> (7 - bit) & 1)


def ask(host: str, port: int, community: str, timeout: float) -> Facts:
    """Query all facts; blocks, in a thread of the watch, up to three times `timeout` s.

    Old devices speak version 1 alone and are silent to 2c; those are asked one fact at a time, as
    version 1 refuses a whole request for one fact that it does not have. So are those that refuse
    five facts at once by 2c.

    Raises:
        TimeoutError: no answer, which may also mean a wrong community.
        socket.gaierror: the host name is not found. UnicodeError: it is no valid name.
        OSError: pysnmp failed.
    """
    socket.getaddrinfo(host, port)  # pysnmp hides the reason of a failed lookup
    asked = host, port, community or "public", timeout
    try:
        try:
            found = _session().ask(*asked) or _session().ask_each(1, *asked)
        except TimeoutError:
            found = _session().ask_each(0, *asked)
    except PySnmpError as error:
        raise OSError(str(error)) from error
    return _facts(found)


class _Session:
    """An SNMP engine and its event loop. Creating one costs twenty times what a query does."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._engine = SnmpEngine()
        self._wanted = [ObjectType(ObjectIdentity(oid)) for oid in _OIDS]
        atexit.register(self._close)  # else asyncio warns of the engine's timer

    def _close(self) -> None:
        if not self._loop.is_running():  # those of other threads end with the process
            self._engine.close_dispatcher()
            self._loop.run_until_complete(asyncio.sleep(0))

    def ask(self, host: str, port: int, community: str, timeout: float) -> dict[str, object]:
        """The answers by OID, by 2c; raises as the module's `ask` does."""
        data = CommunityData(community, mpModel=1)  # noqa: S508 - what printers speak
        return self._loop.run_until_complete(self._get((host, port), data, timeout, self._wanted))

    def ask_each(
        self, version: int, host: str, port: int, community: str, timeout: float
    ) -> dict[str, object]:
        """The same one by one, by 1 (version 0) or 2c (1).

        What stays away costs that fact alone; after two of them the others are not asked.
        """
        data = CommunityData(community, mpModel=version)
        found: dict[str, object] = {}
        left = timeout
        for number, one in enumerate(self._wanted):
            try:
                asked = self._get((host, port), data, left, [one])
                found |= self._loop.run_until_complete(asked)
            except TimeoutError:
                if not number:
                    raise
                left -= timeout / 2
            if left <= 0:
                break
        return found

    async def _get(
        self,
        address: tuple[str, int],
        data: CommunityData,
        timeout: float,
        wanted: Sequence[ObjectType],
    ) -> dict[str, object]:
        target = await UdpTransportTarget.create(address, timeout=timeout, retries=0)
        failed, refused, _, found = await get_cmd(
            self._engine, data, target, ContextData(), *wanted, lookupMib=False
        )
        if failed:
            raise TimeoutError(str(failed))
        return {} if refused else {str(name): value for name, value in found}


_of_thread = threading.local()


def _session() -> _Session:
    """The session of this thread; an engine must not be shared by threads."""
    if not hasattr(_of_thread, "session"):
        _of_thread.session = _Session()
    session: _Session = _of_thread.session
    return session


def _facts(found: dict[str, object]) -> Facts:
    values: dict[str, str | bytes] = {}
    for oid, name in _OIDS.items():
        value = found.get(oid)
        if isinstance(value, Integer32):
            values[name] = str(value)
        elif isinstance(value, OctetString):  # the reply "no such object" is not one
            raw = bytes(value)
            values[name] = raw if name == "errors" else device_text.decoded(raw)[0]
    return Facts(**values)  # type: ignore[arg-type]
