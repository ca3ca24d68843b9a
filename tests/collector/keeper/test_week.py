"""A week of a school: TVs switched off in between, PCs off at night, and two real faults."""

from __future__ import annotations

import datetime as dt
import re

import pytest

from collector.config import City, Figure
from collector.config import Store as Settings
from collector.inventory import devices
from collector.keeper import Keeper
from collector.keeper.midnight import midnight
from collector.store.sqlite import SqliteStore
from dashboards import alert_rules
from dashboards.edition import Edition
from theft_week import (
    BROKEN,
    DAYS,
    FIRST,
    PCS,
    SCHOOL,
    STOLEN,
    lived,
    of_projector,
    points,
    register,
)


@pytest.mark.slow
def test_a_week_ends_with_the_two_real_faults_and_two_events(make, tmp_path):
    known = register()
    with SqliteStore(tmp_path / "store.db", telemetry_days=36500) as store:
        keeper = Keeper(store, lambda: known, Figure(), City())
        for day in range(DAYS):
            store.write(list(points(make, day)))
            keeper.derive([FIRST + dt.timedelta(days=day)])
        end = make.time("17:00", FIRST + dt.timedelta(days=DAYS - 1))
        stock = devices.load(store, known, end // 10**6, SCHOOL)
        found = devices.faults(stock.devices)
        alarms = list(alarming(store.read("event", 0, end)))
    assert {(one.room, one.kind) for one in found} == {("7", "projector"), ("11", "projector")}
    assert sorted((p.tags["room"], p.fields["event"]) for p in alarms) == [
        ("11", "fault"),
        ("7", "gone"),
    ]
    off = [one for one in stock.devices if one.kind == "tv" and one.state.presence == "off"]
    assert len(off) > PCS / 4


def alarming(events):
    """The events that IT staff are alerted of."""
    return (point for point in events if point.fields["event"] in ("gone", "fault"))


@pytest.mark.influxdb
@pytest.mark.slow
def test_in_that_week_two_alerts_fire_one_for_each_fault(make, influxdb):
    """Grafana's rules, asked each hour what it knows by then, nights and the weekend too."""
    firing = Firing()
    names = {kind: influxdb.create(f"week_{kind}") for kind in ("telemetry", "evidence")}
    settings = Settings("influxdb", influxdb.url, telemetry_days=36500, **names)
    for _, _, now in lived(make, settings):
        firing.ask(influxdb, names["evidence"], now)
    for name in names.values():
        influxdb.drop(name)
    assert firing.began == [
        ("schoolpulse-gone", of_projector(STOLEN[0]), STOLEN[1] + 1),
        ("schoolpulse-fault-old", of_projector(BROKEN[0]), BROKEN[1] + 1),
    ]


class Firing:
    """The rules of schools as Grafana keeps them: pending since when, firing once it lasted."""

    def __init__(self) -> None:
        self.began: list[tuple[str, str, int]] = []  # rule, device, day of the week
        self._since: dict[tuple[str, str], int] = {}
        self._fired: set[tuple[str, str]] = set()

    def ask(self, influx, database: str, now: int) -> None:
        """Evaluate each rule at `now`, ns."""
        for rule in alert_rules.of_schools(Edition("zh")):
            true = {(rule.uid, about) for about in self._true(influx, database, rule, now)}
            for gone in [key for key in self._since if key[0] == rule.uid and key not in true]:
                del self._since[gone]
                self._fired.discard(gone)
            for key in true:
                since = self._since.setdefault(key, now)
                if now - since >= _ns(rule.lasting) and key not in self._fired:
                    self._fired.add(key)
                    day = (now - midnight(FIRST)) // (24 * 3600 * 10**9)
                    self.began.append((*key, day))

    def _true(self, influx, database: str, rule, now: int):
        """The series that meet the condition, named by what differs between them."""
        values: dict[str, dict[str, float]] = {}
        for letter, question in zip("ABC", rule.asked, strict=False):
            text = re.sub(
                r"time > now\(\) - (\w+)",
                lambda match: f"time > {now - _ns(match[1])} AND time <= {now}",
                question.text,
            )
            assert "now()" not in text
            result = influx.ask(text, database)["results"][0]
            assert "error" not in result, result
            for series in result.get("series", ()):
                tags = series.get("tags", {})
                about = tags.get("device") or tags.get("room") or tags.get("line") or ""
                numbers = [row[1] for row in series["values"] if row[1] is not None]
                reduced = REDUCERS[question.reducer](numbers)
                values.setdefault(about, {})[letter] = reduced
        condition = re.sub(r"\$([A-Z])", r"\1", rule.condition).replace("&&", "and")
        return {
            about
            for about, known in values.items()
            if len(known) == len(rule.asked) and eval(condition, {}, known)
        }


REDUCERS = {"last": lambda found: found[-1], "max": max, "count": len}
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


def _ns(word: str) -> int:
    return int(word[:-1]) * _UNITS[word[-1]] * 10**9
