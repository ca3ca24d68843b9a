"""The table of probes: each names a function that is there, on both systems."""

from __future__ import annotations

import importlib

import pytest

from agent.probes import PROBES

PATHS = [path for probe in PROBES.values() for path in (probe.function, probe.windows) if path]


@pytest.mark.parametrize("path", PATHS)
def test_every_entry_names_a_function_of_one_argument(path: str) -> None:
    module, _, function = path.rpartition(".")
    found = getattr(importlib.import_module(f"agent.probes.{module}"), function)
    assert found.__code__.co_argcount == 1
    assert path.startswith(tuple(PROBES)), "a probe's module is named after it"
