"""What a city, a province and the country need: `scale_page` makes docs/scale.md's tables of it.

Nothing is measured here. Every cost is one that a command measured (`COSTS`, with the command),
everything else is an assumption with a name (`ASSUMED`); the tables follow from both. The morning
and two faults are simulated second by second as a queue, as 50 collectors are not to be had.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import NamedTuple


class Cost(NamedTuple):
    """A measured cost, and how."""

    value: float
    unit: str
    by: str


class Assumed(NamedTuple):
    """A number that nobody measured, and why it is this."""

    value: float
    unit: str
    why: str


class Level(NamedTuple):
    """Whom to plan for."""

    name: str
    schools: int
    pcs: int


LEVELS = (
    Level("a city", 600, 20_400),
    Level("a province", 3_500, 120_000),
    Level("the country", 210_000, 8_000_000),
)
INGEST = "make bench-collector, InfluxDB 1.6.7"
CITY = "make bench-keeper-city"
STORAGE = "make bench-storage"
COSTS = {
    "ingest, as fast as it goes": Cost(0.025, "ms of processor a report", INGEST),
    "ingest": Cost(0.041, "ms of processor a report, 2,000 a second of 3,600 PCs", INGEST),
    "broker": Cost(0.024, "ms of processor a report, 2,000 a second of 3,600 PCs", INGEST),
    "database": Cost(0.035, "ms of processor a report, 2,000 a second of 3,600 PCs", INGEST),
    "keeper, school": Cost(1.2, "ms of processor a school and run", CITY),
    "keeper, report": Cost(0.5, "ms of processor a new report", CITY),
    "keeper, whole": Cost(0.61, "s of processor a school, its day derived whole", CITY),
    "keeper, memory": Cost(0.322, "MB a school", CITY),
    "keeper, base": Cost(60.0, "MB the process itself", CITY),
    "figure": Cost(0.02, "s of processor a school", "make bench-figure, SQLite"),
    "figure, memory": Cost(0.11, "MB a school", "make bench-figure, 600 to 2,400 schools"),
    "figure, base": Cost(46.0, "MB the processes themselves", "make bench-figure, SQLite"),
    "telemetry, SQLite": Cost(1351, "B a report", STORAGE),
    "telemetry, InfluxDB": Cost(592, "B a report", STORAGE),
    "telemetry, openGemini": Cost(159, "B a report", STORAGE),
    "evidence, SQLite": Cost(1837, "B a PC and school day", STORAGE),
    "evidence, InfluxDB": Cost(1405, "B a PC and school day", STORAGE),
    "evidence, openGemini": Cost(652, "B a PC and school day", STORAGE),
}
ASSUMED = {
    "report_s": Assumed(300, "s between a PC's reports", "the default"),
    "hours": Assumed(8, "h a day that a PC is on", "8:00 to 16:00, as the benches have it"),
    "days": Assumed(200, "school days a year", "two terms of 20 weeks"),
    "telemetry_days": Assumed(64, "school days within 90 days", "90 × 5/7: the most"),
    "keeper_s": Assumed(60, "s between the keeper's runs", "the default"),
    "load": Assumed(0.5, "of a core that is planned for", "the other half is for bad days"),
    "morning_s": Assumed(1800, "s in which all PCs are switched on", "7:30 to 8:00"),
    "back_s": Assumed(60, "s in which PCs are back after an outage", "make bench-tls: 60 at most"),
    "outage_s": Assumed(600, "s that the broker is away at 10:00", "a restart with a repair"),
    "dead": Assumed(0.1, "of the collectors that die at 14:00", "one machine in ten"),
    "dead_s": Assumed(60, "s until those are started again", "systemd, and the first connection"),
    "collectors": Assumed(50, "collectors of the country, were it one", "what was asked for"),
}


def cost(name: str) -> float:
    """A measured cost."""
    return COSTS[name].value


def given(name: str) -> float:
    """An assumption."""
    return ASSUMED[name].value


def rate(level: Level) -> float:
    """Reports a second while all PCs are on."""
    return level.pcs / given("report_s")


def reports_a_day(level: Level) -> float:
    """Of one school day."""
    return level.pcs * given("hours") * 3600 / given("report_s")


def cores(name: str, level: Level) -> float:
    """Processors that a cost a report keeps busy."""
    return rate(level) * cost(name) / 1000


def keeper_cores(level: Level) -> float:
    """Processors that the keepers keep busy, all parts together."""
    each = level.schools * cost("keeper, school") / given("keeper_s")
    return (each + rate(level) * cost("keeper, report")) / 1000


def keepers(level: Level) -> int:
    """Parts, each with at most the planned load of one core."""
    return max(1, math.ceil(keeper_cores(level) / given("load")))


def keeper_mb(level: Level) -> float:
    """Memory of one part."""
    return cost("keeper, base") + level.schools / keepers(level) * cost("keeper, memory")


def whole_min(level: Level) -> float:
    """How long a part takes at 16:00 where nothing of the day was saved."""
    return level.schools / keepers(level) * cost("keeper, whole") / 60


def collectors(level: Level) -> int:
    """Collectors, each with at most the planned load of one core."""
    return max(1, math.ceil(cores("ingest", level) / given("load")))


def disk_gb(store: str, level: Level) -> tuple[float, float]:
    """Telemetry in its steady state, and evidence a school year, GB."""
    telemetry = reports_a_day(level) * given("telemetry_days") * cost(f"telemetry, {store}")
    evidence = level.pcs * given("days") * cost(f"evidence, {store}")
    return telemetry / 1e9, evidence / 1e9


def pc_year(store: str) -> float:
    """MB that one PC's school year writes: all its telemetry, which expires, and its evidence."""
    day = given("hours") * 3600 / given("report_s") * cost(f"telemetry, {store}")
    return (day + cost(f"evidence, {store}")) * given("days") / 1e6


