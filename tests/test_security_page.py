"""docs/security.md: each threat names its tests, and they exist; both languages say the same."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = [ROOT / "docs/security.md", ROOT / "docs/security.zh-CN.md"]
_NAMED = re.compile(r"`(tests/[\w/]+\.py)(?:::(\w+))?`")


def rows(page: Path) -> Iterator[list[str]]:
    """The cells of each threat."""
    for line in page.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and set(cells[0]) != {"-"} and cells[-1] not in ("Test", "测试"):
            yield cells


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_threat_has_a_bound_and_a_test(page: Path) -> None:
    found = list(rows(page))
    assert len(found) > 20
    for cells in found:
        assert len(cells) == 3
        assert all(cells)
        assert _NAMED.search(cells[2]), cells[0]


@pytest.mark.parametrize(
    ("file", "name"), sorted(set(_NAMED.findall(PAGES[0].read_text(encoding="utf-8"))))
)
def test_the_named_tests_exist(file: str, name: str) -> None:
    path = ROOT / file
    assert path.is_file(), f"{file}: docs/security.md names it"
    text = path.read_text(encoding="utf-8")
    assert re.search(rf"^(async )?def {name or 'test_'}", text, re.MULTILINE), f"{file}::{name}"


def test_both_languages_name_the_same_tests() -> None:
    first, second = ([_NAMED.findall(cells[2]) for cells in rows(page)] for page in PAGES)
    assert first == second


def test_it_is_found_from_the_front_page() -> None:
    assert "docs/security.md" in (ROOT / "SECURITY.md").read_text(encoding="utf-8")
