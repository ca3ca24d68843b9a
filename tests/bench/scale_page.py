"""`make bench-scale` prints docs/scale.md's tables, of the costs and assumptions in `scale`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from scale import (
    ASSUMED,
    COSTS,
    LEVELS,
    Level,
    collectors,
    cores,
    cost,
    disk_gb,
    given,
    keeper_cores,
    keeper_mb,
    keepers,
    members_for,
    pc_year,
    queue,
    rate,
    reports_a_day,
    whole_min,
)


def _number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.2g}" if value < 10 else f"{value:.0f}"


def table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """As Markdown."""
    lines = [heading, ["---"] * len(heading), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines) + "\n"


def needs() -> str:
    """A row each need, a column each level."""
    rows: list[tuple[str, Callable[[Level], str]]] = [
        ("schools", lambda of: f"{of.schools:,}"),
        ("PCs", lambda of: f"{of.pcs:,}"),
        ("reports a second, all on", lambda of: _number(rate(of))),
        ("reports a school day", lambda of: _number(reports_a_day(of))),
        ("cores of the collectors", lambda of: _number(cores("ingest", of))),
        ("cores of the brokers", lambda of: _number(cores("broker", of))),
        ("cores of the databases (InfluxDB)", lambda of: _number(cores("database", of))),
        ("cores of the keepers", lambda of: _number(keeper_cores(of))),
        ("keepers (`[keeper] part`)", lambda of: f"{keepers(of):,}"),
        ("memory of a keeper, MB", lambda of: _number(keeper_mb(of))),
        ("a part's day derived whole at 16:00, min", lambda of: _number(whole_min(of))),
        ("collectors", lambda of: f"{collectors(of):,}"),
        ("the figure, min of processor", lambda of: _number(of.schools * cost("figure") / 60)),
        ("the figure in one, memory, MB", lambda of: _number(
            cost("figure, base") + of.schools * cost("figure, memory"))),
        *_disks(),
    ]  # fmt: skip
    return table(["", *(of.name for of in LEVELS)], [[n, *map(f, LEVELS)] for n, f in rows])


def _disks() -> Iterable[tuple[str, Callable[[Level], str]]]:
    for store in ("SQLite", "InfluxDB", "openGemini"):
        yield (
            f"disk, {store}: telemetry of 90 days, GB",
            lambda of, store=store: _number(disk_gb(store, of)[0]),
        )
        yield (
            f"disk, {store}: evidence of a school year, GB",
            lambda of, store=store: _number(disk_gb(store, of)[1]),
        )


def years() -> str:
    """A PC's school year in each store."""
    rows = [
        [store, _number(cost(f"telemetry, {store}")), _number(cost(f"evidence, {store}")),
         _number(pc_year(store)), _number(cost(f"evidence, {store}") * given("days") / 1e6)]
        for store in ("SQLite", "InfluxDB", "openGemini")
    ]  # fmt: skip
    return table(
        ["", "B a report", "B a PC and day, kept", "MB a PC and year written", "of it kept, MB"],
        rows,
    )


def simulated() -> str:
    """The day as a queue, at each level."""
    served = 1000 / cost("ingest")
    rows = []
    for level in LEVELS:
        fewest = members_for(level, served)
        asked = int(given("collectors"))
        for members in sorted({fewest, asked} if level is LEVELS[-1] else {fewest}):
            found = queue(level, members, served)
            rows.append([
                level.name, f"{members:,}", _number(found.most), _number(found.lag_s),
                _number(found.over_s / 60),
            ])  # fmt: skip
    heading = ["", "collectors", "most reports waiting", "longest wait, s", "min with any waiting"]
    return table(heading, rows)


def costs() -> str:
    """What was measured, and what is assumed."""
    measured = [[n, _number(c.value), c.unit, c.by] for n, c in COSTS.items()]
    assumed = [[n, _number(a.value), a.unit, a.why] for n, a in ASSUMED.items()]
    first = table(["measured", "", "", "by"], measured)
    return first + "\n" + table(["assumed", "", "", "why"], assumed)


def page() -> str:
    """All tables, as they stand in docs/scale.md."""
    return "\n".join((needs(), years(), simulated(), costs()))


#: Between these lines of the page stand the tables.
BEGIN, END = "<!-- make bench-scale -->\n", "<!-- end -->\n"


def placed(text: str) -> str:
    """The page's text with the tables of now."""
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{page()}\n{END}{after}"


def main() -> int:
    """Print the tables, and put them into the page that is named."""
    sys.stdout.write(page())
    for name in sys.argv[1:]:
        path = Path(name)
        path.write_text(placed(path.read_text("utf-8")), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