class Lag(NamedTuple):
    """The queue's worst moments: reports waiting, how long the last of them waits, when it ends."""

    most: float
    lag_s: float
    over_s: int


def arrivals(level: Level) -> Callable[[int], float]:
    """Reports a second at a second after 7:30, the broker's outage and its end included."""
    full, morning = rate(level), given("morning_s")
    away, back = 9000, 9000 + int(given("outage_s"))
    kept = full * given("outage_s")

    def at(second: int) -> float:
        if away <= second < back:
            return 0.0
        on = min(1.0, second / morning)
        first = level.pcs / morning if second < morning else 0.0  # each PC's first report
        late = kept / given("back_s") if back <= second < back + given("back_s") else 0.0
        return full * on + first + late

    return at


def queue(level: Level, members: int, served: float) -> Lag:
    """The day from 7:30 to 16:00 through `members` collectors of `served` reports a second each.

    Those that die take a share of what comes with them, until they are started again.
    """
    come, waiting, held, worst, over = arrivals(level), 0.0, 0.0, Lag(0, 0, 0), 0
    lost, dies = math.ceil(members * given("dead")), 23_400
    comes_back = dies + int(given("dead_s"))
    for second in range(30_600):
        dead = lost if dies <= second < comes_back else 0
        if second == comes_back:
            waiting, held = waiting + held, 0.0
        new = come(second)
        held += new * dead / members
        waiting = max(0.0, waiting + new * (1 - dead / members) - served * (members - dead))
        over += waiting + held > 0
        lag = (waiting + held) / (served * members) + (comes_back - second if held else 0)
        worst = Lag(max(worst.most, waiting + held), max(worst.lag_s, lag), 0)
    return worst._replace(over_s=over)


def members_for(level: Level, served: float, lag_s: float = 120.0) -> int:
    """The fewest collectors with which no report waits longer than `lag_s`."""
    most = 1
    while queue(level, most, served).lag_s > lag_s:
        most *= 2
    least = most // 2
    while most - least > 1:
        middle = (most + least) // 2
        if queue(level, middle, served).lag_s > lag_s:
            least = middle
        else:
            most = middle
    return most
