"""Figures that a report must show rightly in every format."""

from __future__ import annotations

import dataclasses
import datetime as dt
from collections import Counter
from typing import Any

from collector.compliance.model import Tally, Verdict
from collector.report.context import Context, FrozenYear, Month, Signature

#: What a spreadsheet would count, change, or break at.
ODD_NAMES = (
    "=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "3-1", "007", "<b>&\"'", "一年级\x01班", "𠮷班",
    '=HYPERLINK("http://x","y")', "1e5", "123456789012345678",
)  # fmt: skip


def almost(figure: Any) -> Any:
    """1,999 of 2,500 schools have a line: 79.96%, which is no 80%."""
    city = figure.areas[0].code
    tally = Tally(Counter({Verdict.VERIFIED: 1999, Verdict.SHORT: 501}))
    return dataclasses.replace(figure, tallies={**figure.tallies, (city, "line"): tally})


def odd(town: Any) -> Any:
    """A town whose classes are called as no sheet likes it."""
    for name in ODD_NAMES:
        town.taught(name)
    return town.figure()


def with_past(figure: Any) -> Context:
    """A report with a signature block, two frozen years and a month."""
    city = figure.areas[0].code
    years = [
        FrozenYear(
            year,
            dt.date(year, 12, 31),
            {(city, "line"): Tally(Counter({Verdict.VERIFIED: met, Verdict.SHORT: 10 - met}))},
            10.0,
            f"schoolpulse-{year}.zip",
            f"{year}" * 16,
        )
        for year, met in ((2024, 3), (2025, 7))
    ]
    month = Month(dt.date(2026, 3, 31), {(city, "line"): Tally(Counter({Verdict.VERIFIED: 8}))})
    signed = Signature("填报单位甲", "填报人乙", "0971-0000000")
    return Context(signed, "ab" * 32, "schoolpulse-2026.zip", years, [month])
