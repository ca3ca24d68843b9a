"""Follows the stages while the collector runs: who took a version, and whether they came back.

A stage whose PCs do not come back is stopped here, at once and without the release key: the
policies then name the version before. Where the book cannot be read, nothing is offered.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections.abc import Callable, Iterable, Mapping

from agent import wire
from agent.common import log
from agent.common.calendar import Calendar
from agent.common.command_line import RefusedError
from collector.config import Config
from collector.release.book import Pc, ReleaseBook, Stage, existing
from collector.release.judging import Standing, not_back, reported, standing
from collector.release.offers import offered
from collector.store.base import Store, StoreError

LOOK_S = 60.0
_MS = 1_000_000
_HOUR_MS = 3_600_000
#: Reports that come late are found by reading all again so often.
_ALL_EVERY_MS = _HOUR_MS
#: Stages that began longer ago are read no more.
_FOLLOWED_MS = 30 * 24 * _HOUR_MS


class ReleaseWatch:
    """`offered` is called in the roster's thread, the rest in one of its own."""

    def __init__(self, store: Store, config: Config, calendar: Callable[[], Calendar]) -> None:
        """Nothing is opened before a release was added."""
        self._store, self._calendar = store, calendar
        self._folder, self._server = config.folder, config.lines.server
        self._lock = threading.Lock()
        self._book: ReleaseBook | None = None
        self._failing = False
        self._read_until = self._read_all = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="releases", daemon=True)

    def start(self) -> None:
        """Follow the stages, in a thread."""
        self._thread.start()

    def stop(self, seconds: float) -> None:
        """Wait up to `seconds` for the thread. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(seconds)
        if not self.alive and self._book is not None:
            self._book.close()
            self._book = None

    @property
    def alive(self) -> bool:
        """Whether the thread still runs."""
        return self._thread.is_alive()

    def offered(self, policies: Mapping[str, wire.Policy]) -> dict[str, wire.Policy]:
        """The policies with what each school is offered now."""
        try:
            book = self._opened()
            if book is not None:
                return offered(policies, book.stages(running=True), book.withdrawn(), self._server)
            self._failing = False
        except (sqlite3.Error, OSError, RefusedError) as error:
            if not self._failing:
                log.error("releases_unreadable", reason=error)
            self._failing = True
        return dict(policies)

    def look(self, now_ms: int) -> None:
        """Read what PCs reported, and stop what must be stopped.

        Raises:
            StoreError, sqlite3.Error, OSError, RefusedError: the next call does it.
        """
        book = self._opened()
        followed = [] if book is None else _followed(book.stages(), now_ms)
        if book is None or not followed:
            return
        self._note(book, followed, now_ms)
        for version, since in _running(followed).items():
            found = standing(book.pcs(version), self._calendar(), since, now_ms)
            if found.must_stop:
                found = self._asked_again(book, found, since, now_ms)
            if found.must_stop:
                why = not_back(found)
                book.stop(version, why, now_ms)
                log.error("release_stage_stopped", version=version, reason=why)

    def _opened(self) -> ReleaseBook | None:
        with self._lock:
            if self._book is None and not self._stopping.is_set():
                self._book = existing(self._folder)
            return self._book

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_S):
            try:
                self.look(time.time_ns() // _MS)
            except (StoreError, sqlite3.Error, OSError, RefusedError) as error:
                log.warning("releases_not_followed", reason=error)
            except Exception as error:
                log.error("releases_failed", reason=error, at=log.where(error))

    def _note(self, book: ReleaseBook, followed: Iterable[Stage], now_ms: int) -> None:
        """Read the reports since the last look; now and then all since the first stage."""
        stages = list(followed)
        first = min(stage.since_ms for stage in stages)
        everything = now_ms - self._read_all >= _ALL_EVERY_MS
        start = first if everything else max(first, self._read_until - _HOUR_MS)
        known = {stage.version for stage in stages}
        points = self._store.read(
            "agent", start * _MS, (now_ms + _HOUR_MS) * _MS, fields=["update"]
        )
        book.note(
            pc
            for point in points
            if (pc := reported(
                point.tags["school"], point.tags["machine"], str(point.fields["update"]),
                point.time // _MS, known,
            ))
        )  # fmt: skip
        self._read_until = now_ms
        if everything:
            self._read_all = now_ms

    def _asked_again(self, book: ReleaseBook, found: Standing, since: int, now_ms: int) -> Standing:
        """Without those that do report with the version: one of its reports may have been lost."""
        version = found.lost[0].version
        machines = {pc.machine for pc in found.lost}
        rows = self._store.read(
            "agent", since * _MS, (now_ms + _HOUR_MS) * _MS,
            tags={"machine": machines}, fields=["version"],
        )  # fmt: skip
        book.note([
            Pc(version, row.tags["school"], row.tags["machine"], "installed", row.time // _MS)
            for row in rows
            if row.fields["version"] == version
        ])  # fmt: skip
        return standing(book.pcs(version), self._calendar(), since, now_ms)


def _followed(stages: Iterable[Stage], now_ms: int) -> list[Stage]:
    return [stage for stage in stages if stage.since_ms > now_ms - _FOLLOWED_MS]


def _running(stages: Iterable[Stage]) -> dict[str, int]:
    """The versions that are offered, and since when."""
    found: dict[str, int] = {}
    for stage in stages:
        if stage.stopped_ms is None:
            found[stage.version] = min(stage.since_ms, found.get(stage.version, stage.since_ms))
    return found
