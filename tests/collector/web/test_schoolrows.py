"""The schools of a list: an indicator has its verdict whichever the settings have."""

from __future__ import annotations

import datetime as dt
from pathlib import Path

from agent.common.calendar import CITY_TIME, midnight_ns
from agent.common.vocabulary.indicators import KNOWN
from collector.roster.register import Register, School
from collector.store.base import Point
from collector.store.sqlite import SqliteStore
from collector.web.schoolrows import school_rows

SCHOOL, DAY = "9900000001", dt.date(2026, 10, 12)


def test_every_indicator_that_is_known_has_its_verdict(tmp_path: Path) -> None:
    register = Register({SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")})
    now = dt.datetime(2026, 10, 12, 12, tzinfo=CITY_TIME)
    tags = {"school": SCHOOL, "district": "630102"}
    judged = dict.fromkeys(KNOWN, "declared")
    with SqliteStore(tmp_path / "store.db") as store:
        store.write([Point("school_day", tags, {**judged, "classes": 3}, midnight_ns(DAY))])
        (row,) = school_rows(store, register, DAY, DAY, now, open_now=True)
    assert row.verdicts == judged
    assert row.classes == 3
