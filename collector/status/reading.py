"""Reads what a city's state is judged from: roll-ups, last rows and notes, no raw days."""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from agent.common.calendar import local_day
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.config import Config
from collector.keeper.midnight import MS, midnight
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.schema import MEASUREMENTS
from collector.service.pipeline.held_book import FILE as HELD
from collector.status.model import City, Facts, LastTest, Machine, judge
from collector.store import Store
from collector.store.base import Row
from collector.store.factory import open_store

_REGISTER, _CREDENTIALS = "register.db", "enrol.db"
_DAY_NS, _DAY_MS = 86_400 * 10**9, 86_400_000
#: A school without a report for so many weeks counts as never seen.
_WEEKS = 56
_TEST_DAYS = 7
_KEY = re.compile(r"([0-9]{10})\.key", re.ASCII)


def read(config: Config, now_ms: int | None = None) -> City:
    """The state of every registered school.

    Raises:
        RefusedError: there is no register, or a file of the data folder cannot be read; the
            message names it and the fix.
        StoreError: the store does not answer.
    """
    now = time.time_ns() // MS if now_ms is None else now_ms
    register = RegisterBook(config.folder / _REGISTER).load()
    with open_store(config) as store:
        return judge(_facts(config, register, store, now))


def _facts(config: Config, register: Register, store: Store, now_ms: int) -> Facts:
    today = midnight(local_day(now_ms / 1000))
    since, stop = today - _DAY_NS, today + _DAY_NS
    machines = list(_machines(store, since, stop, register))
    return Facts(
        register, now_ms, _as_of(store, register, now_ms),
        _last(store, since, machines, register), machines,
        list(_tests(store, now_ms * MS, register)),
        _held(config.folder / HELD, now_ms), _enrolled(config.folder / _CREDENTIALS),
        _keys(config.lines.keys),
    )  # fmt: skip


def _machines(store: Store, start: int, stop: int, register: Register) -> Iterator[Machine]:
    """The last row of each PC, of registered schools."""
    found: dict[tuple[str, str], Machine] = {}
    fields = ["last_ms", "version", "offset_ms"]
    school, machine = _places("machine_day", "school", "machine")
    for row in store.rows("machine_day", start, stop, None, fields):
        last, version, offset = row[-3:]
        if last is not None and row[school] in register.schools:
            key = row[school], row[machine]
            if key not in found or found[key].last_ms <= last:  # on one day in two rooms
                found[key] = Machine(*key, int(last), version or "", offset)
    yield from found.values()


def _places(measurement: str, *tags: str) -> tuple[int, ...]:
    """Where these tags stand in a row of `Store.rows`."""
    names = list(MEASUREMENTS[measurement].tags)
    return tuple(1 + names.index(tag) for tag in tags)


def _last(
    store: Store, start: int, machines: Iterable[Machine], register: Register
) -> dict[str, int]:
    """Each school's last report. Week by week back: a day's rows of all PCs are very many."""
    found: dict[str, int] = {}
    for pc in machines:
        found[pc.school] = max(found.get(pc.school, 0), pc.last_ms)
    (school,) = _places("machine_day", "school")
    stop = start
    for _ in range(_WEEKS):
        wanted = register.schools.keys() - found.keys()
        if not wanted:
            break
        start = stop - 7 * _DAY_NS
        for row in store.rows("machine_day", start, stop, {"school": wanted}, ["last_ms"]):
            found[row[school]] = max(found.get(row[school], 0), int(row[-1]))
        stop = start
    return found


def _as_of(store: Store, register: Register, now_ms: int) -> int | None:
    """Up to when the keeper has derived hours: every school has a row of each."""
    some = next(iter(register.schools), None)
    if some is None:
        return None
    since = now_ms * MS - 7 * _DAY_NS
    hours = [row[0] for row in store.rows("school_hour", since, now_ms * MS, {"school": some},
                                          ["pcs"])]  # fmt: skip
    if not hours:
        return None
    return min(now_ms, int(max(hours)) // MS + 3_600_000)


def _tests(store: Store, now: int, register: Register) -> Iterator[LastTest]:
    """The last test of each PC that tested this week."""
    last: dict[tuple[str, str], Row] = {}
    school, machine = _places("line_test", "school", "machine")
    fields = ["outcome", "reason"]
    for row in store.rows("line_test", now - _TEST_DAYS * _DAY_NS, now, None, fields):
        if row[school] in register.schools:
            last[row[school], row[machine]] = row
    for key, row in last.items():
        yield LastTest(*key, row[-2], row[-1] or "")


def _held(path: Path, now_ms: int) -> dict[str, list[str]]:
    """By school, why its reports of the last day were held, the most frequent reason first."""
    query = (
        "SELECT school, reason FROM held WHERE last_ms BETWEEN ? AND ? ORDER BY school, times DESC"
    )
    found: dict[str, list[str]] = {}
    for school, reason in _select(path, query, (now_ms - _DAY_MS, now_ms + _DAY_MS)):
        found.setdefault(school, []).append(reason)
    return found


def _enrolled(path: Path) -> frozenset[str] | None:
    """The schools with a credential; None where this city gives out none, or we may not know."""
    if not path.exists():
        return None
    try:
        rows = _select(path, "SELECT DISTINCT school FROM credential WHERE ended_ms IS NULL")
    except RefusedError:
        return None  # secrets: few users may read them, and the rest is worth telling
    return frozenset(school for (school,) in rows)


def _select(path: Path, query: str, values: tuple[int, ...] = ()) -> list[tuple[str, ...]]:
    """Rows of a file that others write; none where there is no file. Nothing is made or changed."""
    if not path.exists():
        return []
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True)) as db:
            return db.execute(query, values).fetchall()
    except sqlite3.Error as error:
        raise RefusedError(
            say(
                f"{path}: 读不了：{error}。用采集服务的用户或 root 运行，核对权限",
                f"{path}: cannot be read: {error}. Run this as the collector's user or root; "
                "check its permissions",
            )
        ) from error


def _keys(folder: str) -> frozenset[str] | None:
    """The schools that have a key for line tests; None where no folder is set or is readable."""
    if not folder:
        return None
    try:
        names = [path.name for path in Path(folder).iterdir()]
    except OSError:
        return None
    return frozenset(found[1] for name in names if (found := _KEY.fullmatch(name)))
