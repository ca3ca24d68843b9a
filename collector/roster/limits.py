"""How much the collector takes from one school: PCs, and reports and bytes a minute. Pure.

The register says how many PCs a school can have, and what a policy does not set follows from it.
All of it is generous: an honest school never comes near, and one whose credential is abused costs
the others nothing.

- PCs: half as many again as the rooms have places, and `SPARE` more. A room has as many places as
  it has seats, registered computers or rows of PCs, whichever is most, and at least one. A school
  without rooms in the register may have `WITHOUT_ROOMS` PCs.
- Devices: `known_devices.A_PC` for each PC, in a month.
- Reports a minute: `BUSY` times what these PCs send by themselves. An allowance that is not used
  adds up to `SAVED` minutes, so that PCs that were offline for days deliver at once.
- Bytes a minute: `REPORT_KB` for each of these reports.
- In the long run `LASTING` of both, which is twice what these PCs send, or of what a policy sets,
  whichever is more: a policy bounds what comes within minutes. What is not used adds up over
  `LASTING_SAVED` minutes, to the reports of 60 days: PCs keep no older ones, so a school that was
  offline for as long still delivers all.
"""

from __future__ import annotations

import math
from typing import NamedTuple

from collector.roster.register import Register, Room

SPARE = 20
WITHOUT_ROOMS = 100
BUSY = 20
#: At one report each 5 minutes: 3,000 a PC, those of ten days.
SAVED = 750
REPORT_KB = 4
LASTING = 2 / BUSY
LASTING_SAVED = 30 * 24 * 60


class Limits(NamedTuple):
    """Of one school. The fields are keys of a policy."""

    max_machines: int
    max_reports: int  # a minute
    max_kb: int  # a minute
    usual: int = 0  # `max_reports` without a policy: no key of one


LIMITS = Limits._fields[:3]


def limits(
    register: Register,
    school: str,
    report_s: int,
    max_machines: int | None = None,
    max_reports: int | None = None,
    max_kb: int | None = None,
) -> Limits:
    """A school's limits; those given come from a policy. `report_s`: s between reports of a PC."""
    machines = max_machines or _machines(register, school)
    usual = math.ceil(machines * BUSY * 60 / report_s)
    reports = max_reports or usual
    return Limits(machines, reports, max_kb or reports * REPORT_KB, usual)


def for_minutes(found: Limits) -> tuple[float, float]:
    """Reports and kB a minute that are taken at once."""
    return found.max_reports, found.max_kb


def lasting(found: Limits) -> tuple[float, float]:
    """Reports and kB a minute in the long run."""
    reports = max(found.max_reports, found.usual)
    return LASTING * reports, LASTING * max(found.max_kb, found.usual * REPORT_KB)


def _machines(register: Register, school: str) -> int:
    rooms = register.rooms_of.get(school, [])
    if not rooms:
        return WITHOUT_ROOMS
    rows = [row.room for row in register.machines_of.get(school, [])]
    places = sum(_places(register, room, rows.count(room.room)) for room in rooms)
    return math.ceil(places * 1.5) + SPARE


def _places(register: Register, room: Room, rows: int) -> int:
    owned = register.equipment_of.get((room.school, room.room), ())
    computers = sum(row.count for row in owned if row.kind == "computer")
    return max(room.seats or 0, computers, rows, 1)
