"""What the server tells of itself: /healthz, /metrics, `schoolpulse lineserver --status`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Protocol

from collector.lineserver.ledger import Ledger

_PREFIX = "schoolpulse_lineserver"


class Front(Protocol):
    """What is told of the connections."""

    cut: Counter[str]

    @property
    def waiting(self) -> int:
        """Connections without a whole request."""


def health(ledger: Ledger, front: Front, *, by_school: bool) -> dict[str, Any]:
    """The counts since the start; refusals by reason, and by school where they may be told."""
    refusals = ledger.refusals
    totals: Counter[str] = Counter()
    for (why, _), count in refusals.items():
        totals[why] += count
    told: dict[str, Any] = {"status": "ok", **asdict(ledger.counts), "running": ledger.running}
    told |= {"waiting": front.waiting, "cut": dict(front.cut), "refused": dict(totals)}
    if by_school:
        rows = sorted(refusals.items(), key=lambda row: -row[1])
        told["refused_of"] = [[school, why, count] for (why, school), count in rows]
    return told


def metrics(ledger: Ledger, front: Front, *, by_school: bool) -> str:
    """The same in Prometheus' text format."""
    lines: list[str] = []
    for name, count in asdict(ledger.counts).items():
        lines += _series(f"{name}_total", "counter", {"": count})
    lines += _series("running", "gauge", {"": ledger.running})
    lines += _series("waiting_connections", "gauge", {"": front.waiting})
    cut = {f'{{reason="{why}"}}': count for why, count in sorted(front.cut.items())}
    lines += _series("cut_connections_total", "counter", cut)
    refused: Counter[str] = Counter()
    for (why, school), count in sorted(ledger.refusals.items()):
        of = f',school="{school}"' if by_school else ""
        refused[f'{{reason="{why}"{of}}}'] += count
    lines += _series("refused_total", "counter", refused)
    return "\n".join([*lines, ""])


def _series(name: str, kind: str, values: Mapping[str, int]) -> list[str]:
    head = [f"# TYPE {_PREFIX}_{name} {kind}"] if values else []
    return head + [f"{_PREFIX}_{name}{labels} {value}" for labels, value in values.items()]
