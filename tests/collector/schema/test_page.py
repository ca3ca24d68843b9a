"""docs/schema.md is what the schema makes of it: `make docs` was run after the last change."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.schema import MEASUREMENTS, TAGS
from collector.schema.page import markdown

PAGE = Path(__file__).parents[3] / "docs/schema.md"


def test_the_page_in_the_tree_is_the_one_that_is_made() -> None:
    assert PAGE.read_text("utf-8") == markdown()


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_has_its_chapter_with_every_tag_and_field(name: str) -> None:
    known = MEASUREMENTS[name]
    chapter = markdown().split(f"\n## {name}\n")[1].split("\n## ")[0]
    assert f"One point is {known.point}." in chapter
    assert [tag for tag in known.tags if f"`{tag}`" not in chapter] == []
    rows = [line for line in chapter.splitlines() if line.startswith("| `")]
    made = [
        f"| `{field.name}` | {field.type} | {field.unit} | {field.meaning} |"
        for field in known.fields.values()
    ]
    assert rows == made


def test_every_tag_has_its_meaning_at_the_top() -> None:
    head = markdown().partition("\n## ")[0]
    assert [tag for tag, meaning in TAGS.items() if f"| `{tag}` | {meaning} |" not in head] == []
