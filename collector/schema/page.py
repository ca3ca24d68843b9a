"""docs/schema.md, made from the schema: `python -m collector.schema.page > docs/schema.md`."""

from __future__ import annotations

import sys

from collector.schema.codes import CODES
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
    lines += ["", "## Codes", "", "From `agent/common/vocabulary`: code, 中文, English."]
    for name in CODES:
        lines += _codes(name)
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


def _codes(name: str) -> list[str]:
    rows = [f"| `{code}` | {words.zh} | {words.en} |" for code, words in CODES[name].items()]
    return ["", f"### {name}", "", "| code | 中文 | English |", "|---|---|---|", *rows]


if __name__ == "__main__":
    sys.stdout.write(markdown())
