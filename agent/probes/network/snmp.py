"""SNMP 2c client for printers and panels, by pysnmp (the extra `snmp`).

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
    """Query all facts in one request; blocks, in a thread of the watch.

    Raises:
        TimeoutError: no answer, which may also mean a wrong community.
        socket.gaierror: the host name is not found. UnicodeError: it is no valid name.
        OSError: pysnmp failed.
    """
    socket.getaddrinfo(host, port)  # pysnmp hides the reason of a failed lookup
    try:
        found = _session().ask(host, port, community or "public", timeout)
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
        """The answers by OID; raises as the module's `ask` does."""
        return self._loop.run_until_complete(self._ask(host, port, community, timeout))

    async def _ask(self, host: str, port: int, community: str, timeout: float) -> dict[str, object]:
        target = await UdpTransportTarget.create((host, port), timeout=timeout, retries=0)
        failed, _, _, found = await get_cmd(
            self._engine, CommunityData(community, mpModel=1),  # noqa: S508 - what printers speak
            target, ContextData(), *self._wanted, lookupMib=False,
        )  # fmt: skip
        if failed:
            raise TimeoutError(str(failed))
        return {str(name): value for name, value in found}


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
