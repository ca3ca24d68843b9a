"""report.json: the figure with every unit, its verdict and its steps."""

from __future__ import annotations

import msgspec

from collector.compliance.model import Figure, JudgedLine
from collector.report import json_plan
from collector.report.actions import plan
from collector.report.context import Context
from collector.report.view import Tree, document, unit


def render(figure: Figure, context: Context) -> bytes:
    """UTF-8 JSON, the same bytes for the same figure."""
    made = plan(figure)
    tree = {**document(figure), **json_plan.beside(context), **json_plan.todo(made)}
    tree["trend"] = json_plan.trend(made, context)
    tree["units"] = [unit(row) for row in figure.units]
    tree["lines"] = [line(row) for row in figure.lines]
    return encode(tree)


def line(row: JudgedLine) -> Tree:
    """A line's numbers; rates in Mbit/s."""
    tree: Tree = msgspec.to_builtins(row)
    return {**tree, "verdict": str(row.verdict)}


def encode(tree: Tree) -> bytes:
    """Indented, with a newline at its end."""
    return msgspec.json.format(msgspec.json.encode(tree), indent=1) + b"\n"
