"""Whether the calendar ends soon: without the next one, holidays count as days of silence."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from agent.common.checks import Check
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.config import Config
from collector.roster.book import RegisterBook
from collector.roster.calendar import ending


def soon(config: Config, today: dt.date) -> Iterator[Check]:
    """One check while the end is near; none where the register's own says it has ended."""
    try:
        calendar = RegisterBook(config.folder / "register.db").load().calendar
    except RefusedError:  # the register's own check says it
        return
    last = ending.ends(calendar)
    if last is not None and today <= last <= today + dt.timedelta(days=ending.SOON_DAYS):
        detail = ending.warning(calendar, today)
        yield Check(say("校历", "calendar"), False, detail, ending.fix())
