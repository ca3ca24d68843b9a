"""Line tests whose child follows a script."""

from __future__ import annotations

import contextlib
from types import SimpleNamespace
from typing import Any

import pytest

from agent.probes.line import download
from agent.probes.line import probe as line
from scripted_line import Child


@pytest.fixture
def scripted(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Makes the next test's child; an event without a time is said at once."""

    def make(*said: tuple[float, dict[str, Any]]) -> Child:
        child = Child(said)
        for module in (line, download):
            monkeypatch.setattr(module, "time", SimpleNamespace(perf_counter=lambda: child.now))
        monkeypatch.setattr(line.line_child, "started", lambda task: contextlib.nullcontext(child))
        return child

    return make
