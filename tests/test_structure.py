"""The plan of the house: who may import whom, held by reading every import of the tree."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "collector", "dashboards")

_WIRE = ("agent.common", "agent.wire", "agent.version")
_LINK = ("agent.clock", "agent.mqtt", "agent.outbox")

#: What a part of the tree may take from our packages; the longest fitting path decides.
ALLOWED = {
    "agent": ("agent",),
    "agent/common": ("agent.common",),
    "agent/wire": ("agent.common", "agent.wire", "agent.version"),
    "agent/windows": ("agent.common", "agent.windows"),
    "agent/outbox": ("agent.clock", "agent.common", "agent.outbox", "agent.wire"),
    "agent/mqtt": (*_WIRE, *_LINK),
    "collector": ("collector", *_WIRE),
    "collector/commands/dashboards.py": ("collector", "dashboards", *_WIRE),
    "collector/commands/lineserver.py": ("collector", *_WIRE, *_LINK),
    "collector/lineserver": ("collector", *_WIRE, *_LINK),
    "collector/simulate": ("collector", "agent.resident.schedule", *_WIRE, *_LINK),
    "dashboards": ("dashboards", "collector.schema", "agent.common.vocabulary"),
}

#: What a module that calls itself pure may not take: files, sockets, clocks, processes.
IMPURE = {
    "asyncio", "http", "io", "os", "pathlib", "psutil", "paho", "random", "requests", "shutil",
    "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib.request",
    "influxdb_client",
}  # fmt: skip

#: Those that the judgement rests on: they must call themselves pure.
PURE = (
    "agent/common/calendar.py",
    "agent/probes/line/estimator.py",
    "agent/resident/schedule.py",
    "collector/ingest/decode.py",
    "collector/keeper/days.py",
    *(
        f"collector/compliance/{name}.py"
        for name in ("computer_room", "figure", "line_rule", "multimedia", "verdicts", "window")
    ),
)


@cache
def _tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def _modules() -> dict[str, Path]:
    """Dotted name -> file, of every module of ours; a package goes by its folder's name."""
    found = {}
    for path in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        relative = path.relative_to(ROOT).with_suffix("")
        found[".".join(relative.parts).removesuffix(".__init__")] = path
    return found


MODULES = _modules()


def _imports(path: Path) -> Iterator[str]:
    """Every name that a module imports, at its top or inside a function."""
    for node in ast.walk(_tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _allowed(relative: str) -> tuple[str, ...]:
    fitting = [place for place in ALLOWED if f"{relative}/".startswith(f"{place}/")]
    return ALLOWED[max(fitting, key=len)]


def _within(name: str, prefixes: tuple[str, ...]) -> bool:
    return any(f"{name}.".startswith(f"{prefix}.") for prefix in prefixes)


def _says_pure(path: Path) -> bool:
    return re.search(r"\bPure[.:]", ast.get_docstring(_tree(path)) or "") is not None


def test_imports_stay_within_the_rules() -> None:
    wrong = [
        f"{relative} imports {name}"
        for path in MODULES.values()
        for relative in [str(path.relative_to(ROOT))]
        for name in _imports(path)
        if name.split(".")[0] in PACKAGES and not _within(name, _allowed(relative))
    ]
    assert not wrong


def test_every_rule_is_about_something() -> None:
    assert [place for place in ALLOWED if not (ROOT / place).exists()] == []


def test_no_module_imports_itself_by_a_detour() -> None:
    graph = {
        name: {module for one in _imports(path) if (module := _module_of(one)) != name}
        for name, path in MODULES.items()
    }
    try:
        TopologicalSorter({name: found - {""} for name, found in graph.items()}).prepare()
    except CycleError as error:
        raise AssertionError(" -> ".join(error.args[1])) from error


def _module_of(name: str) -> str:
    """The module of ours that an imported name belongs to; empty for others'."""
    while name and name not in MODULES:
        name = name.rpartition(".")[0]
    return name


def test_what_calls_itself_pure_does_no_io() -> None:
    wrong = {
        str(path.relative_to(ROOT)): taken
        for path in filter(_says_pure, MODULES.values())
        if (taken := {name for name in _imports(path) if _within(name, tuple(IMPURE))})
    }
    assert not wrong


def test_what_the_judgement_rests_on_calls_itself_pure() -> None:
    assert [relative for relative in PURE if not _says_pure(ROOT / relative)] == []


def test_modules_stay_under_three_hundred_lines() -> None:
    sizes = {str(p.relative_to(ROOT)): len(p.read_text().splitlines()) for p in MODULES.values()}
    assert {name: size for name, size in sizes.items() if size > 300} == {}


def test_functions_stay_under_forty_lines() -> None:
    long = [
        f"{path.relative_to(ROOT)}: {node.name} has {size} lines"
        for path in MODULES.values()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.FunctionDef)
        and (size := (node.end_lineno or 0) - node.lineno + 1) > 40
    ]
    assert not long


def test_types_are_first_used_by_one_thread_at_a_time() -> None:
    """msgspec crashes where two threads work out the same type at once: see the module."""
    typed = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in MODULES.values()
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and (
            ast.unparse(node.func) == "msgspec.convert"
            or (
                ast.unparse(node.func).endswith((".json.decode", ".msgpack.decode"))
                and any(one.arg == "type" for one in node.keywords)
            )
        )
    ]
    assert [place.partition(":")[0] for place in typed] == ["agent/common/decoding.py"]
