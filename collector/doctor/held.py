"""What `schoolpulse doctor` says of reports that were held in the last day."""

from __future__ import annotations

import datetime as dt
import sqlite3
from collections import defaultdict
from collections.abc import Sequence
from contextlib import closing

from agent.common.checks import Check
from agent.common.language import say
from agent.common.vocabulary.held import REASONS
from agent.common.vocabulary.words import word
from collector.config import Config
from collector.service.pipeline.held_book import FILE, HeldBook, HeldRow

_DAY_MS = 86_400_000
#: So many schools at once are not wrong themselves: it is this machine's clock.
_OWN_CLOCK = 3
_NAMED = 5


def check(config: Config, now: dt.datetime) -> Check:
    """Whether any report was held in the day before `now`; `now` is aware."""
    name, path = say("暂存的上报", "held reports"), config.folder / FILE
    if not path.exists():
        return Check(name, True, say("没有", "none"))
    try:
        with closing(HeldBook(path)) as book:
            rows = book.rows()
    except (sqlite3.Error, OSError) as error:
        fix = say(f"删掉 {path}，采集服务会重建", f"delete {path}: the collector makes it anew")
        return Check(name, False, f"{path}: {error}", fix)
    # A clock that was years ahead left rows of the future, which are recent too.
    since = int(now.timestamp() * 1000) - _DAY_MS
    found = _schools([row for row in rows if row.last_ms >= since])
    if not found:
        return Check(name, True, say("近 24 小时没有", "none in the last 24 h"))
    lines = (_line(reason, schools) for reason, schools in found.items())
    return Check(name, False, "; ".join(lines), _fix(found))


def _schools(rows: Sequence[HeldRow]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = defaultdict(list)
    for row in rows:
        found[row.reason].append(row.school)
    return found


def _line(reason: str, schools: Sequence[str]) -> str:
    more = f" +{len(schools) - _NAMED}" if len(schools) > _NAMED else ""
    return f"{word(REASONS, reason)}: {' '.join(schools[:_NAMED])}{more}"


def _fix(found: dict[str, list[str]]) -> str:
    if len(found.get("time_out_of_bounds", ())) >= _OWN_CLOCK:
        return say(
            "很多学校的时间都不对：多半是本机的时钟错了，用 NTP（chrony）对时；"
            "上报都留在各校电脑上，时钟对了就会入库",
            "many schools are out of time: most likely this machine's clock is wrong. Sync it by "
            "NTP (chrony); the PCs keep their reports, which are stored when the clock is right",
        )
    return say("schoolpulse held 列出原因和办法", "schoolpulse held lists reasons and fixes")
