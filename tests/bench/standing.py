"""What it costs to know what stands, with a year of tests a line: `make bench-standing`.

A line whose window says yes is judged by one window; one without any word by every window of the
year, which is the dearest case.
"""

from __future__ import annotations

import datetime as dt
import itertools
import time
from collections.abc import Sequence

from agent.common.calendar import Calendar
from collector.compliance.line_rule import Bundle
from collector.compliance.lines import LineDays
from collector.compliance.standing import standing
from collector.compliance.window import Windows
from collector.config import Figure

LINES, DAYS, PER_DAY, ALLOWED_MS = 100, 365, 4, 10.0
CUTOFF = dt.date(2026, 12, 31)
#: Rates by turns, whether the tests are quiet, and what their PCs can show, in Mbit/s.
CASES = {
    "meets": ((12.0,), True, 1000.0),
    "denied": ((6.0,), True, 1000.0),
    "lesson tests alone, low": ((6.0,), False, 1000.0),
    "older agents, low": ((6.0,), True, 0.0),
    "in lessons, one of twelve good": ((6.0,) * 11 + (9.7,), False, 1000.0),
}


def year(rates: Sequence[float], quiet: bool, pc_mbps: float) -> LineDays:
    """A line tested on every day of the year."""
    line, turns = LineDays(), itertools.cycle(rates)
    for back in range(DAYS, -1, -1):
        for _ in range(PER_DAY):
            line.days.append(CUTOFF - dt.timedelta(days=back))
            line.rates.append(next(turns))
            line.quiet.append(quiet)
            line.pc_mbps.append(pc_mbps)
    return line


def cost_ms(line: LineDays, rules: Figure) -> float:
    """CPU for one such line, in ms."""
    windows = Windows(Calendar(), rules)
    started = time.process_time()
    for _ in range(LINES):
        bundle, days = Bundle([line], rules), sorted(set(line.days))
        standing(
            days,
            lambda lo, hi, days=days, bundle=bundle: bundle.opinion(days[lo], days[hi - 1]),
            windows.first,
            CUTOFF,
        )
    return (time.process_time() - started) / LINES * 1000


def main() -> None:
    """Print ms of CPU a line; exit code 1 where one is too much."""
    took = {}
    for name, case in CASES.items():
        took[name] = cost_ms(year(*case), Figure())
        print(f"{name}: {took[name]:.2f} ms a line with {DAYS} days of {PER_DAY} tests")
    raise SystemExit(any(ms > ALLOWED_MS for ms in took.values()))


if __name__ == "__main__":
    main()
