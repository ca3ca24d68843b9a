"""A small city on disk for the pages, judged today, with one school that means harm."""

from __future__ import annotations

import contextlib
import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from werkzeug.test import Client

import hostile_text
from agent.common.calendar import CITY_TIME, midnight_ns
from collector.config import Config, Web
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.register import Campus, Equipment, Line, Room, School, SchoolClass
from collector.simulate import writing
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store import Point, RejectedError
from collector.store.sqlite import SqliteStore
from collector.web.access import Access
from collector.web.app import App
from collector.web.login import LogIn
from collector.web.sessions import Sessions, Throttle
from collector.web.site import Site

HOSTILE = "9901020666"
_DAYS = 40


class Place(NamedTuple):
    """The city's folder, and what was put into it."""

    config: Config
    city: City
    store: SqliteStore

    def schools(self, district: str) -> list[School]:
        """The schools of a district."""
        return [row for row in self.city.schools if row.responsible == district]


def made(folder: Path) -> Iterator[Place]:
    """Write it, judge three days of it, and keep its store open."""
    config = Config(data=str(folder))
    today = dt.datetime.now(CITY_TIME).date()
    city = build(Size(12, 3, today.year), today, today - dt.timedelta(days=1), _DAYS)
    register_hostile(city)
    writing.write_register(RegisterBook(folder / "register.db"), city)
    with SqliteStore(folder / "schoolpulse.db") as store:
        writing.write_evidence(store, city)
        for point in (*hostile_points(today), *hours(city)):
            with contextlib.suppress(RejectedError):  # what no store takes, no page can show
                store.write([point])
        register = city.register()
        keeper = Keeper(store, lambda: register, config.figure, config.city)
        for back in (14, 7, 0):
            keeper.judge(today - dt.timedelta(days=back))
        yield Place(config, city, store)


def register_hostile(city: City) -> None:
    """A school, its rooms, classes and line called as in the corpus."""
    names = hostile_text.ALL
    city.schools.append(School(HOSTILE, "".join(hostile_text.MARKUP), "630102", "小学", "630102"))
    city.campuses.append(Campus(HOSTILE, names[0]))
    city.line_rows.append(Line(HOSTILE, names[1], names[0], 100.0, names[2]))
    for number, name in enumerate(names):
        room = Room(HOSTILE, names[0], name, name, name, 10, names[1])
        city.rooms.append(room)
        city.classes.append(SchoolClass(HOSTILE, f"{number}{name}", (name,)))
        city.equipment.append(Equipment(HOSTILE, name, "projector", 1, name))


def hostile_points(today: dt.date) -> Iterator[Point]:
    """PCs, devices and events that call themselves so."""
    time = midnight_ns(today)
    ms = time // 10**6
    for number, name in enumerate(hostile_text.ALL):
        machine = f"{number:032x}"
        tags = {"school": HOSTILE, "district": "630102", "room": name, "machine": machine}
        pc = {"seen": True, "last_ms": ms, "hostname": name, "claimed": name, "version": name}
        yield Point("machine_day", tags, pc, time)
        device = {**tags, "kind": "projector", "device": f"{number:016x}"}
        state = {
            "seen": True, "presence": "present", "presence_ms": ms, "health": "fault",
            "health_ms": ms, "fault_text": name, "looked_ms": ms, "maker": name, "model": name,
            "serial": name, "connector": name, "own_room": name, "power": name,
        }  # fmt: skip
        yield Point("device_day", device, state, time)
        yield Point("event", device, {"event": "fault", "detail": name}, time + number)
        test = {"outcome": "ok", "down_mbps": 5.0, "reason": name, "test": name, "detail": name}
        line = {"school": HOSTILE, "machine": machine, "line": hostile_text.ALL[1]}
        yield Point("line_test", line, test, time - number * 10**9)


def hours(city: City) -> Iterator[Point]:
    """This hour: every third school reports."""
    now = int(dt.datetime.now(dt.UTC).timestamp()) // 3600 * 3600 * 10**9
    for number, school in enumerate(city.schools):
        tags = {"school": school.code, "district": school.responsible}
        yield Point("school_hour", tags, {"pcs": 0 if number % 3 else 4, "open": True}, now)


class Rig:
    """The application with the access rules of a test."""

    def __init__(self, place: Place, **web: Any) -> None:
        """`web` are settings of [web]."""
        settings = msgspec.structs.replace(place.config, web=Web(**web))
        config_file = Path(f"{place.config.data}.toml")
        config_file.write_text(f'data = "{place.config.data}"\n')
        self.site = Site(settings, place.store, str(config_file))
        self.site._stock.rest = 0.0
        self.sessions = Sessions(b"k" * 32)
        access = Access(settings.web, self.sessions)
        self.now = 0.0
        throttle = Throttle(lambda: self.now)
        self.app = App(self.site, access, LogIn(access, self.sessions, throttle))
        self.client = Client(self.app)

    def get(self, path: str, client: Client | None = None, **more: Any) -> Any:
        """An answer as a browser on this machine gets it."""
        environ = {"REMOTE_ADDR": more.pop("peer", "127.0.0.1")}
        base = more.pop("base", "http://127.0.0.1:8080")
        return (client or self.client).get(path, environ_base=environ, base_url=base, **more)

    def post(self, path: str, data: dict[str, str], **more: Any) -> Any:
        """A form that is sent."""
        environ = {"REMOTE_ADDR": more.pop("peer", "127.0.0.1")}
        return self.client.post(path, data=data, environ_base=environ,
                                base_url="http://127.0.0.1:8080", **more)  # fmt: skip
