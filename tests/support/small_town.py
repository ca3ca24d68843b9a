"""A small town made by hand: a register, and what its rooms and lines said."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any

from agent.common.calendar import CITY_TIME, Calendar
from collector.compliance.displays import Display, written
from collector.compliance.figure import judge
from collector.compliance.model import Evidence, Figure, LineRecord, LineTest, RoomDay, Unit
from collector.config import City
from collector.config import Figure as Settings
from collector.roster.register import (
    Campus,
    Equipment,
    Inspection,
    Line,
    Register,
    Room,
    School,
    SchoolClass,
)

CODE = "9901020001"
QUIET, LESSON = dt.time(12, 30), dt.time(9, 0)


class Town:
    """Rows are added one by one; `figure` judges them at the cut-off."""

    cutoff = dt.date(2026, 12, 31)  # a Thursday
    code = CODE

    def __init__(self) -> None:
        self.schools: dict[str, School] = {}
        self.campuses: list[Campus] = []
        self.lines: list[Line] = []
        self.rooms: list[Room] = []
        self.classes: list[SchoolClass] = []
        self.equipment: list[Equipment] = []
        self.inspections: list[Inspection] = []
        self.calendar = Calendar()
        self.room_days: list[RoomDay] = []
        self.tests: list[LineTest] = []
        self.records: list[LineRecord] = []
        self.city = City()

    def ago(self, days: int) -> dt.date:
        """The day so many calendar days before the cut-off."""
        return self.cutoff - dt.timedelta(days=days)

    def school(self, code: str = CODE, kind: str = "小学", **more: Any) -> str:
        """A school on one campus."""
        row = {"name": f"示例{code[-4:]}", "district": "630102", "responsible": "630102"} | more
        self.schools[code] = School(code=code, type=kind, **row)
        self.campuses.append(Campus(code, "本部"))
        return code

    def room(
        self, room: str, code: str = CODE, campus: str = "本部", kind: str = "教室",
        seats: int | None = None, **owned: int,
    ) -> str:  # fmt: skip
        """A room, and what the register says that it owns."""
        self.rooms.append(Room(code, campus, room, room, kind, seats))
        self.equipment += [Equipment(code, room, kind, count) for kind, count in owned.items()]
        return room

    def taught(self, name: str, *rooms: str, code: str = CODE, **more: Any) -> None:
        """A class."""
        self.classes.append(SchoolClass(code, name, rooms, **more))

    def saw(
        self, room: str, days: Iterable[int], *seen: str, pcs: int = 1, code: str = CODE,
        simulated: bool = False, displays: Iterable[Display] | None = None,
        together: int | None = None,
    ) -> None:  # fmt: skip
        """A room's days, as days before the cut-off; its PCs at one time, unless said otherwise.

        `displays` None: a row of an older keeper, which lists none.
        """
        at_once = pcs if together is None else together
        text = None if displays is None else written(displays)
        pieces = frozenset({"computer", *seen})
        self.room_days += [
            RoomDay(code, room, self.ago(day), pcs, pieces, simulated, text, at_once)
            for day in days
        ]

    def line(
        self, line: str = "1", contract: float | None = 20, campus: str = "本部", code: str = CODE,
        network: str = "",
    ) -> str:  # fmt: skip
        """A line of a campus."""
        self.lines.append(Line(code, line, campus, contract, network=network))
        return line

    def tested(
        self, rate: float | None, days: Iterable[int], line: str = "1", at: dt.time = QUIET,
        times: int = 1, record: dict[str, Any] | None = None, code: str = CODE, **more: Any,
    ) -> None:  # fmt: skip
        """Valid tests and their records, `times` a day; `more` and `record` change fields."""
        for day in days:
            for nth in range(times):
                moment = dt.datetime.combine(self.ago(day), at, CITY_TIME)
                time = (int(moment.timestamp()) + 60 * nth) * 10**9
                test = f"{code}-{line}-{day}-{at}-{nth}-{len(self.tests)}"
                self._tested(rate, time, test, line, code, record, more)

    def _tested(
        self, rate: float | None, time: int, test: str, line: str, code: str,
        record: dict[str, Any] | None, more: dict[str, Any],
    ) -> None:  # fmt: skip
        fields = {
            "outcome": "ok", "down_mbps": rate, "payload_down": 10_000_000, "seconds": 10.0,
            "wired": True, "solo": True, "other_share": 0.0, "server_limited": False,
            "pc_limited": False, "nic_mbps": 1000.0,
        }  # fmt: skip
        self.tests.append(LineTest(code, "a" * 32, line, test, time, **(fields | more)))
        kept = {"outcome": "ok", "sent_bytes": 10_000_000, "down_mbps": rate, "solo": True}
        kept |= record or {}
        if kept["outcome"]:
            row = {"machine": "a" * 32, "time": time} | kept
            self.records.append(LineRecord(school=code, line=line, test=test, **row))

    def inspected(
        self, indicator: str, day: int, found: bool, unit: str = "", code: str = CODE
    ) -> None:
        """An on-site record, so many days before the cut-off."""
        seen = self.ago(day)
        self.inspections.append(Inspection(code, indicator, unit, seen, "核查员", found))

    def register(self) -> Register:
        """The register."""
        return Register(
            schools=self.schools, campuses=self.campuses, lines=self.lines, rooms=self.rooms,
            classes=self.classes, equipment=self.equipment, inspections=self.inspections,
            calendar=self.calendar, areas={"630102": "城东区", "630103": "城中区"},
        )  # fmt: skip

    def evidence(self) -> Evidence:
        """All that was said."""
        return Evidence(self.room_days, self.tests, self.records)

    def figure(self, cutoff: dt.date | None = None, **settings: Any) -> Figure:
        """The figure of the cut-off's year."""
        last = cutoff or self.cutoff
        rules = Settings(**settings)
        return judge(self.register(), self.evidence(), rules, self.city, year=last.year, today=last)

    def unit(self, indicator: str, name: str = "", **settings: Any) -> Unit:
        """One unit, judged."""
        units = [
            unit
            for unit in self.figure(**settings).units
            if unit.indicator == indicator and name in ("", unit.name)
        ]
        assert len(units) == 1
        return units[0]
