"""The Grafana that is given, and a page of a browser that is logged in there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

import grafana
from browser import Tab, tab
from grafana import Grafana


@pytest.fixture(scope="module")
def server() -> Grafana:
    return grafana.chosen()


@pytest.fixture(scope="module")
def page(server: Grafana, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with tab(Path(tmp_path_factory.mktemp("profile"))) as opened:
        server.enter(opened)
        yield opened
