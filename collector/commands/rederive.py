"""`schoolpulse collect --rederive YEAR`: a year's days, hours and indicators derived again.

From the store alone; a keeper may run beside it, and it may be killed and run again.
"""

from __future__ import annotations

import datetime as dt

from agent.common.command_line import DONE, RefusedError
from agent.common.language import counted, say
from collector.commands.progress import Bar
from collector.keeper import Keeper


def rederive(keeper: Keeper, year: int, today: dt.date) -> int:
    """Derive every day of `year` up to `today`, oldest first; says how many rows changed.

    Raises:
        RefusedError: the year has not begun, or there is no register.
        UnavailableError, MisconfiguredError: some days are derived; run it again.
    """
    days = days_of(year, today)
    if not days:
        raise RefusedError(say(f"{year} 年还没有开始", f"{year} has not started yet"))
    changed = 0
    with Bar(say(f"重算 {year} 年", f"recomputing {year}"), len(days)) as bar:
        for day in days:
            changed += keeper.derive([day])
            keeper.judge(day)
            bar.more(note=day.isoformat())
    print(
        say(
            f"{year} 年：重算 {len(days)} 天，每日的数据改动 {changed} 行，小时的照写",
            f"{year}: {counted(len(days), 'day')} recomputed, {counted(changed, 'daily row')} "
            "changed, hours rewritten",
        )
    )
    return DONE


def days_of(year: int, today: dt.date) -> list[dt.date]:
    """The days of a year that have begun."""
    first, last = dt.date(year, 1, 1), min(dt.date(year, 12, 31), today)
    return [first + dt.timedelta(days=n) for n in range((last - first).days + 1)]
