"""A city that `schoolpulse setup` and `enrol` made in a folder, by their own command lines."""

from __future__ import annotations

import re
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from agent.common import language
from agent.common.command_line import main
from collector.cli import COMMANDS
from collector.commands.enrol.places import place_of
from collector.config import Config, load
from collector.enrol.place import Place
from collector.enrol.seen import Heard, SeenBook
from collector.enrol.state import State
from collector.roster.book import RegisterBook
from collector.roster.register import Register, Room, School
from collector.roster.rows import rows_of

SCHOOLS = tuple(f"99010200{number:02}" for number in range(1, 5))
#: 32 random bytes as hex: what no command may print.
SECRET = re.compile("[0-9a-f]{64}")


def register(*codes: str) -> Register:
    """Schools with two rooms each."""
    schools = [School(code, f"示例{code[-4:]}小学", "630102", "小学", "630102") for code in codes]
    return Register(
        schools={school.code: school for school in schools},
        rooms=[
            Room(code, "本部", room, name, "普通教室", 30, "主线")
            for code in codes
            for room, name in (("101", "一年级(1)班"), ("102", "=1+1"))
        ],
    )  # fmt: skip


@dataclass
class EnrolledCity:
    """Its folders, and its commands, run in this process."""

    folder: Path
    port: int
    out: list[str] = field(default_factory=list)

    @property
    def file(self) -> Path:
        return self.folder / "etc/collector.toml"

    @property
    def config(self) -> Config:
        return load(str(self.file))[0]

    @property
    def place(self) -> Place:
        return place_of(self.config, self.file.parent)

    @property
    def bundles(self) -> Path:
        return self.folder / "data/bundles"

    def setup(self, *words: str) -> int:
        """`schoolpulse setup` on these folders."""
        own = ["--folder", self.file.parent, "--data", self.folder / "data", "--port", self.port]
        return self.run("setup", *own, *words)

    def enrol(self, *words: str) -> int:
        """`schoolpulse enrol …`."""
        return self.run("enrol", *words, "--config", self.file)

    def ca(self, *words: str) -> int:
        """`schoolpulse ca …`."""
        return self.run("ca", *words, "--config", self.file)

    def run(self, *words: Any) -> int:
        """A command's exit code."""
        try:
            return main("schoolpulse", COMMANDS, list(map(str, words)), version="test")
        except SystemExit as end:
            return int(str(end.code))
        finally:
            language.choose("zh")

    def roster(self, *codes: str) -> None:
        """Import a register of these schools."""
        self.keep(register(*codes))

    def keep(self, rows: Register) -> None:
        """Import a register."""
        RegisterBook(self.folder / "data/register.db").import_rows(rows_of(rows), who="test")

    def heard(self, school: str, *rows: tuple[str, str, int], ca: str = "") -> None:
        """Hellos of (machine, boot, generation), as the collector writes them."""
        now_ms = time.time_ns() // 1_000_000
        with closing(SeenBook(self.place.seen)) as book:
            book.note([Heard(school, pc, boot, said, ca, now_ms) for pc, boot, said in rows])

    def state(self) -> State:
        """What was given out."""
        return State(self.place.state, "test")

    def files(self) -> dict[str, bytes]:
        """Every file but the databases, by name."""
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in sorted(self.folder.rglob("*"))
            if path.is_file() and not path.name.startswith(("enrol.", "register.", "credentials."))
        }
