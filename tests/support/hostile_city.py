"""A city side, and a school PC's settings, in which every free text means harm.

The same city is built with plain texts, to compare exit codes with.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import hostile_text
from agent.common.calendar import CITY_TIME
from agent.wire import device_id
from collector.config import Config
from collector.ingest import Held, Source
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.book.mutes import Mute, set_mute
from collector.roster.rows import rows_of
from collector.service.pipeline import held_book
from collector.service.pipeline.quarantine import FILE, Quarantine, Row
from collector.store.base import Point
from collector.store.sqlite import SqliteStore
from judged_town import build, line_points
from small_town import CODE

#: Kept in every text: nothing of it may be swallowed.
MARK = "[/x][b]"
#: Fields that hold codes or keys, not free text.
_CODES = frozenset({
    "code", "school", "district", "type", "kind", "indicator", "day", "day_kind", "id", "successor",
    "network", "pattern", "number", "merge", "into", "file_sha256",
})  # fmt: skip


class Texts:
    """Texts by turns, so that every place gets another; those of one key are the same."""

    def __init__(self, hostile: bool) -> None:
        self._turn = itertools.cycle(hostile_text.SHORT if hostile else ("普通",))
        self._count = itertools.count()
        self._known: dict[object, str] = {}

    def __call__(self, key: object = None) -> str:
        if key is not None and key in self._known:
            return self._known[key]
        made = f"{next(self._turn)}{MARK}{next(self._count)}"
        if key is not None:
            self._known[key] = made
        return made


def rewritten(row: Any, texts: Texts) -> Any:
    """A register's row with each free text replaced; one text stays one text everywhere."""
    fields = {}
    for item in dataclasses.fields(row):
        value = getattr(row, item.name)
        if isinstance(value, str) and value and item.name not in _CODES:
            fields[item.name] = texts(value)
        elif isinstance(value, tuple):
            fields[item.name] = tuple(map(texts, value))
    return dataclasses.replace(row, **fields)


def city(folder: Path, *, hostile: bool) -> Path:
    """The city side on disk; the path of its settings."""
    texts = Texts(hostile)
    settings = folder / "collector.toml"
    settings.write_text(f'data = "{folder}"\n', encoding="utf-8")
    town = build(dt.date(2025, 12, 31))
    town.inspected("line", 30, True)
    for number, _ in enumerate(hostile_text.SHORT):  # a class for each text
        town.taught(f"班{number}", "101")
    rows = rows_of(town.register())
    sheets = ("schools", "campuses", "lines", "rooms", "classes", "equipment")
    new = {name: tuple(rewritten(row, texts) for row in getattr(rows, name)) for name in sheets}
    areas = {code: texts(name) for code, name in rows.areas.items()}
    new["schools"] = tuple(
        dataclasses.replace(row, responsible=row.district) for row in new["schools"]
    )
    rows = dataclasses.replace(rows, **new, areas=areas)
    book = RegisterBook(folder / "register.db")
    book.import_rows(rows, who=texts(), source=texts(), now=dt.datetime(2025, 9, 1, tzinfo=dt.UTC))
    notes = {"note": texts(), "inspector": texts()}
    book.add_inspections([dataclasses.replace(rewritten(row, texts), **notes)
                          for row in town.inspections])  # fmt: skip
    now = dt.datetime.now(CITY_TIME)
    set_mute(book.path, Mute(CODE, now.date(), texts(), texts()), now)
    _quarantine(folder, texts)
    _held(folder, texts, int(now.timestamp() * 1000))
    _store(folder, book, town, texts, now)
    return settings


def _quarantine(folder: Path, texts: Texts) -> None:
    quarantine = Quarantine(folder / FILE, 10**6)
    for _ in hostile_text.SHORT:
        payload = texts().encode("utf-8", "surrogatepass")
        quarantine.add([Row(time.time_ns(), texts(), payload, f"unreadable: {texts()}")])
    quarantine.close()


def _held(folder: Path, texts: Texts, now_ms: int) -> None:
    """Lines that nobody registered: of the school itself, and of one for each text."""
    schools = [CODE, *(f"99{number:08}" for number, _ in enumerate(hostile_text.SHORT))]
    book = held_book.HeldBook(folder / held_book.FILE)
    for school in schools:
        source = Source(school, f"{7:032x}", "b" * 16, 7)
        book.note([Held(source, "unknown_line", None, texts())], now_ms)
    book.close()


def _store(folder: Path, book: Any, town: Any, texts: Texts, now: dt.datetime) -> None:
    with SqliteStore(folder / "schoolpulse.db") as store:
        store.write([*line_points(town.evidence()), *devices(time.time_ns(), texts)])
        config = Config(data=str(folder))
        keeper = Keeper(store, book.load, config.figure, config.city)
        keeper.derive([now.date() - dt.timedelta(days=1), now.date()])


def devices(now: int, texts: Texts) -> Iterator[Point]:
    """A PC for each text, with a faulty projector, each named by others."""
    for number in range(len(hostile_text.SHORT)):
        pc = f"{number:032x}"
        tags = {"school": CODE, "machine": pc}
        names = [texts().replace("\0", "\ufffd") for _ in range(5)]  # as the collector does
        for at in (now - minutes * 60 * 10**9 for minutes in (20, 15, 10)):
            yield Point("agent", tags, {"boot": "b", "number": 2, "probes": "displays"}, at)
            yield Point("host", tags, {"hostname": names[0]}, at)
            device = device_id(pc, "projector", "HDMI-A-1")
            fields = {"present": True, "fault": "lamp", "power": "on", "connector": names[1],
                      "model": names[2], "serial": names[3], "maker": names[4]}  # fmt: skip
            yield Point("device", {**tags, "kind": "projector", "device": device}, fields, at)
