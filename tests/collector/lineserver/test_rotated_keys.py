"""A line key changes while PCs test: a live server on the folder that `enrol` keeps."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from pathlib import Path

import pytest

import services
from agent.probes.line.probe import measure
from agent.wire import LineTest
from collector.enrol.seen import Heard, SeenBook
from collector.lineserver import keys
from collector.lineserver.server import LineServer
from enrolled_city import SCHOOLS, EnrolledCity

SCHOOL, OTHER = SCHOOLS[:2]
NOW = int(dt.datetime.now(dt.UTC).timestamp() * 1000)
PC = "ab" * 16


@pytest.fixture
def city(tmp_path: Path) -> EnrolledCity:
    made = EnrolledCity(tmp_path / "city", services.free_port())
    assert made.setup("--name", "localhost") == 0
    made.roster(*SCHOOLS)
    assert made.enrol("--all") == 0
    return made


@pytest.fixture
def url(city: EnrolledCity) -> Iterator[str]:
    server = LineServer("127.0.0.1", 0, lambda record: None, keys=keys.Keys(city.place.keys))
    server.start()
    yield f"http://127.0.0.1:{server.port}"
    server.stop()


def key(city: EnrolledCity, generation: int) -> str:
    with city.state() as state:
        return next(o.line_key for o in state.held()[SCHOOL].all if o.generation == generation)


def outcome(url: str, key: str, school: str = SCHOOL) -> str:
    made = measure(url, school=school, machine=PC, line="主线", key=key, max_bytes=2_000_000)
    assert isinstance(made, LineTest)
    # On a busy machine there may be no rate; the server let it test all the same.
    return "ok" if made.outcome == "ok" or made.reason == "too_few_readings" else made.reason


def moved(city: EnrolledCity, boot: str) -> None:
    """The school's one PC said that it began a boot with the second generation."""
    book = SeenBook(city.place.seen)
    book.note([Heard(SCHOOL, PC, boot, 2, "", NOW)])
    book.close()


def test_old_and_new_work_until_every_pc_has_moved(city: EnrolledCity, url: str) -> None:
    old = key(city, 1)
    assert outcome(url, old) == "ok"
    assert city.enrol("rotate", SCHOOL) == 0
    new = key(city, 2)
    assert [outcome(url, one) for one in (old, new)] == ["ok", "ok"]
    assert [outcome(url, one, OTHER) for one in (old, new)] == ["key_refused"] * 2
    moved(city, "a")
    moved(city, "b")
    assert city.enrol("settle") == 0
    assert [outcome(url, one) for one in (old, new)] == ["key_refused", "ok"]


def test_revoked_in_a_rotation_neither_works(city: EnrolledCity, url: str) -> None:
    old = key(city, 1)
    assert city.enrol("rotate", SCHOOL) == 0
    new = key(city, 2)
    assert city.enrol("revoke", SCHOOL, "--why", "found out") == 0
    assert [outcome(url, one) for one in (old, new)] == ["key_refused"] * 2
    assert city.enrol(SCHOOL) == 0
    assert [outcome(url, one) for one in (old, new, key(city, 3))] == [
        "key_refused",
        "key_refused",
        "ok",
    ]
