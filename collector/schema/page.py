"""docs/schema.md, made from the schema: `python -m collector.schema.page > docs/schema.md`."""

from __future__ import annotations

import sys

from collector.schema.tables import MEASUREMENTS, TAGS, Measurement


def markdown() -> str:
    """The table as a page of documentation."""
    lines = [
        "# What the store holds",
        "",
        "Made from `collector/schema/tables.py`; do not edit.",
        "",
    ]
    lines += ["| tag | meaning |", "|---|---|"]
    lines += [f"| `{tag}` | {meaning} |" for tag, meaning in TAGS.items()]
    for measurement in MEASUREMENTS.values():
        lines += _section(measurement)
    return "\n".join(lines) + "\n"


def _section(measurement: Measurement) -> list[str]:
    tags = " ".join(f"`{tag}`" for tag in measurement.tags) or "none"
    head = f"One point is {measurement.point}. Class: {measurement.retention}. Tags: {tags}."
    rows = [
        f"| `{field.name}` | {field.type} | {field.unit} | {field.meaning} |"
        for field in measurement.fields.values()
    ]
    title = ["", f"## {measurement.name}", "", head, ""]
    return [*title, "| field | type | unit | meaning |", "|---|---|---|---|", *rows]


if __name__ == "__main__":
    sys.stdout.write(markdown())
