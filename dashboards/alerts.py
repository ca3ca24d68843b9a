"""Alert rules: to be provisioned."""

from __future__ import annotations

from collections.abc import Iterator

from dashboards.board import Asked


def queries() -> Iterator[Asked]:
    """Every query of every rule."""
    yield from ()
