"""What `schoolpulse doctor` and `status` find, asked in the background every few minutes."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeVar

import msgspec

from agent.common import decoding
from agent.common.checks import Check
from agent.common.language import Lang
from collector.status.model import Standing
from collector.web.children import Children, Ended

_EVERY_S, _LONGEST_S = 300.0, 600.0
_T = TypeVar("_T")


class Health(NamedTuple):
    """The checks and the schools with a problem of the last time; none while the first one runs."""

    checks: Sequence[Check]
    schools: Sequence[Standing]
    at: float | None  # s since 1970 UTC
    busy: bool
    error: str


class _Checks(msgspec.Struct):
    checks: list[dict[str, Any]]


class _Schools(msgspec.Struct):
    schools: list[dict[str, Any]]


class Doctor:
    """Asks once for everybody, in each language by itself."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._last: dict[Lang, Health] = {}
        self._busy: set[Lang] = set()
        self._lock = threading.Lock()

    def health(self, lang: Lang) -> Health:
        """What was found; asks anew where that is some minutes old."""
        last = self._last.get(lang, Health((), (), None, False, ""))
        if last.at is None or time.time() - last.at > _EVERY_S:
            self._begin(lang)
        return last._replace(busy=lang in self._busy)

    def _begin(self, lang: Lang) -> None:
        with self._lock:
            if lang in self._busy:
                return
            self._busy.add(lang)
        threading.Thread(target=self._ask, args=(lang,), name="web-doctor", daemon=True).start()

    def _ask(self, lang: Lang) -> None:
        errors: list[str] = []
        try:
            checks = _tried(lambda: self._checks(lang), errors)
            schools = _tried(lambda: self._schools(lang), errors)
            self._last[lang] = Health(checks, schools, time.time(), False, "; ".join(errors))
        finally:
            with self._lock:
                self._busy.discard(lang)

    def _checks(self, lang: Lang) -> list[Check]:
        ended = self._children.run(lang, ("doctor", "--json"), _LONGEST_S)
        said = decoding.decode(_whole(ended), _Checks)
        return [Check(**check) for check in said.checks]

    def _schools(self, lang: Lang) -> list[Standing]:
        ended = self._children.run(lang, ("status", "--problems", "--json"), _LONGEST_S)
        said = decoding.decode(_whole(ended), _Schools)
        return [Standing.of(school) for school in said.schools]


def _tried(ask: Callable[[], list[_T]], errors: list[str]) -> list[_T]:
    """What one command says; the other's findings stand where it fails."""
    try:
        return ask()
    except (OSError, KeyError, TypeError, msgspec.MsgspecError) as error:
        errors.append(str(error))
        return []


def _whole(ended: Ended) -> str:
    """What a command printed.

    Raises:
        OSError: it printed nothing; the last line of its error says why.
    """
    if not ended.out:
        raise OSError(ended.error.strip().rpartition("\n")[2] or f"exit code {ended.code}")
    return ended.out
