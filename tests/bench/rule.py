"""How often the rule for lines errs, by simulation: `make bench-rule`.

A line of a true rate is tested at different times and judged by the rule itself. Each reading is
the rate as the network card counts it, times the instrument's error (normal, 0.3%), and in some
share of the tests what other traffic of the school left of it (evenly 50 to 100%).
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from random import Random

from collector.compliance.line_rule import opinion
from collector.compliance.lines import LineDays
from collector.config import Figure

RATES = 9.5, 9.7, 10.0, 10.3
TESTS = 10, 30, 60
DISTURBED = 0.0, 0.5, 0.9
INSTRUMENT = 0.003
#: What a network card counts of a rate that is shaped there: frames without their check sum.
COUNTED = {"IP": 1514 / 1500, "layer 2": 1514 / 1518, "layer 1": 1514 / 1538}
FIRST = dt.date(2026, 12, 1)
PER_DAY = 2


def tested(true: float, tests: int, disturbed: float, random: Random) -> LineDays:
    """A line's valid quiet tests, two a day."""
    line = LineDays()
    for nth in range(tests):
        left = random.uniform(0.5, 1.0) if random.random() < disturbed else 1.0
        line.days.append(FIRST + dt.timedelta(days=nth // PER_DAY))
        line.rates.append(round(true * random.gauss(1.0, INSTRUMENT) * left, 4))
        line.quiet.append(True)
        line.pc_mbps.append(1000.0)
    return line


def said_yes(true: float, tests: int, disturbed: float, runs: int, random: Random) -> float:
    """The share of runs in which the rule says that the line meets 10; else it says no."""
    last = FIRST + dt.timedelta(days=tests)
    lines = (tested(true, tests, disturbed, random) for _ in range(runs))
    words = [opinion([line], FIRST, last, Figure()) for line in lines]
    assert all(word is not None for word in words)
    return sum(word is not None and word.yes for word in words) / runs


def table(runs: int, seed: int) -> Iterator[str]:
    """The table of the documentation, in Markdown: a cell has a share for each number of tests."""
    random = Random(seed)
    yield "| true rate | shaped at | " + " | ".join(f"{share:.0%}" for share in DISTURBED) + " |"
    yield "|---|---|" + "---|" * len(DISTURBED)
    for true in RATES:
        for layer, counted in COUNTED.items():
            cells = [_cell(true * counted, disturbed, runs, random) for disturbed in DISTURBED]
            yield f"| {true:g} | {layer} | {' | '.join(cells)} |"


def _cell(true: float, disturbed: float, runs: int, random: Random) -> str:
    shares = (said_yes(true, tests, disturbed, runs, random) for tests in TESTS)
    return " / ".join(f"{100 * share:.1f}" for share in shares)


def main() -> None:
    """Print the table."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--runs", type=int, default=2000)
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args()
    for row in table(chosen.runs, chosen.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
