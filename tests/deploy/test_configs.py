"""The sample settings: every key stands in them, with the default that the software has."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

import agent.config
import collector.config
from agent.common import settings

DEPLOY = Path(__file__).parents[2] / "deploy"
SAMPLES = [("agent.toml", agent.config.Config), ("collector.toml", collector.config.Config)]
_DEFAULT = re.compile(r"^#(?=\w+ = )", re.MULTILINE)


def _leaves(kind: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    for field in msgspec.structs.fields(kind):
        keys = (*above, field.name)
        if isinstance(field.type, type) and issubclass(field.type, msgspec.Struct):
            yield from _leaves(field.type, keys)
        else:
            default = field.default
            if default is msgspec.NODEFAULT:
                default = field.default_factory()
            yield keys, default


def _given(tree: dict[str, Any], kind: Any) -> Iterator[tuple[str, ...]]:
    fields = {field.name: field.type for field in msgspec.structs.fields(kind)}
    for key, value in tree.items():
        if isinstance(fields[key], type) and issubclass(fields[key], msgspec.Struct):
            yield from ((key, *below) for below in _given(value, fields[key]))
        else:
            yield (key,)


def _value(config: Any, keys: tuple[str, ...]) -> Any:
    for key in keys:
        config = getattr(config, key)
    return config


@pytest.mark.parametrize(("name", "kind"), SAMPLES)
def test_sample_loads_as_it_stands(name: str, kind: Any) -> None:
    _, warnings = settings.load(kind, DEPLOY / name, {})
    assert warnings == []


@pytest.mark.parametrize(("name", "kind"), SAMPLES)
def test_every_key_stands_in_the_sample(name: str, kind: Any, tmp_path: Path) -> None:
    full = tmp_path / name
    full.write_text(_DEFAULT.sub("", (DEPLOY / name).read_text("utf-8")), "utf-8")
    _, warnings = settings.load(kind, full, {})
    assert warnings == []
    assert set(_given(settings._read(full), kind)) == {keys for keys, _ in _leaves(kind)}


@pytest.mark.parametrize(("name", "kind"), SAMPLES)
def test_commented_keys_show_the_default(name: str, kind: Any, tmp_path: Path) -> None:
    text = (DEPLOY / name).read_text("utf-8")
    full = tmp_path / name
    full.write_text(_DEFAULT.sub("", text), "utf-8")
    shown, _ = settings.load(kind, full, {})
    chosen = set(_given(settings._read(DEPLOY / name), kind))
    for keys, default in _leaves(kind):
        if keys not in chosen and default is not None:
            assert _value(shown, keys) == default, ".".join(keys)


@pytest.mark.parametrize("name", ["agent.toml", "collector.toml"])
def test_every_key_has_a_comment(name: str) -> None:
    lines = (DEPLOY / name).read_text("utf-8").splitlines()
    for before, line in itertools.pairwise(lines):
        if re.match(r"#?\w+ = ", line):
            assert re.match(r"# |#?\w+ = ", before), line


def test_samples_hold_no_secret() -> None:
    for path in DEPLOY.rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert not re.search(r"^\s*#?(password|token)\s*[:=]\s*[\"']?\w", text, re.M), path
            assert "PRIVATE KEY" not in text
