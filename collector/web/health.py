"""What `schoolpulse doctor` finds, asked in the background at most every few minutes."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from agent.common.checks import Check
from agent.common.language import Lang
from collector.web.children import Children

_EVERY_S, _LONGEST_S = 300.0, 600.0


class Health(NamedTuple):
    """The checks of the last time; none while the first one runs."""

    checks: Sequence[Check]
    at: float | None  # s since 1970 UTC
    busy: bool
    error: str


class _Answer(msgspec.Struct):
    checks: list[Check]


class Doctor:
    """Asks once for everybody, in each language by itself."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._last: dict[Lang, Health] = {}
        self._busy: set[Lang] = set()
        self._lock = threading.Lock()

    def health(self, lang: Lang) -> Health:
        """What was found; asks anew where that is some minutes old."""
        last = self._last.get(lang, Health((), None, False, ""))
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
        try:
            ended = self._children.run(lang, ("doctor", "--json"), _LONGEST_S)
            found = msgspec.json.decode(ended.out, type=_Answer).checks
            self._last[lang] = Health(found, time.time(), False, "")
        except (OSError, msgspec.MsgspecError) as error:
            self._last[lang] = Health((), time.time(), False, str(error))
        finally:
            with self._lock:
                self._busy.discard(lang)
