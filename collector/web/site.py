"""What all pages stand on: settings, store, register, and what was read from them lately."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Mapping, Sequence
from pathlib import Path

from agent.common.calendar import CITY_TIME
from agent.common.language import chosen
from collector.archive import summary
from collector.archive.errors import ArchiveError
from collector.archive.summary import FrozenYear
from collector.compliance import evidence
from collector.compliance.model import Figure
from collector.config import Config
from collector.keeper.state import rule_for
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.store import Store
from collector.web import city, school
from collector.web.cache import Cache
from collector.web.children import Children
from collector.web.city import Area, City, TrendPoint
from collector.web.health import Doctor, Health
from collector.web.making import Made, Making, Wanted
from collector.web.school import SchoolView
from collector.web.stock import Found, Stock

REGISTER_FILE = "register.db"
#: Written by `schoolpulse up` while it fills the store; its text is shown.
PROGRESS_FILE = "up.json"


class Site:
    """The readings of one city. Safe to use from several threads."""

    def __init__(self, config: Config, store: Store, config_file: str | None = None) -> None:
        self.config_file = config_file
        self.config = config
        self._store = store
        self._book = RegisterBook(config.folder / REGISTER_FILE)
        self._version = -1
        self._register = Register(schools={})
        self._lock = threading.Lock()
        self._city: Cache[City] = Cache(8, stale=30, size=1)
        self._trends: Cache[Mapping[str, Sequence[TrendPoint]]] = Cache(120, stale=3600)
        self._schools: Cache[SchoolView] = Cache(15, stale=60, size=64)
        self._figures: Cache[Figure] = Cache(120, stale=600, size=64)
        self._shared: Cache[evidence.Shared] = Cache(300, stale=86_400, size=1)
        self._frozen: Cache[tuple[Sequence[FrozenYear], str]] = Cache(60, stale=600)
        self._children = Children(config_file)
        self._stock = Stock(store, self.register, rule_for(config.report_s), self.preparing)
        self._making = Making(config.folder / "web/reports", self._children, simulated=False)
        self._doctor = Doctor(self._children)

    def start(self) -> None:
        """Begin what goes on in the background."""
        self._stock.start()
        self._making.start()

    def stop(self) -> None:
        """End it."""
        self._children.stop()
        self._making.stop()
        self._stock.stop()

    def register(self) -> Register:
        """The register in force; empty before the first import.

        Raises:
            DamagedBookError: it cannot be read.
        """
        with self._lock:
            version = self._book.version()
            if version != self._version:
                self._register = self._book.load_or_empty()
                self._version = version
            return self._register

    def city(self) -> City:
        """Raises StoreError, BookError."""
        return self._city.get("", lambda: city.load(
            self.config, self._store, self.register(), _now()
        ))  # fmt: skip

    def trend(self, area: Area) -> Mapping[str, Sequence[TrendPoint]]:
        """Raises StoreError."""
        key = area.level, area.code
        return self._trends.get(key, lambda: city.trend(self._store, area, _now()))

    def school(self, code: str) -> SchoolView:
        """Raises StoreError, BookError; KeyError where there is no such school."""
        register = self.register()
        register.schools[code]
        # Problems of PCs come as sentences, and so in the language in force.
        return self._schools.get((code, chosen()), lambda: school.load(
            self.config, self._store, register, code, _now()
        ))  # fmt: skip

    def explained(self, code: str) -> Figure:
        """Raises StoreError, BookError; ValueError where the settings cannot judge."""
        now = _now()
        today, register = now.astimezone(CITY_TIME).date(), self.register()
        return self._figures.get((code, today), lambda: school.explained(
            self.config, self._store, register, code, today, self.shared(register, today)
        ))  # fmt: skip

    def shared(self, register: Register, today: dt.date) -> evidence.Shared:
        """Raises StoreError."""
        return self._shared.get(today, lambda: school.shared(
            self.config, self._store, register, today
        ))  # fmt: skip

    def stock(self) -> Found:
        """What is broken or gone, as far as it has been gone through."""
        return self._stock.found()

    def frozen(self) -> tuple[Sequence[FrozenYear], str]:
        """Every archive of this city, and what is wrong with the folder."""
        return self._frozen.get("", self._read_frozen)

    def _read_frozen(self) -> tuple[Sequence[FrozenYear], str]:
        try:
            rows = summary.frozen(self.config.archive_folder)
        except ArchiveError as error:
            return (), str(error)
        return [row for row in rows if row.city == self.config.city.code], ""

    def report(self, wanted: Wanted) -> Made:
        """A yearly report's files; asks for them where they are missing."""
        self._making.simulated = self.city().simulated
        rows, _ = self.frozen()
        own = summary.in_force(rows, simulated=self._making.simulated)
        row = {**own, **summary.in_force(rows)}.get(wanted.year)
        return self._making.made(wanted, row.root if row else "")

    def report_file(self, wanted: Wanted, name: str) -> Path | None:
        """A file of it, if there is one of that name."""
        return self._making.file(wanted, name)

    def archive(self, name: str) -> Path | None:
        """An archive of this city by its file's name, or the hash beside one."""
        rows, _ = self.frozen()
        known = {row.file for row in rows} | {f"{row.file}.sha256" for row in rows}
        path = self.config.archive_folder / name
        return path if name in known and path.is_file() else None

    def health(self) -> Health:
        """What the doctor found, in the language in force."""
        return self._doctor.health(chosen())

    def preparing(self) -> Mapping[str, object]:
        """What `schoolpulse up` still fills in; empty where it does not."""
        try:
            found = json.loads((self.config.folder / PROGRESS_FILE).read_bytes())
        except (OSError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
