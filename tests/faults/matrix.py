"""The fault matrix: real processes are hurt, and every report is counted. `make faults`.

Each row ends when the agents have drained; then what they produced is held against what the
database and the quarantine have. A row fails where a report is lost or stored twice, or where
the keeper has derived other rows than one that derives the day whole.

Another broker takes Mosquitto's place where the environment names its program
(`services.OTHER_BROKER`), but not in the row whose count is Mosquitto's own log. The rows `store`,
`meta` and `sql` are there where SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER names openGemini's programs.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from clustered import Clustered
from fault_row import Row
from hurt_messages import links, poison, queue, restore, stampede
from killed_processes import broker, console, kills, members, outage, two
from rich.table import Table
from town import Town
from town_database import Database

import gemini
import services


class Fault(NamedTuple):
    """A row of the matrix: what is done, how often, on which town."""

    run: Callable[[Town, int, random.Random], Row]
    cycles: int
    broker: str = ""
    group: str = ""
    database: Callable[[Path, contextlib.ExitStack], Any] = Database


FAULTS = {
    "kills": Fault(kills, 200),
    "outage": Fault(outage, 60),
    "broker": Fault(broker, 10),
    "links": Fault(links, 20),
    "stampede": Fault(stampede, 2),
    "queue": Fault(queue, 5, broker="max_queued_messages 10\n"),
    "poison": Fault(poison, 1),
    "two": Fault(two, 10, group="collectors"),
    "restore": Fault(restore, 1),
}
if gemini.PROGRAMS:
    FAULTS |= {
        kind: Fault(members(kind), 50, database=Clustered) for kind in ("store", "meta", "sql")
    }


def run(name: str, cycles: int | None = None, seed: int = 1) -> Row:
    """One row, in a town of its own."""
    fault = FAULTS[name]
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as opened:
        town = Town(
            Path(folder), opened, broker=fault.broker, group=fault.group, database=fault.database
        )
        return fault.run(town, cycles or fault.cycles, random.Random(seed))


def table(rows: list[Row]) -> Table:
    """All rows."""
    named = services.other_broker() or "mosquitto"
    made = Table(title=f"Faults, on {named} and InfluxDB, where a row names no other database")
    heads = (
        "fault", "cycles", "produced", "stored", "twice", "held", "quarantined", "lost", "",
        "differ",
    )  # fmt: skip
    for head in heads:
        made.add_column(head, justify="left" if head in ("fault", "") else "right", overflow="fold")
    for found in rows:
        made.add_row(*map(str, found))
    return made


def main() -> int:
    """Run all, or those named; 1 where anything was lost or doubled."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", help=" ".join(FAULTS))
    parser.add_argument("--cycles", type=int, help="instead of each row's own")
    parser.add_argument("--seed", type=int, default=int(time.time()))
    args = parser.parse_args()
    console.print(f"seed {args.seed}")
    rows = []
    for name in args.names or FAULTS:
        rows.append(run(name, args.cycles, args.seed))
        console.print(rows[-1])
    console.print(table(rows))
    return int(any(found.lost or found.twice or found.held or found.differ for found in rows))


if __name__ == "__main__":
    sys.exit(main())
