"""Fields and tags that hold codes name their table, and the table holds codes."""

from __future__ import annotations

import re

import pytest

from collector.schema import MEASUREMENTS, TAGS
from collector.schema.codes import CODES
from collector.schema.page import markdown
from collector.schema.types import codes_of

NAMED = {
    field.codes for one in MEASUREMENTS.values() for field in one.fields.values() if field.codes
} | {codes for meaning in TAGS.values() if (codes := codes_of(meaning))}


def test_every_table_is_named_by_a_field_or_tag_and_no_other() -> None:
    assert set(CODES) == NAMED


@pytest.mark.parametrize("name", CODES)
def test_a_code_needs_no_quotes_in_any_query(name: str) -> None:
    assert [code for code in CODES[name] if not re.fullmatch("[a-z][a-z0-9_]*", code)] == []


def test_the_page_lists_every_code_with_its_words() -> None:
    page = markdown()
    for name, table in CODES.items():
        assert f"### {name}" in page
        for code, words in table.items():
            assert f"| `{code}` | {words.zh} | {words.en} |" in page


@pytest.mark.parametrize(
    ("meaning", "codes"),
    [
        ("codes of FAULTS by comma, empty when nothing is wrong", "FAULTS"),
        ("code of VERDICTS: the worst of its classes", "VERDICTS"),
        ("codes of the register", ""),
        ("hash of machine", ""),
    ],
)
def test_a_meaning_names_its_table(meaning: str, codes: str) -> None:
    assert codes_of(meaning) == codes
