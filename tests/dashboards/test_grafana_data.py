"""In a real Grafana and a browser: boards of a city with data speak the board's language.

Runs where SCHOOLPULSE_TEST_GRAFANA_URL is given (and _LOGIN, user:password of an administrator).
The city is simulated, of SCHOOLPULSE_TEST_BOARD_SCHOOLS schools (16), in an InfluxDB that is
started here; so Grafana must be on this machine.
"""

from __future__ import annotations

import datetime as dt
import os
import re
import uuid
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

import grafana
from agent.common.calendar import CITY_TIME
from agent.common.vocabulary.words import LANGS, Lang
from board_words import foreign
from browser import Tab
from collector import config
from collector.simulate import writing
from collector.simulate.build import build as simulated
from collector.simulate.city import DISTRICTS, City, Size
from collector.store.influx import InfluxStore
from dashboards import build
from dashboards.edition import Edition
from grafana import Grafana, panel_texts

SCHOOLS = int(os.environ.get("SCHOOLPULSE_TEST_BOARD_SCHOOLS", "16"))
pytestmark = [
    grafana.given,
    pytest.mark.influxdb,
    pytest.mark.slow,
]
TODAY = dt.datetime.now(CITY_TIME).date()


class Shown(NamedTuple):
    """A city in Grafana: its names, and its data sources as a board's variables choose them."""

    city: City
    sources: dict[str, str]
    folder: str


@pytest.fixture(scope="module")
def shown(server: Grafana, influxdb: Any) -> Iterator[Shown]:
    mark = uuid.uuid4().hex[:8]
    made = {kind: influxdb.create(f"{kind}_{mark}") for kind in ("evidence", "telemetry")}
    city = simulated(Size(SCHOOLS, 7, TODAY.year), TODAY, TODAY, days=30)
    settings = config.Config(store=config.Store(kind="influxdb", url=influxdb.url, **made))
    with InfluxStore(settings.store) as store:
        writing.write_evidence(store, city)
        writing.write_indicators(store, city, settings, TODAY)
    for kind, database in made.items():
        server.add_source(f"test {kind} {mark}", influxdb.url, database)
    sources = {f"var-{kind}": f"test {kind} {mark}" for kind in made}
    server.ask("POST", "/folders", {"uid": f"d{mark}", "title": f"data {mark}"})
    yield Shown(city, sources, f"d{mark}")
    server.ask("DELETE", f"/folders/d{mark}")
    for kind, database in made.items():
        server.ask("DELETE", f"/datasources/name/test%20{kind}%20{mark}")
        influxdb.drop(database)


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", build.BOARDS)
def test_a_city_with_data_is_shown_in_the_boards_language(
    server: Grafana, page: Tab, shown: Shown, name: str, lang: Lang
) -> None:
    board = {**build.BOARDS[name](Edition(lang)), "uid": f"data-{name}-{lang}"}
    server.push(board, shown.folder)
    server.open(page, board, {**shown.sources, "kiosk": "1"})
    texts = panel_texts(page)
    assert len(texts) >= len([panel for panel in board["panels"] if panel["type"] != "row"])
    names = _names(shown.city)
    found = {word for text in texts for word in foreign(_without(names, text), lang)}
    assert found == set()


def _names(city: City) -> re.Pattern[str]:
    """What the city itself calls its things, in whatever language: no words of the board."""
    register = city.register()
    found = {config.City().name, *(name for name in DISTRICTS.values()), "市直属"}
    found |= {school.name for school in register.schools.values()}
    found |= {room.name for room in city.rooms} | {room.room for room in city.rooms}
    found |= {line.line for line in city.line_rows} | {line.provider for line in city.line_rows}
    found |= {pc.hostname for pc in city.pcs} | {pc.machine for pc in city.pcs}
    found |= {part for pc in city.pcs for gear in pc.gear for part in _gear(gear)}
    longest_first = sorted((re.escape(name) for name in found if name), key=len, reverse=True)
    return re.compile("|".join(longest_first))


def _gear(gear: Any) -> set[str]:
    return {gear.maker, gear.model, gear.serial, gear.connector}


def _without(names: re.Pattern[str], text: str) -> str:
    """Without names, ids and times of day, and Grafana's own word for all values of a variable."""
    return re.sub(r"\b[0-9a-f]{8,32}\b", " ", names.sub(" ", text.removeprefix("All\n")))
