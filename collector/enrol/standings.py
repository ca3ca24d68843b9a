"""The rotations under way, each with the PCs it waits for: from credentials.db and the store."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from agent.common.tables import now_ms
from collector.config import Config
from collector.enrol import seen
from collector.enrol.place import Place
from collector.enrol.rotation import Standing, since, standing
from collector.enrol.state import Rotation, State
from collector.roster.register import Register
from collector.store.factory import open_store

_NS, _DAY_MS = 1_000_000, 86_400_000


class Rotating(NamedTuple):
    """A rotation and who has moved."""

    rotation: Rotation
    standing: Standing


def under_way(
    place: Place, config: Config, state: State, register: Register
) -> dict[str, Rotating]:
    """By school.

    Raises:
        StoreError: the store does not answer, and nobody knows which PCs reported.
        OSError, sqlite3.Error: credentials.db cannot be read.
    """
    rotations, held = state.rotations(), state.held()
    if not rotations:
        return {}
    start = min(map(since, rotations.values()))
    said, reported = seen.read(place.seen, start), _reported(config, rotations)
    return {
        code: Rotating(
            one,
            standing(held[code], one, said.get(code, ()), reported.get(code, ()),
                     retired(register, code)),
        )
        for code, one in rotations.items()
        if code in held
    }  # fmt: skip


def retired(register: Register, school: str) -> set[str]:
    """The PCs of a school that were taken out of service."""
    return {
        machine
        for (code, machine), decision in register.decided.items()
        if code == school and decision.act in ("retire", "merge")
    }


def _reported(config: Config, rotations: Mapping[str, Rotation]) -> dict[str, set[str]]:
    """By school, the PCs that the store has had reports of since each rotation counts."""
    start = min(map(since, rotations.values()))
    found: dict[str, set[str]] = {}
    with open_store(config) as store:
        tags = {"school": list(rotations)}
        # A day's point stands at its beginning.
        first, last = (start - _DAY_MS) * _NS, (now_ms() + _DAY_MS) * _NS
        for point in store.read("machine_day", first, last, tags, ["last_ms"]):
            school, machine = point.tags["school"], point.tags["machine"]
            if int(point.fields["last_ms"]) >= since(rotations[school]):
                found.setdefault(school, set()).add(machine)
    return found
