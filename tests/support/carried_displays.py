"""Displays that rooms of a small town saw, and what its classes are judged."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from collector.compliance.displays import Display
from collector.compliance.model import Verdict

V, N, D, C, S, U = Verdict
OWNED = {"computer": 1, "projector": 1}
MORNING, NOON, EVENING = 0b111 << 16, 0b111 << 24, 0b111 << 34


def one(identity: str = "a", half_hours: int = MORNING, kind: str = "projector") -> Display:
    return Display(identity and identity.ljust(12, "0"), kind, half_hours)


def rooms_of(town: Any, count: int, code: str | None = None, **owned: int) -> list[str]:
    code = code or town.code
    names = [f"{n + 1}0{n + 1}" for n in range(count)]
    for name in names:
        town.taught(name, town.room(name, code=code, **(owned or OWNED)), code=code)
    return names


def saw(
    town: Any, room: str, days: Iterable[int], *shown: Display, code: str | None = None
) -> None:
    town.saw(room, days, displays=shown, code=code or town.code)


def verdicts(town: Any, **rules: Any) -> dict[tuple[str, str], Verdict]:
    return {
        (unit.school, unit.name): unit.verdict
        for unit in town.figure(**rules).units
        if unit.indicator == "multimedia"
    }


def values(town: Any, **rules: Any) -> list[Verdict]:
    return list(verdicts(town, **rules).values())
