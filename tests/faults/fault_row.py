"""A row of the fault matrix: what became of the reports, counted."""

from __future__ import annotations

from typing import NamedTuple

from town import Town


class Row(NamedTuple):
    """One fault's sums."""

    fault: str
    cycles: int
    produced: int
    stored: int
    twice: int
    held: int
    quarantined: int
    lost: int
    note: str = ""
    #: Rows that a whole derivation changes: what the keeper derived meanwhile must be the same.
    differ: int = 0


def row(fault: str, cycles: int, town: Town, sums: dict[str, int], note: str = "") -> Row:
    """Count: what was produced and is neither stored nor in quarantine is lost."""
    produced, stored = town.produced(), town.stored()
    missing = produced - stored.keys()
    counted = sums["dropped_telemetry"] + sums["dropped_evidence"] + sums["lost"]
    quarantined = town.quarantined()
    twice = sum(times - 1 for times in stored.values())
    lost = max(0, len(missing) - quarantined) + counted
    return Row(
        fault, cycles, len(produced | stored.keys()), len(stored), twice,
        sums["rows"], quarantined, lost, note, town.differ(),
    )  # fmt: skip
