"""docs/ARCHITECTURE.md: what it names exists, and what exists it names."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs/ARCHITECTURE.md").read_text("utf-8")
_TOPS = ("agent", "collector", "dashboards", "deploy", "docs", "tests")
_THREADS = "Processes, threads, ports"
#: Files that a newcomer makes by following the page.
_MADE_BY_READERS = {"agent/probes/ups_linux.py", "agent/probes/ups_windows.py"}


def _code() -> list[str]:
    prose = re.sub(r"^```.*?^```", "", PAGE, flags=re.DOTALL | re.MULTILINE)
    return re.findall(r"`([^`\n]+)`", prose)


def _paths() -> set[str]:
    """Paths of ours in code marks, and those that its commands run."""
    words = {word for code in _code() for word in code.split()}
    return {
        word.rstrip("/.")
        for word in words
        if word.split("/")[0] in _TOPS and "/" in word and not re.search("[<*…]", word)
    }


def _section(title: str) -> str:
    return PAGE.split(f"\n## {title}\n")[1].split("\n## ")[0]


def _rows(text: str) -> list[tuple[str, str]]:
    return re.findall(r"^\| `([^`]+)` \| (.*) \|$", text, re.MULTILINE)


def test_every_path_named_exists() -> None:
    assert len(_paths()) > 80
    assert {p for p in _paths() - _MADE_BY_READERS if not (ROOT / p).exists()} == set()


def test_every_package_has_its_row_among_the_rooms() -> None:
    packages = {
        str(path.parent.relative_to(ROOT))
        for top in ("agent", "collector", "dashboards")
        for path in (ROOT / top).rglob("__init__.py")
    }
    assert {name for name, _ in _rows(_section("Rooms"))} == packages


def test_the_table_of_imports_is_the_one_that_is_tested() -> None:
    tested = runpy.run_path(str(ROOT / "tests/test_structure.py"))["ALLOWED"]
    shown = {
        place: tuple(re.findall(r"`([^`]+)`", taken))
        for place, taken in _rows(_section("Who may import whom"))
    }
    assert shown == tested


def test_links_within_the_page_lead_to_a_chapter() -> None:
    titles = re.findall(r"^## (.*)$", PAGE, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles}
    named = set(re.findall(r"\]\(#([^)]+)\)", PAGE))
    assert named
    assert named <= anchors


def _thread_names(path: Path) -> Iterator[str]:
    """Names that a module gives to threads; of a name with a number in it, what precedes that."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("threading.Thread", "Loop"):
            given = [*(word.value for word in node.keywords if word.arg == "name"), *node.args]
            texts = [one for value in given for one in ast.walk(value)]
            yield from (str(one.value) for one in texts if isinstance(one, ast.Constant))


def test_threads_that_have_a_name_are_in_the_page() -> None:
    named = {
        name
        for top in ("agent", "collector")
        for path in (ROOT / top).rglob("*.py")
        if "simulate" not in path.parts  # a fleet is no process of the product
        for name in _thread_names(path)
    }
    assert len(named) > 10
    assert {name for name in named if f"`{name}" not in _section(_THREADS)} == set()
