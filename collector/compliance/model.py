"""The data of the judging: evidence, verdicts, and the figure.

Rows of evidence are never changed. They are not frozen, as frozen ones take three times as long to
make, and a city has a million.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Literal

from collector import config
from collector.roster.register import Register

Indicator = str
"""The id of an indicator, as the settings have it."""


class Verdict(StrEnum):
    """A unit's verdict, from best to worst; UNKNOWN is last."""

    VERIFIED = "verified"
    INSPECTED = "inspected"
    DECLARED = "declared"
    CONTRADICTED = "contradicted"
    SHORT = "short"
    UNKNOWN = "unknown"


@dataclass(slots=True, unsafe_hash=True)
class RoomDay:
    """A room's day, as `room_day` in the store."""

    school: str
    room: str
    day: dt.date
    pcs: int = 0
    seen: frozenset[str] = frozenset()  # of computer, display, sound, microphone, camera
    simulated: bool = False
    displays: str | None = None  # see `displays.written`; None: a row that lists none
    together: int = 0  # most PCs reporting in one same hour, of those with a strong id


@dataclass(slots=True, unsafe_hash=True)
class LineRow:
    """What an agent's test and the server's record of it both have."""

    school: str
    machine: str
    line: str
    test: str
    time: int  # the end of the test, ns since 1970 UTC
    outcome: str


@dataclass(slots=True, unsafe_hash=True)
class LineTest(LineRow):
    """An agent's test, as `line_test` in the store."""

    down_mbps: float | None = None
    payload_down: int | None = None
    seconds: float | None = None
    wired: bool | None = None
    solo: bool | None = None
    other_share: float | None = None
    server_limited: bool | None = None
    simulated: bool = False
    interface: str = ""
    reason: str = ""  # why the agent considers it invalid, else empty
    long: bool = False  # ran to its time limit, as once a week
    burst: bool = False  # the line slowed down during it; the rate is the later one
    pc_limited: bool | None = None  # the PC's processor held it back; None: not known
    nic_mbps: float | None = None  # the network card's own rate
    late_days: int = 0  # whole days from its end to its arrival
    lossy: bool = False  # losses on the way held it back, as `thresholds.is_lossy` has it


@dataclass(slots=True, unsafe_hash=True)
class LineRecord(LineRow):
    """The measurement server's record, as `line_record` in the store."""

    sent_bytes: int = 0
    down_mbps: float | None = None
    solo: bool = False
    simulated: bool = False
    address: str = ""  # where the test came from; empty: not kept
    server_limited: bool | None = None  # None: not kept
    late_days: int = 0  # whole days from its end to its arrival


@dataclass(frozen=True, slots=True)
class DoubtDay:
    """What is odd about a school's machine ids on a day, as `school_day` in the store."""

    school: str
    day: dt.date
    ids_beyond: int = 0
    ids_alike: int = 0
    ids_unnamed: int = 0
    ids_late: int = 0


@dataclass(frozen=True, slots=True)
class Evidence:
    """All telemetry that the figure depends on, up to the cut-off.

    Every school's window, and older rows of rooms and lines that their window leaves undecided:
    an old no counts until a later yes.
    """

    room_days: Sequence[RoomDay] = ()
    line_tests: Sequence[LineTest] = ()
    line_records: Sequence[LineRecord] = ()
    simulated: bool = False  # the store has simulated rows, here or elsewhere
    doubt_days: Sequence[DoubtDay] = ()  # of the window; days without any have no row


@dataclass(frozen=True, slots=True)
class Step:
    """One rule applied: its name, its numbers, and its result in Chinese and English."""

    rule: str
    zh: str
    en: str
    numbers: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unit:
    """One unit of the register, judged."""

    indicator: Indicator
    school: str
    district: str
    name: str  # the class's name, or the school's
    verdict: Verdict
    steps: tuple[Step, ...] = ()
    simulated: bool = False
    count: int = 1  # how many alike it stands for: teachers of whom the register has no names


@dataclass(frozen=True, slots=True)
class Tally:
    """Units by verdict. Shares are exact fractions, None if there are no units."""

    counts: Counter[Verdict]

    @property
    def all(self) -> int:
        """Units in the register."""
        return self.counts.total()

    def share(self, *verdicts: Verdict) -> Fraction | None:
        """The share of these verdicts."""
        if not self.all:
            return None
        return Fraction(sum(self.counts[verdict] for verdict in verdicts), self.all)

    @property
    def verified(self) -> Fraction | None:
        """核实率, the headline."""
        return self.share(Verdict.VERIFIED, Verdict.INSPECTED)

    @property
    def reported(self) -> Fraction | None:
        """上报率."""
        return self.share(Verdict.VERIFIED, Verdict.INSPECTED, Verdict.DECLARED)

    @property
    def unknown(self) -> Fraction | None:
        """The unknown share."""
        return self.share(Verdict.UNKNOWN)

    @property
    def ceiling(self) -> Fraction | None:
        """The share if every declared and unknown unit were good."""
        return self.share(Verdict.VERIFIED, Verdict.INSPECTED, Verdict.DECLARED, Verdict.UNKNOWN)


@dataclass(frozen=True, slots=True)
class JudgedLine:
    """One line's numbers in the window; rates in Mbit/s, None without a valid test."""

    school: str
    district: str
    line: str
    campus: str
    contract_mbps: float | None
    verdict: Verdict
    tests: int = 0  # valid quiet tests
    days: int = 0  # with valid quiet tests
    statistic: float | None = None  # what the rule compares: the higher 90th percentile, by default
    median: float | None = None  # of the tests that the statistic is taken from
    p90: float | None = None  # 90th percentile of the valid quiet tests, whatever the rule
    quiet_median: float | None = None
    lesson_tests: int = 0
    lesson_median: float | None = None
    congested: bool = False  # 达标但拥塞
    between: bool = False  # meets only within the tolerance
    refused: Mapping[str, int] = field(default_factory=dict)  # tests that are no evidence, by why
    simulated: bool = False
    doubts: Mapping[str, int] = field(default_factory=dict)  # tests that count and are in doubt


@dataclass(frozen=True, slots=True)
class Area:
    """The city, a district or a school."""

    level: Literal["city", "district", "school"]
    code: str
    name: str
    district: str = ""  # the district of a school


@dataclass(frozen=True, slots=True)
class Figure:
    """The yearly figure: every unit's verdict, and the tallies of every area."""

    year: int
    cutoff: dt.date
    units: Sequence[Unit]
    areas: Sequence[Area]  # city first, then districts, then schools
    tallies: Mapping[tuple[str, Indicator], Tally]  # by area code
    simulated: bool
    contract: Mapping[str, Tally] = field(default_factory=dict)  # 登记接入带宽, by area code
    apart: Mapping[str, int] = field(default_factory=dict)  # school types listed apart
    notes: Mapping[str, int] = field(default_factory=dict)  # between 0.97 T and T, ...
    lines: Sequence[JudgedLine] = ()
    register: Register = field(default_factory=lambda: Register({}))
    settings: config.Figure = field(default_factory=config.Figure)
    root: str = ""  # of the frozen archive that it comes from: its root hash; empty: live
    revision: int = 0  # of that archive
    doubts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # school -> sign: number

    @property
    def indicators(self) -> Sequence[Indicator]:
        """The ids of the indicators that were judged, in their order."""
        return tuple(self.settings.indicators)
