"""Which rows of a school are meant: by measurement, PC, line, days, or as simulated. Pure."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from agent.common.calendar import midnight_ns
from agent.common.language import say
from collector.schema import MEASUREMENTS
from collector.store.base import Point, Store

KEYS = ("measurement", "machine", "line", "from", "to", "simulated")
#: Rows that judge or count a whole school or area: there a simulated row leaves only its mark,
#: which is taken off; the rest of the row is not its.
MARKED = ("school_hour", "school_day", "line_day", "indicator")
#: From these the keeper derives a room's day.
OF_ROOMS = frozenset(("agent", "host", "device", "machine_day", "device_day"))
_MACHINE = re.compile("[0-9a-f]{32}")
_MIN, _MAX = -(2**63), 2**63 - 1


class Where(NamedTuple):
    """The rows of one school that are meant; an empty text, None or False excludes nothing."""

    school: str
    measurements: tuple[str, ...] = ()
    machine: str = ""
    line: str | None = None
    first: dt.date | None = None
    last: dt.date | None = None
    simulated: bool = False

    def chosen(self) -> list[str]:
        """The measurements that can have such rows, and whose rows are removed."""
        wanted = {"school", *(["machine"] if self.machine else [])}
        wanted |= set() if self.line is None else {"line"}
        return [
            name
            for name, known in MEASUREMENTS.items()
            if wanted <= set(known.tags)
            and (not self.measurements or name in self.measurements)
            and not (self.simulated and ("simulated" not in known.fields or name in MARKED))
        ]

    @property
    def tags(self) -> dict[str, str]:
        """The tags of these rows."""
        tags = {"school": self.school}
        tags |= {"machine": self.machine} if self.machine else {}
        return tags if self.line is None else tags | {"line": self.line}

    @property
    def span(self) -> tuple[int, int]:
        """Their times [start, stop), ns since 1970 UTC."""
        start = _MIN if self.first is None else midnight_ns(self.first)
        stop = _MAX if self.last is None else midnight_ns(self.last + dt.timedelta(days=1))
        return start, stop

    def matches(self, point: Point) -> bool:
        """Whether a row of these tags and times is meant."""
        return not self.simulated or point.fields.get("simulated") is True

    def read(self, store: Store, name: str) -> Iterator[Point]:
        """All rows of a measurement with these tags and times; raises as `Store.read`."""
        return store.read(name, *self.span, self.tags)


def parse(school: str, pairs: Sequence[str]) -> tuple[Where, list[str]]:
    """What `KEY=VALUE` words mean, and messages on wrong ones."""
    where, problems = Where(school), []
    for pair in pairs:
        key, sign, text = pair.partition("=")
        problem = ""
        if not sign or key not in KEYS:
            problem = say(
                f"要写成 {', '.join(KEYS)} 之一=值", f"must be one of {', '.join(KEYS)}=…"
            )
        elif key == "measurement":
            names = text.split(",")
            known = [name for name, one in MEASUREMENTS.items() if "school" in one.tags]
            if set(names) <= set(known):
                where = where._replace(measurements=(*where.measurements, *names))
            else:
                problem = say(f"有：{', '.join(known)}", f"there are {', '.join(known)}")
        elif key == "machine":
            problem = (
                "" if _MACHINE.fullmatch(text) else say("要 32 位机器号", "must be 32 hex digits")
            )
            where = where._replace(machine=text)
        elif key == "line":
            where = where._replace(line=text)
        elif key == "simulated":
            problem = "" if text == "yes" else say("只能写 simulated=yes", "only simulated=yes")
            where = where._replace(simulated=True)
        else:
            where, problem = _day(where, key, text)
        problems += [f"{pair}: {problem}"] if problem else []
    if not problems and not where.chosen():
        text = say(
            "没有哪类数据同时符合这些条件", "no measurement has rows of all these conditions"
        )
        problems.append(text)
    return where, problems


def _day(where: Where, key: str, text: str) -> tuple[Where, str]:
    try:
        day = dt.date.fromisoformat(text)
        midnight_ns(day + dt.timedelta(days=1))
    except (ValueError, OverflowError):
        return where, say("要写成 2026-11-24", "must be like 2026-11-24")
    return (where._replace(first=day) if key == "from" else where._replace(last=day)), ""


class Run(NamedTuple):
    """All rows of one series from `first` to `last`, ns, both included, are meant."""

    tags: tuple[tuple[str, str], ...]
    first: int
    last: int


def runs(points: Iterable[tuple[Point, bool]], names: Sequence[str]) -> Iterator[Run]:
    """The rows that are meant as runs without any other row of their series between them.

    `points`, oldest first, each with whether it is meant; `names`: the tags that make a series.
    """
    begun: dict[tuple[tuple[str, str], ...], Run] = {}
    for point, meant in points:
        series = tuple((name, point.tags.get(name, "")) for name in names)
        run = begun.get(series)
        if meant:
            begun[series] = Run(series, run.first if run else point.time, point.time)
        elif run:
            yield begun.pop(series)
    yield from begun.values()
