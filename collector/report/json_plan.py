"""What stands beside the figure, and what to do about it, as plain values for JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from collector.compliance.model import Tally, Verdict
from collector.report import kinds, view
from collector.report.actions import Action, Gap, Plan
from collector.report.context import Context, Tallies
from collector.report.view import Tree


def beside(context: Context) -> Tree:
    """Selection, signature block, archive; absent is null."""
    return {
        "area": context.selection.area or None,
        "school": context.selection.school or None,
        "signature": msgspec.to_builtins(context.signature),
        "archive": context.archive or None,
        "root": context.root or None,
    }


def todo(plan: Plan) -> Tree:
    """Gaps, actions, and lines in dispute; reasons are codes, texts in both languages."""
    disputed = [(row.kind, row.line) for row in plan.mismatches]
    disputed += [("congested", line) for line in plan.congested]
    return {
        "gaps": [_gap(gap) for gap in plan.gaps],
        "actions": [_action(row) for row in plan.actions],
        "disputes": [
            {"kind": kind, "school": line.school, "line": line.line} for kind, line in disputed
        ],
    }


def _gap(gap: Gap) -> Tree:
    return {
        "area": gap.area.code,
        "indicator": gap.indicator,
        "needed": gap.needed,
        "open": gap.open,
        "reasons": dict(gap.prices),
        "cheapest": dict(gap.cheapest),
    }


def _action(row: Action) -> Tree:
    return {
        "indicator": row.indicator,
        "district": row.district,
        "responsible": row.responsible,
        "school": row.school,
        "name": row.name,
        "verdict": str(row.verdict),
        "reason": row.reason,
        "why": {"zh": row.why.zh, "en": row.why.en},
        "todo": {"zh": row.todo.zh, "en": row.todo.en},
        "units": list(row.units),
        "count": row.count,
    }


def trend(plan: Plan, context: Context) -> Tree:
    """Frozen years and months of the report's own area."""
    return {
        "years": [
            {
                "year": row.year,
                "cutoff": row.cutoff.isoformat(),
                "revision": row.revision,
                "archive": row.archive,
                "root": row.root,
                "threshold_mbps": row.threshold_mbps,
                "indicators": dict(_counted(plan, row.tallies)),
            }
            for row in context.frozen
        ],
        "months": [
            {"day": row.day.isoformat(), "indicators": dict(_counted(plan, row.tallies))}
            for row in context.months
        ],
    }


def _counted(plan: Plan, tallies: Tallies) -> Iterator[tuple[str, Tree]]:
    figure = plan.figure
    for indicator in kinds.every(figure):
        tally = tallies.get((figure.areas[0].code, indicator))
        if tally is not None:
            verified = view.percent(figure, indicator, tally)
            yield indicator, {**_counts(tally), "verified_percent": verified}


def _counts(tally: Tally) -> Tree:
    return {"all": tally.all, **{str(verdict): tally.counts[verdict] for verdict in Verdict}}
