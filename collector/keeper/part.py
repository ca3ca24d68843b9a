"""A keeper's share of the city: schools by a hash of their code. Pure.

Parts derive disjoint schools, and a school's rows (days, hours, events, doubts about its PCs' ids)
need no other school's. What needs all of them is the first part's: the figure with its
indicators, which tells displays that two schools share, and the audit.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from typing import NamedTuple


class Part(NamedTuple):
    """Part `number` of `of`, from 1; the default is the whole city."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"

    @property
    def is_first(self) -> bool:
        """Whether it does what needs all schools."""
        return self.number == 1

    def has(self, school: str) -> bool:
        """Whether a school is in it: the same on every machine and with every register."""
        return zlib.crc32(school.encode()) % self.of == self.number - 1

    def schools(self, schools: Iterable[str]) -> list[str]:
        """Those of `schools` that are in it, in order."""
        return sorted(school for school in schools if self.has(school))


def part_of(text: str) -> Part:
    """The part that a setting such as `2/4` names.

    Raises:
        ValueError: it names none.
    """
    number, slash, of = text.partition("/")
    if not (slash and number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
        raise ValueError(text)
    return Part(int(number), int(of))
