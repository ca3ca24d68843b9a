"""A city-month in a store: 600 schools, 20,000 PCs, 30 days of evidence and roll-ups.

    python tests/bench/boards_month/city_month.py --config collector.toml [--schools 600]

The newest day is judged by the keeper itself, and one day in five before it; the days between
repeat the one before them. One school's raw reports of all days are there.
"""

from __future__ import annotations

import argparse
import datetime as dt
import itertools
import sys
import time
from collections.abc import Iterable

import month

from agent.common.calendar import CITY_TIME
from collector import config as settings
from collector.config import Config
from collector.keeper import Keeper
from collector.keeper.midnight import midnight
from collector.roster.book import RegisterBook
from collector.simulate import writing
from collector.simulate.build import build
from collector.simulate.city import City, Size
from collector.store.base import Point, Store
from collector.store.factory import open_store

DAYS = 30
_JUDGED_EVERY = 5
_BATCH = 20_000
_DERIVED = ("indicator", "school_day", "line_day")


def made(schools: int, today: dt.date) -> City:
    """The city, its newest evidence of yesterday."""
    size = Size(schools, 7, today.year, every_case=True)
    return month.with_troubles(build(size, today, today - dt.timedelta(days=1), days=DAYS))


def shown_school(city: City) -> str:
    """The school whose raw reports are written: the one with most to show."""
    tested = {line.school for line in city.lines if line.script.flaw == ""}
    faulty = [pc.school for pc in city.pcs if pc.gear and pc.gear[0].faults.oldest < 40]
    return next(school for school in faulty if school in tested)


def load(config: Config, city: City, now: dt.datetime) -> None:
    """Write all of it; what is printed says how long each part took."""
    book = RegisterBook(config.folder / "register.db")
    config.folder.mkdir(parents=True, exist_ok=True)
    writing.write_register(book, city)
    first = now.date() - dt.timedelta(days=DAYS)
    begin = dt.datetime.combine(first, dt.time(), CITY_TIME)
    with open_store(config) as store:
        _timed("days and line tests", lambda: writing.write_evidence(store, city))
        parts: dict[str, Iterable[Point]] = {
            "hours": month.school_hours(city, first, now),
            "one school's reports": month.reports(
                city, shown_school(city), dt.timedelta(minutes=5)
            ),
            "own counts": month.own_counts(begin, now, len(city.pcs)),
        }
        for name, points in parts.items():
            _timed(name, lambda points=points: write(store, points))
        _timed("indicators", lambda: _judge(config, book, store, now.date()))


def _timed(name: str, job: object) -> None:
    started = time.monotonic()
    count = job()  # type: ignore[operator]
    print(f"{name}: {count} points, {time.monotonic() - started:.0f} s", file=sys.stderr)


def write(store: Store, points: Iterable[Point]) -> int:
    """Store them in batches; how many."""
    rest, count = iter(points), 0
    while batch := list(itertools.islice(rest, _BATCH)):
        store.write(batch)
        count += len(batch)
    return count


def _judge(config: Config, book: RegisterBook, store: Store, today: dt.date) -> int:
    register = book.load()
    keeper = Keeper(store, lambda: register, config.figure, config.city)
    days = [today - dt.timedelta(days=n) for n in range(DAYS)]
    count = sum(keeper.judge(day) for day in days[::_JUDGED_EVERY])
    return count + sum(write(store, _copied(store, day, today)) for day in days)


def _copied(store: Store, day: dt.date, today: dt.date) -> Iterable[Point]:
    """The points of the judged day before, as those of `day`."""
    back = -(today - day).days % _JUDGED_EVERY
    source = midnight(day - dt.timedelta(days=back))
    if back == 0 or (today - day).days + back >= DAYS:
        return
    for name in _DERIVED:
        for point in store.read(name, source, source + 1):
            yield point._replace(time=midnight(day))


def main() -> int:
    """Load the store that a configuration names."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--config", required=True)
    parser.add_argument("--schools", type=int, default=600)
    args = parser.parse_args()
    now = dt.datetime.now(CITY_TIME)
    config, _ = settings.load(args.config)
    load(config, made(args.schools, now.date()), now)
    return 0


if __name__ == "__main__":
    sys.exit(main())
