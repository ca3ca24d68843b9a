"""The yearly report's files: made by `schoolpulse report` in the background, handed out at a click.

A frozen year's files are made once; those of the current figure once a day. They lie in
`<data>/web/reports/<language>/<area>/<year>`; the whole folder may be removed at any time.
"""

from __future__ import annotations

import datetime as dt
import queue
import shutil
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from agent.common import log, ownership
from agent.common.calendar import local_day
from agent.common.language import Lang
from collector.report import DRAWN, ENDINGS, FORMATS
from collector.web.children import Children

_DONE = "made"
_LONGEST_S = 3600.0
#: Where one format cannot be made here (a font, a library), these are.
_PLAIN = tuple(name for name in FORMATS if name not in DRAWN)


class Wanted(NamedTuple):
    """A report: of a year, of the city (no area) or a district, in a language."""

    year: int
    area: str
    lang: Lang


class Made(NamedTuple):
    """A report's files, as far as they are there."""

    files: Sequence[Path]
    at: dt.datetime | None  # when they were made
    busy: bool  # being made, or waiting for it
    error: str  # why not all could be made, in the words of the command


class Making:
    """Makes one report at a time, each once until it is out of date."""

    def __init__(self, folder: Path, children: Children, *, simulated: bool) -> None:
        self._folder, self._children = folder, children
        self.simulated = simulated
        self._queue: queue.SimpleQueue[Wanted | None] = queue.SimpleQueue()
        self._waiting: set[Wanted] = set()
        self._errors: dict[Wanted, tuple[str, float]] = {}
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="web-reports", daemon=True)

    def start(self) -> None:
        """Begin to make what is asked for."""
        self._thread.start()

    def stop(self) -> None:
        """Make no more."""
        self._queue.put(None)
        if self._thread.is_alive():
            self._thread.join(5)

    def made(self, wanted: Wanted, root: str) -> Made:
        """The files that are there; what is missing or out of date is asked for.

        `root` is the root hash of the year's archive, empty where it is not frozen.
        """
        folder = self._place(wanted)
        stamp = self._stamp(root)
        error, tried = self._errors.get(wanted, ("", 0.0))
        again = not error or time.monotonic() - tried > _LONGEST_S
        if _read(folder / _DONE) != stamp and again:
            self._ask(wanted, root)
        files = [folder / name for name in _names(folder)]
        at = None
        if files:
            at = dt.datetime.fromtimestamp(files[0].stat().st_mtime, dt.UTC)
        return Made(files, at, wanted in self._waiting, error)

    def file(self, wanted: Wanted, name: str) -> Path | None:
        """A file that was made; None for every other name."""
        folder = self._place(wanted)
        return folder / name if name in _names(folder) else None

    def _place(self, wanted: Wanted) -> Path:
        return self._folder / wanted.lang / (wanted.area or "city") / str(wanted.year)

    def _stamp(self, root: str) -> str:
        return root or local_day(time.time()).isoformat()

    def _ask(self, wanted: Wanted, root: str) -> None:
        with self._lock:
            if wanted in self._waiting:
                return
            self._waiting.add(wanted)
        self._roots = {**getattr(self, "_roots", {}), wanted: root}
        self._queue.put(wanted)

    def _run(self) -> None:
        while (wanted := self._queue.get()) is not None:
            try:
                self._make(wanted)
            except OSError as error:
                self._failed(wanted, str(error))
            finally:
                with self._lock:
                    self._waiting.discard(wanted)

    def _make(self, wanted: Wanted) -> None:
        folder = self._place(wanted)
        fresh = folder.with_name(f".{folder.name}.new")
        shutil.rmtree(fresh, ignore_errors=True)
        ownership.make_folder(fresh)
        error = self._command(wanted, fresh, tuple(FORMATS))
        if error and not _names(fresh):
            self._command(wanted, fresh, _PLAIN)
        if error:
            self._failed(wanted, error)
        else:
            self._errors.pop(wanted, None)
        if not _names(fresh):
            return
        (fresh / _DONE).write_text(self._stamp(self._roots[wanted]), "utf-8")
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)

    def _command(self, wanted: Wanted, folder: Path, formats: Sequence[str]) -> str:
        """Run it; what it said where it failed, else nothing."""
        arguments = ["report", "--year", str(wanted.year), "--out", str(folder)]
        arguments += ["--format", ",".join(formats)]
        arguments += ["--area", wanted.area] if wanted.area else []
        arguments += ["--simulated"] if self.simulated else []
        ended = self._children.run(wanted.lang, arguments, _LONGEST_S)
        if ended.code == 0:
            return ""
        return (ended.error.strip().splitlines() or [str(ended.code)])[-1]

    def _failed(self, wanted: Wanted, error: str) -> None:
        log.warning("web_report_failed", year=wanted.year, area=wanted.area, reason=error)
        self._errors[wanted] = (error, time.monotonic())


def _names(folder: Path) -> list[str]:
    """The report's files in a folder, in the order of the formats."""
    endings = [ENDINGS.get(name, name) for name in FORMATS]
    try:
        found = [path.name for path in folder.iterdir() if path.name.startswith("schoolpulse-")]
    except OSError:
        return []
    by_ending = {ending: name for name in sorted(found) for ending in endings
                 if name.endswith(f".{ending}")}  # fmt: skip
    return [by_ending[ending] for ending in endings if ending in by_ending]


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except OSError:
        return ""
