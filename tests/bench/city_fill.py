"""A city's day in a store, for the keeper: written until a time of day, derived, then fed on."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import sqlite3
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from city_keeper import Asked, keeping
from rich.progress import track

import city_day
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.midnight import midnight
from collector.keeper.part import Part
from collector.service.pipeline.pending_days import Pair, PendingDays
from collector.store.base import Point
from collector.store.base import Store as AnyStore
from collector.store.factory import open_store

_FILLED = "filled"  # the file that says until when the store is
_DERIVED = "derived"  # the file that says that the day was given to a keeper, to be derived whole


def filled(asked: Asked) -> int:
    """Until which second of the day the store is filled."""
    try:
        return int(Path(asked.data, _FILLED).read_text())
    except FileNotFoundError:
        return 0


def fill(asked: Asked, store: AnyStore) -> int:
    """Write the rest of the day until then, in the order of time; the number of reports."""
    count, city, slice_s = 0, asked.city, 300
    slices = range(filled(asked), asked.until_s, slice_s)
    for begin in track(slices, description="the day until then"):
        end = min(begin + slice_s, asked.until_s)
        each = (city_day.reports(city, code, begin, end) for code in city.codes)
        reports = itertools.chain.from_iterable(each)
        while some := list(itertools.islice(reports, 1000)):
            count += len(some)
            store.write([point for one in some for point in one])
        Path(asked.data, _FILLED).write_text(str(end))
    return count


def feed(asked: Asked, store: AnyStore, pending: PendingDays) -> Iterator[list[list[Point]]]:
    """Write what comes, second by second, as ingest does; yields the reports of each second."""
    city, began = asked.city, time.monotonic()
    for second in range(int(asked.minutes * 60)):
        reports = [
            one
            for code in city.codes
            for one in city_day.reports(
                city, code, asked.until_s + second, asked.until_s + second + 1
            )
        ]
        time.sleep(max(0.0, began + second - time.monotonic()))
        if reports:
            store.write([point for one in reports for point in one])
            marks: dict[Pair, int] = {}
            for one in reports:
                pair, at = Pair(one[0].tags["school"], city.day), one[0].time
                marks[pair] = min(at, marks.get(pair, at))
            pending.mark(marks)
        Path(asked.data, _FILLED).write_text(str(asked.until_s + second + 1))
        yield reports


def only_fill(asked: Asked) -> dict[str, Any]:
    """Fill one city's store."""
    with open_store(asked.config) as store:
        return {"reports": fill(asked, store)}


def mark(asked: Asked, pending: PendingDays) -> None:
    """The day of all schools is to be derived: whole, once; then from the last second's reports."""
    marked = Path(asked.data, _DERIVED)
    at = midnight(asked.city.day) + (asked.until_s - 1) * 10**9
    pending.mark({Pair(code, asked.city.day): at * marked.exists() for code in asked.city.codes})
    marked.touch()


def only_derive(asked: Asked) -> dict[str, Any]:
    """Derive the day that is filled, as far as an earlier run did not."""
    with open_store(asked.config) as store:
        count = fill(asked, store)
    asked = asked._replace(until_s=filled(asked))
    cores = len(os.sched_getaffinity(0))
    parts = [asked._replace(part=(n, cores)) for n in range(1, cores + 1)] if cores > 1 else [asked]
    _shared_out(asked, parts)
    with contextlib.ExitStack() as opened:
        processes = [opened.enter_context(keeping(one)) for one in parts]
        told = [json.loads(process.stdout.readline()) for process in processes if process.stdout]
        for process in processes:
            assert process.stdin
            process.stdin.close()
    _brought_together(asked, parts)
    return {"reports": count, "keepers": told}


def _shared_out(asked: Asked, parts: Sequence[Asked]) -> None:
    """What is to be derived, among the keepers of these parts."""
    with contextlib.closing(PendingDays(asked.file("days"))) as pending:
        if not Path(asked.data, _DERIVED).exists():
            mark(asked, pending)
        taken = pending.take()
        for one in parts:
            if one is not asked:
                with contextlib.closing(PendingDays(one.file("days"))) as own:
                    has = Part(*one.part).has
                    own.mark({pair: at.since for pair, at in taken.items() if has(pair.school)})
        if parts != [asked]:
            pending.done(taken)


def _brought_together(asked: Asked, parts: Sequence[Asked]) -> None:
    """The checkpoints of all of them in the file of one keeper of the city."""
    Checkpoints(asked.file("checkpoints")).close()
    for one in parts:
        if one is not asked:
            with contextlib.closing(sqlite3.connect(asked.file("checkpoints"))) as db, db:
                db.execute("ATTACH ? AS part", (f"{one.file('checkpoints')}",))
                db.execute("INSERT OR REPLACE INTO days SELECT * FROM part.days")
                db.execute("INSERT INTO owner SELECT * FROM part.owner")
                db.execute("DELETE FROM part.days")  # a later run may not bring back these
