"""Every call of the log in the tree: a constant name, and no reason lost."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LEVELS = {"debug", "info", "warning", "error"}
#: Where an exception of any kind ends without a word, and why that loses nothing.
SILENT = {
    "agent/common/log.py: emit": "the log itself has failed; logging prints that",
    "agent/mqtt/loop.py: _schedule": "the link's next step meets the same fault and says it",
}


def files() -> Iterator[tuple[str, ast.Module]]:
    for package in ("agent", "collector", "dashboards"):
        for path in (ROOT / package).rglob("*.py"):
            yield str(path.relative_to(ROOT)), ast.parse(path.read_text("utf-8"))


@functools.cache
def trees() -> dict[str, ast.Module]:
    """Read when a test asks: whoever collects the tests does not wait for it."""
    return dict(files())


def is_log(node: ast.AST, levels: set[str] = LEVELS) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id == "log"
        and node.func.attr in levels
    )


def names(node: ast.AST) -> set[str]:
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name)}


def handlers() -> Iterator[tuple[str, ast.ExceptHandler]]:
    """Every `except`, with the file and the function that it is in."""
    for relative, tree in trees().items():
        for function in ast.walk(tree):
            if isinstance(function, ast.FunctionDef):
                for node in ast.walk(function):
                    if isinstance(node, ast.ExceptHandler):
                        yield f"{relative}: {function.name}", node


def test_the_tree_has_many_events() -> None:
    calls = [node for tree in trees().values() for node in ast.walk(tree) if is_log(node)]
    assert len(calls) > 30


def test_an_event_has_a_constant_name() -> None:
    wrong = [
        f"{relative}:{node.lineno}"
        for relative, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and is_log(node)
        and not (
            len(node.args) == 1
            and isinstance(node.args[0], ast.Constant)
            and str(node.args[0].value).isidentifier()
        )
        and f"{relative}" != "collector/service/mqtt/link.py"  # `_say_once` passes its own on
    ]
    assert not wrong


def test_a_warning_about_an_exception_says_its_reason() -> None:
    wrong = [
        f"{place}:{call.lineno}"
        for place, handler in handlers()
        for call in ast.walk(handler)
        if isinstance(call, ast.Call)
        and is_log(call, {"warning", "error"})
        and (handler.name is None or handler.name not in names(call))
    ]
    assert not wrong


def test_an_exception_of_any_kind_is_never_dropped_without_its_reason() -> None:
    silent = {
        place
        for place, handler in handlers()
        if (handler.type is None or names(handler.type) & {"Exception", "BaseException"})
        and not any(isinstance(node, ast.Raise) for node in ast.walk(handler))
        and (handler.name is None or not any(handler.name in names(n) for n in handler.body))
    }
    assert silent == set(SILENT)


def test_nobody_logs_past_the_one_log() -> None:
    users = {
        relative
        for relative, tree in trees().items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Import) and any(a.name == "logging" for a in node.names)
    }
    assert users == {"agent/common/log.py"}
