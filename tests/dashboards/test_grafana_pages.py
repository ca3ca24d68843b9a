"""In a real Grafana and a browser: every panel speaks the board's language, with data or without.

Runs where SCHOOLPULSE_TEST_GRAFANA_URL is given (and _LOGIN, user:password of an administrator);
its data sources read an InfluxDB that is started here, so both must be on this machine.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

import grafana
from agent.common.vocabulary.words import LANGS, Lang
from board_words import foreign
from browser import Tab
from dashboards import build
from dashboards.edition import Edition
from grafana import Grafana, panel_texts

pytestmark = [
    grafana.given,
    pytest.mark.influxdb,
    pytest.mark.slow,
]
#: Grafana's own words for what it finds no words for.
_SPEECHLESS = re.compile(r"No data|Cannot visualize|Data is missing|An unexpected error")


@pytest.fixture(scope="module")
def folder(server: Grafana) -> Iterator[str]:
    """A folder of our own: boards of the same titles may be there."""
    mark = uuid.uuid4().hex[:8]
    yield server.ask("POST", "/folders", {"uid": f"p{mark}", "title": f"pages {mark}"})["uid"]
    server.ask("DELETE", f"/folders/p{mark}")


@pytest.fixture(scope="module")
def empty(server: Grafana, influxdb: Any) -> Iterator[dict[str, str]]:
    """Data sources of databases without a row; as a board's variables choose them."""
    mark = uuid.uuid4().hex[:8]
    made = {}
    for kind in ("evidence", "telemetry"):
        database = influxdb.create(f"{kind}_{mark}")
        made[f"var-{kind}"] = f"test {kind} {mark}"
        server.add_source(f"test {kind} {mark}", influxdb.url, database)
    yield made
    for name in made.values():
        server.ask("DELETE", f"/datasources/name/{name.replace(' ', '%20')}")
    for kind in ("evidence", "telemetry"):
        influxdb.drop(f"{kind}_{mark}")


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", build.BOARDS)
def test_an_empty_store_is_said_in_the_boards_language(
    server: Grafana, page: Tab, folder: str, empty: dict[str, str], name: str, lang: Lang
) -> None:
    board = {**build.BOARDS[name](Edition(lang)), "uid": f"page-{name}-{lang}"}
    server.push(board, folder)
    server.open(page, board, {**empty, "kiosk": "1"})
    texts = panel_texts(page)
    drawn = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len(texts) >= len(drawn)
    for text in (_without_all(text) for text in texts):
        assert not _SPEECHLESS.search(text), text
        assert foreign(text, lang) == [], text
    # A map has no words of its own; beside it a number says why it is empty.
    blank = [text for text in texts if "\n" not in text.strip()]
    maps = [panel["title"] for panel in drawn if panel["type"] == "geomap"]
    assert {text.strip() for text in blank} <= {*maps, *_rows(board)}


def _without_all(text: str) -> str:
    """Without Grafana's word for a variable without a value: so a repeated panel is called."""
    return text.removeprefix("All\n")


def _rows(board: dict[str, Any]) -> set[str]:
    return {panel["title"] for panel in board["panels"] if panel["type"] == "row"}
