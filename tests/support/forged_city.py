"""A school whose credential is in wrong hands: the real pipeline, store, keeper and figure.

Messages go the way of every message, from the inbox to the store; only the broker is left out,
which has checked the school in the topic. Days are in March 2026, each message arrives on its own
day unless told otherwise.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent import wire
from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, main
from agent.wire.topics import report_topic
from collector.cli import COMMANDS
from collector.config import City as CityCode
from collector.config import Config, Figure
from collector.config import Store as StoreSettings
from collector.ingest import day_of
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.register import (
    COMPUTER_ROOM,
    Campus,
    Equipment,
    Line,
    Register,
    Room,
    School,
    SchoolClass,
)
from collector.roster.rows import rows_of
from collector.service.mqtt.packets import Outgoing
from collector.service.pipeline import allowances
from collector.service.pipeline.answers import Answers
from collector.service.pipeline.counts import Counts
from collector.service.pipeline.gate import Gate
from collector.service.pipeline.held_book import HeldBook
from collector.service.pipeline.inbox import Inbox, Message
from collector.service.pipeline.known_machines import KnownMachines
from collector.service.pipeline.pending_days import PendingDays
from collector.service.pipeline.quarantine import Quarantine
from collector.service.pipeline.sorter import Sorter
from collector.service.pipeline.storer import Storer
from collector.service.pipeline.worker import Worker
from collector.service.pipeline.writer import Writer
from collector.service.policies import limits_of
from collector.store.base import Point
from collector.store.factory import open_store

SCHOOL, LINE = "9900000001", "主线"
CLASSES = ("6-1", "6-2", "6-3")
SEATS = 20
CUTOFF = dt.date(2026, 3, 20)
OPEN_DAYS = tuple(dt.date(2026, 3, day) for day in (9, 10, 11, 12, 13, 16, 17, 18, 19, 20))
BOOT = "0123456789abcdef"


def register() -> Register:
    """Three classes, each in its room, a computer room, one line of 100M with its network."""
    rooms = [Room(SCHOOL, "本部", name, name, "教室", None, LINE) for name in CLASSES]
    return Register(
        schools={SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
        campuses=(Campus(SCHOOL, "本部"),),
        lines=(Line(SCHOOL, LINE, "本部", 100.0, "", "192.0.2.0/24"),),
        rooms=(*rooms, Room(SCHOOL, "本部", "lab", "机房", COMPUTER_ROOM, SEATS, LINE)),
        classes=tuple(SchoolClass(SCHOOL, f"{name} 班", (name,)) for name in CLASSES),
        equipment=tuple(Equipment(SCHOOL, name, "projector", 1) for name in CLASSES),
    )


def at(day: dt.date, clock: str = "10:00:00") -> int:
    """A local time in ms since 1970 UTC."""
    time = dt.datetime.combine(day, dt.time.fromisoformat(clock), CITY_TIME)
    return int(time.timestamp() * 1000)


def pc(n: int) -> str:
    """A machine id."""
    return f"{n:032x}"


class City:
    """The city side on disk, and what it answered."""

    def __init__(self, folder: Path, capsys: Any) -> None:
        self.folder, self._capsys = folder, capsys
        self.config = Config(data=str(folder), store=StoreSettings(telemetry_days=36500))
        (folder / "c.toml").write_text(f'data = "{folder}"\n[store]\ntelemetry_days = 36500\n')
        self.register = register()
        RegisterBook(folder / "register.db").import_rows(rows_of(self.register))
        self.store = open_store(self.config)
        self.receipts: list[wire.Receipt] = []
        self.days: set[dt.date] = set()
        self._numbers: dict[tuple[str, str], int] = {}
        self._opened: list[Any] = [self.store]
        self.worker = self._pipeline()

    def _pipeline(self) -> Worker:
        counts, folder = Counts(), self.folder
        quarantine = Quarantine(folder / "quarantine.db", 10**6)
        self.book = HeldBook(folder / "held.db")
        machines = KnownMachines(folder / "machines.db", lambda: self.register)
        machines.learn(())
        pending = PendingDays(folder / "days.db")
        self.gate = gate = Gate(
            lambda: self.register,
            lambda known, school: limits_of(known, self.config, school),
            machines,
            allowances=folder / allowances.FILE,
        )
        answers = Answers(quarantine, self._receipts, counts, None, self.book)
        known = self.register.schools.__contains__
        sorter = Sorter(known, answers, counts, gate=gate)
        writer = Writer(self.store, counts, threading.Event())
        self._opened += [quarantine, self.book, machines, pending]
        return Worker(Inbox(), sorter, Storer(writer, answers, pending, counts))

    def _receipts(self, messages: Sequence[Outgoing]) -> int:
        self.receipts += [wire.decode_receipt(one.payload) for one in messages]
        return len(messages)

    def starts_again(self) -> None:
        """The collector, after `gate.close`."""
        self.worker = self._pipeline()

    def close(self) -> None:
        """Close all files."""
        for one in self._opened:
            one.close()

    def message(
        self, machine: str, time: int, *readings: wire.Reading, arrived: int | None = None,
        school: str = SCHOOL, boot: str = BOOT, number: int | None = None, **more: Any,
    ) -> Message:  # fmt: skip
        """A report as it arrives; numbers go up by themselves."""
        if number is None:
            number = self._numbers[machine, boot] = self._numbers.get((machine, boot), 1) + 1
        report = wire.Report(v=1, time=time, readings=readings, **more)
        topic = report_topic(school, machine, boot, number)
        when = time if arrived is None else arrived
        return Message(topic, wire.encode(report), when * 1_000_000)

    def hears(self, *messages: Message) -> None:
        """Take them in, as one batch."""
        self.worker.handle(messages)
        for message in messages:
            time = json.loads(message.payload)["time"]
            self.days.add(day_of(time))

    def held(self) -> dict[str, int]:
        """How many reports were held, by reason, as `schoolpulse held` and `status` tell it."""
        self.book.flush()
        found = {row["reason"]: row["times"] for row in self._told("held", "--json")}
        assert found == {row.reason: row.times for row in self.book.rows()}
        (school,) = self._told("status", "--json")["schools"]
        shown = {
            one for each in school["findings"] if each["code"] == "held" for one in each["reasons"]
        }
        assert shown == set(found), "the list of schools says it too"
        return found

    def points(self, measurement: str) -> list[Point]:
        """All stored points."""
        return list(self.store.read(measurement, -(2**63), 2**63 - 1))

    def derive(self) -> None:
        """What the keeper makes of all days that were reported."""
        now = at(CUTOFF, "23:59:00") * 1_000_000
        keeper = Keeper(self.store, lambda: self.register, Figure(), CityCode(), now=lambda: now)
        keeper.derive(sorted(day for day in self.days if day <= CUTOFF))

    def explained(self) -> str:
        """`schoolpulse figure --explain`."""
        return self._figure()

    def doubts(self) -> dict[str, int]:
        """The school's signs of doubt, of the same command's JSON."""
        found: dict[str, dict[str, int]] = json.loads(self._figure("--json"))["doubts"]
        return found.get(SCHOOL, {})

    def verdicts(self) -> dict[str, list[str]]:
        """The verdicts of the school's units, by indicator."""
        found: dict[str, list[str]] = {}
        for unit in json.loads(self._figure("--json"))["units"]:
            found.setdefault(unit["indicator"], []).append(unit["verdict"])
        return found

    def _told(self, *words: str) -> Any:
        """A command's JSON."""
        self._capsys.readouterr()
        assert (
            main("schoolpulse", COMMANDS, [*words, "--config", str(self.folder / "c.toml")]) == DONE
        )
        return json.loads(self._capsys.readouterr().out)

    def _figure(self, *more: str) -> str:
        words = ["figure", "--config", str(self.folder / "c.toml"), "--cutoff", str(CUTOFF)]
        words += ["--year", "2026", "--explain", SCHOOL, *more]
        self._capsys.readouterr()
        assert main("schoolpulse", COMMANDS, words) == DONE
        return str(self._capsys.readouterr().out)
