"""Who may import whom, held by reading every import of the tree."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
PACKAGES = ("agent", "collector", "dashboards")

#: The pure modules: no file, socket, clock or process of their own.
PURE = (
    "agent/wire/calendar.py",
    "agent/schedule.py",
    "agent/probes/estimator.py",
    "collector/ingest.py",
    "collector/keeper/days.py",
    *(str(path.relative_to(ROOT)) for path in (ROOT / "collector/compliance").glob("*.py")),
)
IMPURE = {
    "asyncio", "http", "io", "os", "pathlib", "psutil", "paho", "random", "requests", "shutil",
    "socket", "sqlite3", "subprocess", "tempfile", "threading", "time", "urllib", "influxdb_client",
}  # fmt: skip

#: What a part of the tree may take from our other packages, the most exact path first.
ALLOWED = {
    "agent/wire": ("agent.wire", "agent.version"),
    "agent": ("agent",),
    "collector/simulate": ("collector", "agent.wire", "agent.version", "agent.fleet"),
    "collector/lineserver": (
        "collector", "agent.wire", "agent.version", "agent.outbox", "agent.link", "agent.clock",
        "agent.loop",
    ),
    "collector/commands/lineserver.py": (
        "collector", "agent.wire", "agent.version", "agent.outbox", "agent.link", "agent.clock",
        "agent.loop",
    ),
    "collector/commands/dashboards.py": (
        "collector", "agent.wire", "agent.version", "dashboards",
    ),
    "collector": ("collector", "agent.wire", "agent.version"),
    "dashboards": ("dashboards", "collector.schema"),
}  # fmt: skip


def _modules() -> list[Path]:
    return [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]


def _imports(path: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute here"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _allowed(relative: str) -> tuple[str, ...]:
    fitting = [place for place in ALLOWED if f"{relative}/".startswith(f"{place}/")]
    return ALLOWED[max(fitting, key=len)]


def _starts(name: str, prefix: str) -> bool:
    return name == prefix or name.startswith(f"{prefix}.")


def _strangers(path: Path) -> list[str]:
    """What a module takes from our packages and may not."""
    allowed = _allowed(str(path.relative_to(ROOT)))
    ours = [name for name in _imports(path) if name.split(".")[0] in PACKAGES]
    return [name for name in ours if not any(_starts(name, prefix) for prefix in allowed)]


# One test a rule, not one a module: over six hundred took longer to collect and report than to run.


def test_imports_stay_within_the_rules() -> None:
    modules = _modules()
    assert len(modules) > len(PACKAGES), "the tree is elsewhere, and nothing was read"
    found = {str(path.relative_to(ROOT)): _strangers(path) for path in modules}
    assert not {path: wrong for path, wrong in found.items() if wrong}


def test_pure_modules_do_no_io() -> None:
    found = {name: {taken.split(".")[0] for taken in _imports(ROOT / name)} for name in PURE}
    assert not {name: taken & IMPURE for name, taken in found.items() if taken & IMPURE}


def test_modules_stay_under_three_hundred_lines() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in _modules()}
    assert not {str(path.relative_to(ROOT)): size for path, size in sizes.items() if size > 300}
