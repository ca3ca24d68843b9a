"""Frozen years and months to stand beside a small town's figure."""

from __future__ import annotations

import datetime as dt
from collections import Counter
from fractions import Fraction

from collector.compliance.model import Figure, Tally, Verdict
from collector.report.context import Context, FrozenYear, Month, Signature, Tallies

ROOT = "9f2c4e8105b7a6d3" * 4
#: 79.96% of 10,000: shown 79.9%, as 80% is the target.
BELOW = Fraction(7996, 10000)


def tallies(figure: Figure, share: Fraction) -> Tallies:
    """Of every area and indicator: so many of 10,000 verified, half of the rest declared."""
    good = int(share * 10000)
    left = 10000 - good
    counts = {Verdict.VERIFIED: good, Verdict.DECLARED: left // 2, Verdict.SHORT: left - left // 2}
    return {key: Tally(Counter(counts)) for key in figure.tallies}


def past(figure: Figure) -> Context:
    """Signed, frozen, two years before it, one of them at 79.96%, and two months of this one."""
    return Context(
        signature=Signature("示例市教育局", "甲", "0971-0000000"),
        root=ROOT,
        archive="630100-2026-1.zip",
        frozen=[
            FrozenYear(
                2024, dt.date(2024, 12, 31), tallies(figure, Fraction(1, 4)), 10.0, revision=2
            ),
            FrozenYear(2025, dt.date(2025, 12, 31), tallies(figure, BELOW), 10.0, root=ROOT),
        ],
        months=[
            Month(dt.date(figure.year, 3, 31), tallies(figure, Fraction(1, 2))),
            Month(dt.date(figure.year, 4, 28), tallies(figure, Fraction(13, 16))),
        ],
    )
