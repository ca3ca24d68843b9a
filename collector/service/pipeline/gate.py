"""What a school may send: in bounds, within its allowance, from as many PCs as it can have."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from pathlib import Path

from collector.ingest import Bounds, Noted
from collector.roster.limits import Limits, lasting
from collector.roster.register import Register
from collector.service.pipeline import known_devices
from collector.service.pipeline.allowances import Allowances
from collector.service.pipeline.known_machines import KnownMachines
from collector.service.pipeline.rates import Rates
from collector.store.base import Point

#: The limits of a registered school.
LimitsIn = Callable[[Register, str], Limits]


class Gate:
    """Looks up limits and lines in the register in force, once for each register.

    `within`, `admits` and `has_room` are for the sorter's thread, `hello_within` for the
    receiving one.
    """

    def __init__(
        self,
        register: Callable[[], Register],
        limits: LimitsIn,
        machines: KnownMachines,
        *,
        accept_simulated: bool = False,
        allowances: Path | None = None,
    ) -> None:
        """`allowances`: the file that keeps what is left of them; without, a restart forgets it."""
        self._register, self._limits_in = register, limits
        self.machines = machines
        self._devices = known_devices.KnownDevices()
        self._tables = _Tables(register())
        self._reports, self._hellos = Rates(self.limits), Rates(self.limits)
        self._allowances = Allowances(allowances, self._reports) if allowances else None
        self.bounds = Bounds(self._lines, accept_simulated)

    def limits(self, school: str) -> Limits | None:
        """A school's limits; None where the register lacks it."""
        tables = self._now()
        found = tables.limits.get(school)
        if found is None and school in tables.register.schools:
            found = tables.limits[school] = self._limits_in(tables.register, school)
        return found

    def _lines(self, school: str) -> Container[str]:
        tables = self._now()
        found = tables.lines.get(school)
        if found is None:
            rows = tables.register.lines_of.get(school, ())
            found = tables.lines[school] = frozenset(row.line for row in rows)
        return found

    def within(self, school: str, size: int, now: float) -> bool:
        """Whether a message is within its school's allowance; see `Rates.take`."""
        return self._reports.take(school, size, now)

    def hello_within(self, school: str, size: int, now: float) -> bool:
        """The same for hellos, which have an allowance of their own."""
        return self._hellos.take(school, size, now)

    def admits(self, school: str, machine: str, now_ms: int) -> bool:
        """Whether the PC has a place in its school, which a new one takes if one is free."""
        if self.machines.seen(school, machine, now_ms):
            return True
        limits = self.limits(school)
        return limits is None or self.machines.admit(school, machine, limits.max_machines, now_ms)

    def admits_retained(self, noted: Noted, now_ms: int) -> bool:
        """The same by a presence that is sent again each hour, also of a PC that is gone for years.

        So it keeps no place, and takes one only where it says that the PC is on.
        """
        if self.machines.knows(noted.school, noted.machine):
            return True
        return noted.presence.online and self.admits(noted.school, noted.machine, now_ms)

    def has_room(self, school: str, points: Sequence[Point], now_ms: int) -> bool:
        """Whether the devices of a report have a place in its school, which new ones take."""
        ids = [point.tags["device"] for point in points if "device" in point.tags]
        limits = self.limits(school) if ids else None
        if limits is None:
            return True
        return self._devices.admit(school, ids, _devices_of(limits), now_ms)

    def save_when_due(self) -> None:
        """Write what has changed of PCs and allowances; called often."""
        self.machines.save_when_due()
        if self._allowances:
            self._allowances.save_when_due()

    def close(self) -> None:
        """Write both; the sorter's thread has ended."""
        self.machines.close()
        if self._allowances:
            self._allowances.save()

    def detail(self, school: str, reason: str) -> str:
        """The limit that a report is held for."""
        limits = self.limits(school)
        if limits is None:
            return ""
        if reason == "too_many_machines":
            return f"{limits.max_machines}"
        if reason == "too_many_devices":
            return f"{_devices_of(limits)}"
        return _rates(limits)

    def _now(self) -> _Tables:
        register = self._register()
        if self._tables.register is not register:
            self._tables = _Tables(register)
        return self._tables


def _devices_of(limits: Limits) -> int:
    return limits.max_machines * known_devices.A_PC


def _rates(limits: Limits) -> str:
    """A minute, and a day in the long run."""
    reports, kb = (24 * 60 * found for found in lasting(limits))
    return f"{limits.max_reports}/min {limits.max_kb} kB/min {reports:.0f}/d {kb:.0f} kB/d"


class _Tables:
    """What was looked up in one register."""

    def __init__(self, register: Register) -> None:
        self.register = register
        self.limits: dict[str, Limits] = {}
        self.lines: dict[str, Container[str]] = {}
