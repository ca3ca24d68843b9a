"""Freezes the small town in a process of its own, which can be killed, limited, or set up oddly.

python freeze_town.py FOLDER [--kill N] [--bytes N] [--shuffle SEED] [--reason TEXT]
"""

from __future__ import annotations

import argparse
import datetime as dt
import os
import random
import resource
import signal
from pathlib import Path
from typing import Any

import judged_town
from collector.archive.freezing import Done, freeze
from collector.compliance.model import Evidence
from collector.roster.book import Import

NOW = dt.datetime(2026, 1, 5, 2, 30, tzinfo=dt.UTC)
IMPORTS = (
    Import(1, dt.datetime(2025, 9, 1, tzinfo=dt.UTC), "admin", "台账", {"schools.csv": "0"}),
)


def town() -> Any:
    """Every verdict, odd names, a no that an old test leaves, a calendar, inspections."""
    made = judged_town.build(dt.date(2025, 12, 31))
    made.taught('=1+1"，\n五班', made.room("五，班", computer=1, projector=1))
    made.saw("五，班", (100, 101, 102))
    made.inspected("multimedia", 3, True, unit="四班")
    return made


def put(made: Any, folder: Path, *, reason: str = "", shuffle: int | None = None) -> Done:
    """Freeze a town; its evidence in another order where asked."""
    evidence = made.evidence()
    if shuffle is not None:
        dice = random.Random(shuffle)
        streams = (evidence.room_days, evidence.line_tests, evidence.line_records)
        evidence = Evidence(*(dice.sample(list(rows), len(rows)) for rows in streams))
    return freeze(made.figure(), evidence, IMPORTS, folder, now=NOW, reason=reason)


def _kill_before(nth: int) -> None:
    """Let this process be killed just before it puts its nth file into place."""
    real, count = Path.replace, 0

    def replace(self: Path, target: Any) -> Path:
        nonlocal count
        count += 1
        if count == nth:
            os.kill(os.getpid(), signal.SIGKILL)
        return real(self, target)

    Path.replace = replace  # type: ignore[method-assign]


def main() -> None:
    """Freeze and print the root hash."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    for name in ("--kill", "--bytes", "--shuffle"):
        parser.add_argument(name, type=int)
    parser.add_argument("--reason", default="")
    args = parser.parse_args()
    if args.kill:
        _kill_before(args.kill)
    if args.bytes:
        resource.setrlimit(resource.RLIMIT_FSIZE, (args.bytes, args.bytes))
    done = put(town(), args.folder, reason=args.reason, shuffle=args.shuffle)
    print(done.summary.root)


if __name__ == "__main__":
    main()
