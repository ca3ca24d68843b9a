"""The week of two real faults in a real Grafana: its alerts begin twice, and for nothing else.

Runs where SCHOOLPULSE_TEST_GRAFANA_URL is given (and _LOGIN, user:password of an administrator).
What a query calls now is the week's moment; rules are looked at every ten seconds here and need not
hold for a day, so an event that lasts for minutes would alarm too. All else is as provisioned.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

import pytest

import grafana
from collector.config import Store as Settings
from dashboards import alert_rules, alerts
from dashboards.edition import Edition
from theft_week import BROKEN, DAYS, STOLEN, lived, of_projector
from week_clock import asked_at

pytestmark = [
    grafana.given,
    pytest.mark.influxdb,
    pytest.mark.slow,
]
_EVERY_S, _PATIENCE_S = 10, 120
#: When Grafana is asked: in the lessons, after them, at night.
_HOURS = (10, 16, 22)
EDITION = Edition("zh")
RULES = {rule.uid for rule in alert_rules.of_schools(EDITION)}


class Alarms:
    """The rules of schools in a folder of their own, reading the databases at `url`."""

    def __init__(self, url: str, names: Mapping[str, str]) -> None:
        self._grafana, self._name = grafana.chosen(), f"week{uuid.uuid4().hex[:8]}"
        self._rules: list[str] = []
        self._sources = {
            kind: self._grafana.add_source(f"{self._name} {kind}", url, database)
            for kind, database in names.items()
        }
        self._ask("POST", "/folders", {"uid": self._name, "title": self._name})
        self._add()

    def _ask(self, method: str, path: str, body: Any = None) -> Any:
        return self._grafana.ask(method, path, body)

    def _add(self) -> None:
        for group in alerts.groups(EDITION, self._sources.__getitem__):
            for rule in group["rules"]:
                if rule["uid"] in RULES:
                    uid = f"{self._name}-{rule['uid'].removeprefix('schoolpulse-')}"
                    place = {"folderUID": self._name, "ruleGroup": self._name, "orgID": 1}
                    sent = {**rule, "uid": uid, "for": "0s", **place}
                    self._ask("POST", "/v1/provisioning/alert-rules", sent)
                    self._rules.append(uid)
        path = f"/v1/provisioning/folder/{self._name}/rule-groups/{self._name}"
        self._ask("PUT", path, {**self._ask("GET", path), "interval": _EVERY_S})

    def firing(self) -> set[tuple[str, str]]:
        """Rule's title and device of what fires, once every rule was looked at anew."""
        asked, deadline = time.time(), time.monotonic() + _PATIENCE_S
        while True:
            rules = self._looked_at()
            if len(rules) == len(RULES) and all(_looked(rule) > asked for rule in rules):
                return {
                    (rule["name"], one["labels"]["device"])
                    for rule in rules
                    for one in rule.get("alerts") or ()
                    if one["state"].startswith("Alerting")
                }
            assert time.monotonic() < deadline, rules
            time.sleep(0.5)

    def _looked_at(self) -> list[dict[str, Any]]:
        groups = self._ask("GET", "/prometheus/grafana/api/v1/rules")["data"]["groups"]
        rules = [rule for group in groups if group["name"] == self._name for rule in group["rules"]]
        wrong = [rule.get("lastError") for rule in rules if rule["health"] == "error"]
        assert not wrong
        return rules

    def close(self) -> None:
        """Leave nothing of it in the Grafana."""
        for uid in self._rules:
            self._ask("DELETE", f"/v1/provisioning/alert-rules/{uid}")
        self._ask("DELETE", f"/folders/{self._name}?forceDeleteRules=true")
        for uid in self._sources.values():
            self._ask("DELETE", f"/datasources/uid/{uid}")


def _looked(rule: Mapping[str, Any]) -> float:
    """When a rule was looked at, s since 1970; before all times where it was not."""
    text = rule["lastEvaluation"]
    return 0.0 if text.startswith("0001") else datetime.fromisoformat(text[:19] + "Z").timestamp()


@pytest.fixture
def names(influxdb: Any) -> Iterator[dict[str, str]]:
    made = {kind: influxdb.create(f"grafana_week_{kind}") for kind in ("telemetry", "evidence")}
    yield made
    for name in made.values():
        influxdb.drop(name)


def test_in_that_week_two_alerts_fire_one_for_each_fault(make, influxdb, names):
    settings = Settings("influxdb", influxdb.url, telemetry_days=36500, **names)
    with asked_at(influxdb.url) as (url, clock):
        alarms = Alarms(url, names)
        try:
            began, last = _began(lived(make, settings), alarms, clock)
        finally:
            alarms.close()
    titles = {rule.uid: rule.title.zh for rule in alert_rules.of_schools(EDITION)}
    two = [
        (titles["schoolpulse-gone"], of_projector(STOLEN[0]), STOLEN[1]),
        (titles["schoolpulse-fault-old"], of_projector(BROKEN[0]), BROKEN[1]),
    ]
    assert began == two
    assert last == {(title, device) for title, device, _ in two}, "they fire until the week's end"


def _began(
    hours: Iterator[tuple[int, int, int]], alarms: Alarms, clock: Any
) -> tuple[list[tuple[str, str, int]], set[tuple[str, str]]]:
    """What began to fire on which day, and what fires at the end."""
    began: list[tuple[str, str, int]] = []
    before: set[tuple[str, str]] = set()
    for day, hour, now in hours:
        if hour in _HOURS:
            clock.now = now
            found = alarms.firing()
            began += [(*one, day) for one in sorted(found - before)]
            before = found
    assert day == DAYS - 1
    return began, before
