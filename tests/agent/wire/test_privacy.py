"""docs/privacy: every field that leaves a PC is in its tables, and nothing else is."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import inspect

from agent.wire.messages import LineRecord, Message, Presence

DOCS = Path(__file__).parents[3] / "docs"
PAGES = ("privacy.md", "privacy.zh-CN.md")


def sent() -> dict[str, set[str]]:
    """The fields of every type that is part of what an agent sends, by type."""
    found: dict[str, set[str]] = {}
    _visit(inspect.type_info(Message), found)
    _visit(inspect.type_info(Presence), found)
    return found


def _visit(info: Any, found: dict[str, set[str]]) -> None:
    if isinstance(info, inspect.StructType):
        if info.cls is LineRecord or info.cls.__name__ in found:  # the measurement server's
            return
        tag = {info.tag_field} if info.tag_field else set()
        found[info.cls.__name__] = {field.encode_name for field in info.fields} | tag
        for field in info.fields:
            _visit(field.type, found)
    for inner in getattr(info, "types", ()):
        _visit(inner, found)
    if isinstance(info, inspect.VarTupleType):
        _visit(info.item_type, found)


def listed(page: str) -> dict[str, list[str]]:
    """The fields in the first column of each message's table, by its heading."""
    text = (DOCS / page).read_text("utf-8")
    found = {}
    for heading, body in re.findall(r"^### (\w+)\n(.*?)(?=^##|\Z)", text, re.M | re.S):
        first = "\n".join(re.findall(r"^\| (`[^|]+)\|", body, re.M))
        found[heading] = re.findall(r"`(\w+)`", first)
    return found


def test_much_is_sent() -> None:
    assert {"Hello", "Inventory", "Nic", "Device", "LineTest", "Presence"} <= set(sent())
    assert sum(map(len, sent().values())) > 100


@pytest.mark.parametrize("page", PAGES)
def test_each_field_is_listed_once_under_its_message(page: str) -> None:
    tables = listed(page)
    assert {name: sorted(fields) for name, fields in tables.items()} == {
        name: sorted(fields) for name, fields in sent().items()
    }


def test_both_languages_have_the_same_rows() -> None:
    rows = [
        [line.split("|")[1] for line in (DOCS / page).read_text("utf-8").splitlines()
         if line.startswith("| `")]
        for page in PAGES
    ]  # fmt: skip
    assert rows[0] == rows[1]
