"""What `schoolpulse doctor` says of the schools: the same as `status`, a line a finding."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator

from agent.common.checks import Check
from agent.common.command_line import RefusedError
from agent.common.language import say
from agent.common.vocabulary.standing import FIXES, REPORTING, STATES
from agent.common.vocabulary.words import word
from collector import status
from collector.config import Config
from collector.store.base import StoreError

_NAMED = 5
_HELD = "held"  # a check of its own, with its reasons
#: What may be as it should: a school that is still to come, a version that is under way.
_NO_FAULT = {"never_seen", "old_version"}


def checks(config: Config) -> Iterator[Check]:
    """How many schools report, and what is wrong at which."""
    try:
        city = status.read(config)
    except (StoreError, RefusedError, sqlite3.Error):
        return  # the checks before say why
    total, good = len(city.schools), city.counts.get(REPORTING, 0)
    detail = say(f"{good}/{total} 所正常上报", f"{good} of {total} report and are well")
    yield Check(say("学校", "schools"), True, detail)
    for code, schools in city.findings.items():
        if code != _HELD:
            yield _finding(code, schools)


def _finding(code: str, schools: list[str]) -> Check:
    more = f" +{len(schools) - _NAMED}" if len(schools) > _NAMED else ""
    named = f"{len(schools)}: {' '.join(sorted(schools)[:_NAMED])}{more}"
    fix = word(FIXES, code).format(school=min(schools))
    ok = None if code in _NO_FAULT else False
    whole = say("；全部：schoolpulse status", "; all: schoolpulse status") if more else ""
    return Check(word(STATES, code), ok, named, fix + whole)
