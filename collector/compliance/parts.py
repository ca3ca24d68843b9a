"""Judges a city's schools in several processes: one processor's work takes longer than need be.

Each school is judged by its own evidence, so parts of the schools can be, and the figure is the
same however many processes there are. Where a process cannot be started, or is killed, this one
judges all.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, NamedTuple

from collector import config
from collector.compliance import evidence
from collector.compliance.evidence import Shared
from collector.compliance.figure import Found, Judge
from collector.roster.register import Register, School
from collector.store import Store
from collector.store.base import StoreError

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.process import BaseProcess

_ENOUGH = 100  # schools a process: fewer are judged while it starts
_MOST = 2  # processes: a figure may take 300 MB, and each holds its own rows
Open = Callable[[], AbstractContextManager[Store]]


class Asked(NamedTuple):
    """What every process judges by."""

    judging: Judge
    open_store: Open  # opens the store anew: no connection may be shared by processes
    register: Register
    settings: config.Figure


def judge_all(asked: Asked) -> None:
    """Add all schools of `asked.judging` to it, in their order.

    Raises:
        UnavailableError, MisconfiguredError: as `Store.read`.
    """
    judging = asked.judging
    parts = split(judging.schools, _processes(len(judging.schools)))
    known = None  # one school asks for its own devices alone
    if len(judging.schools) > 1:
        with asked.open_store() as store:
            known = evidence.shared(store, asked.register, asked.settings, judging.cutoff)
    found = _by_processes(asked, parts, known) if len(parts) > 1 else None
    for one in found or [_judged(asked, judging.schools, known)]:
        judging.add_found(one)


def split(schools: Sequence[School], parts: int) -> list[Sequence[School]]:
    """The schools in so many runs of about equal length, in their order."""
    size = max(1, -(-len(schools) // parts))
    return [schools[at : at + size] for at in range(0, len(schools), size)]


def _processes(schools: int) -> int:
    """How many processes to use; one where the system cannot fork, as Windows."""
    if not hasattr(os, "fork") or not hasattr(os, "sched_getaffinity"):
        return 1
    return max(1, min(len(os.sched_getaffinity(0)), schools // _ENOUGH, _MOST))


def _judged(asked: Asked, schools: Sequence[School], known: Shared | None) -> Found:
    judging = asked.judging.apart()
    with asked.open_store() as store:
        for _, few in evidence.judged_by_school(
            store, asked.register, asked.settings, judging.cutoff, schools,
            tracing=judging.tracing, known=known,
        ):  # fmt: skip
            judging.add_judged(few)
    return judging.found


def _by_processes(
    asked: Asked, parts: Sequence[Sequence[School]], known: Shared | None
) -> list[Found] | None:
    """What each part adds to the figure; None if a process could not be started, or was killed."""
    import multiprocessing  # not for one school

    context = multiprocessing.get_context("fork")
    ends: list[Connection] = []
    started: list[BaseProcess] = []
    try:
        for part in parts:
            ours, theirs = context.Pipe(duplex=False)
            ends.append(ours)
            with theirs:
                task = (theirs, asked, part, known)
                process = context.Process(target=_work, args=task, daemon=True)
                process.start()
                started.append(process)
        found = [end.recv() for end in ends]
    except (OSError, EOFError):
        return None
    finally:
        for end in ends:
            end.close()
        for child in started:  # it has answered, or is asked no longer
            child.terminate()
            child.join()
    for one in found:
        if isinstance(one, StoreError):
            raise one
    return found


def _work(
    answer: Connection, asked: Asked, schools: Sequence[School], known: Shared | None
) -> None:
    """A process's whole work; whoever asked may have gone meanwhile."""
    for one in (signal.SIGINT, signal.SIGTERM):
        signal.signal(one, signal.SIG_DFL)
    found: Found | StoreError
    try:
        found = _judged(asked, schools, known)
    except StoreError as error:
        found = error
    except Exception:  # whoever asked meets it by judging alone, and says it once
        return
    try:
        answer.send(found)
    except BrokenPipeError:
        return
