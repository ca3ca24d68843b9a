"""A writer that does not wait between its tries."""

from __future__ import annotations

import pytest

from collector.service.pipeline import writer as writer_module
from collector.store.base import Point


@pytest.fixture
def no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_module, "backoff", lambda *_, **__: 0.0)


def number(point: Point) -> object:
    return point.fields.get("number")
