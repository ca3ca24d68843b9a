"""`schoolpulse equipment`, `faults` and `machines`, as IT staff type them, over a real store."""

from __future__ import annotations

import csv
import io
import json

import pytest

from collector.store.base import Point
from collector.store.factory import open_store
from inventory_city import MINUTE, OTHER, PANEL, PC, PROJECTOR, SCHOOL


def test_devices_as_they_stand(run, seen):
    for ago in (40, 35, 30):
        seen.report(PC, ago, PROJECTOR, hostname="C301-TEACHER")
        seen.report(OTHER, ago, PANEL)
    for ago in (25, 22, 10, 5, 1):
        seen.report(PC, ago)  # the projector has gone
        seen.report(OTHER, ago, {**PANEL, "fault": "lamp"})
    seen.derive()
    code, text = run("equipment", "--school", SCHOOL, "--json")
    found = {row["room"]: row for row in json.loads(text)}
    assert code == 0
    assert (found["301"]["kind"], found["301"]["presence"]) == ("projector", "missing")
    assert found["301"]["presence_ms"] == seen.now_ms - 25 * MINUTE
    assert (found["302"]["kind"], found["302"]["working"]) == ("panel", "fault")
    code, text = run("equipment", "--school", SCHOOL)
    assert "共 2 台：不见 1，故障 1" in text
    code, text = run("faults", "--csv")
    rows = list(csv.DictReader(io.StringIO(text)))
    assert {(row["教室"], row["故障"]) for row in rows} == {("301", ""), ("302", "灯泡")}
    code, text = run("--lang", "en", "faults", "--days", "2", "--json")
    events = [(row["event"], row["room"], row["detail"]) for row in json.loads(text)]
    assert sorted(events) == [
        ("appeared", "301", ""), ("appeared", "302", ""), ("fault", "302", "lamp"),
        ("gone", "301", ""),
    ]  # fmt: skip


def test_a_fault_that_an_older_version_stored_as_a_sentence_has_its_code(run, seen):
    tags = {"school": SCHOOL, "machine": PC, "kind": "printer", "device": "d", "room": "301"}
    fields = {"event": "fault", "detail": "no paper, jammed"}
    with open_store(seen.config) as store:
        store.write([Point("event", tags, fields, seen.now_ms * 10**6)])
    _, text = run("faults", "--days", "2", "--json")
    assert [row["detail"] for row in json.loads(text)] == ["no_paper, jammed"]
    assert "缺纸、卡纸" in run("faults", "--days", "2")[1]


def test_a_pc_that_is_off_makes_its_devices_unknown(run, seen):
    for ago in (70, 65):
        seen.report(PC, ago, PROJECTOR, hostname="C301-TEACHER")
    seen.derive()
    _, text = run("equipment", "--json")
    (row,) = json.loads(text)
    assert (row["presence"], row["power"], row["working"]) == ("unknown", "unknown", "unknown")
    assert row["presence_ms"] == seen.now_ms - 65 * MINUTE
    _, text = run("faults")
    assert text.strip() == "没有"


def test_what_was_broken_when_the_pc_went_off_is_still_listed(run, seen):
    """At night every PC is off; an empty list would look like health."""
    for ago in (70, 65, 60):
        seen.report(PC, ago, {**PROJECTOR, "fault": "lamp"}, hostname="C301-TEACHER")
    seen.derive()
    _, text = run("faults", "--json")
    (row,) = json.loads(text)
    assert (row["working"], row["fault"]) == ("fault", "lamp")
    assert row["told_ms"] == seen.now_ms - 60 * MINUTE
    _, text = run("equipment", "--json")
    assert json.loads(text)[0]["working"] == "unknown"


@pytest.mark.parametrize("ran", ["sound", "displays,cameras"])
def test_what_a_pc_no_longer_tells_is_unknown_and_not_as_it_was(run, seen, ran):
    """A probe that fails, and a projector that was taken from the PC's list."""
    listed = {"kind": "projector", "connector": "net:10.0.0.9", "serial": "S1"}
    for ago in (70, 65):
        seen.report(PC, ago, PROJECTOR if ran == "sound" else listed, hostname="C301-TEACHER")
    for ago in (60, 40, 20, 5, 1):
        seen.report(PC, ago, probes=ran)
    seen.derive()
    (row,) = json.loads(run("equipment", "--json")[1])
    assert (row["presence"], row["power"]) == ("unknown", "unknown")
    assert row["presence_ms"] == seen.now_ms - 65 * MINUTE


@pytest.mark.parametrize("stored", ["password_refused", "password refused"])
def test_a_projector_that_refuses_the_password_is_a_fault_with_the_fix(run, seen, stored):
    """The second is what agents wrote before there were codes."""
    refused = {"kind": "projector", "connector": "net:10.0.0.9", "power": "unknown",
               "fault": stored}  # fmt: skip
    for ago in (8, 5, 1):
        seen.report(PC, ago, refused, hostname="C301-TEACHER")
    seen.derive()
    (row,) = json.loads(run("faults", "--json")[1])
    assert (row["presence"], row["fault"]) == ("present", "password_refused")
    _, text = run("faults", "--csv")
    (line,) = csv.DictReader(io.StringIO(text))
    assert (line["在否"], line["故障"], line["主机名"]) == ("在", "密码不对", "C301-TEACHER")
    assert "agent.toml" in line["办法"]
    assert "密码不对" in run("faults")[1]
    assert "password refused" in run("--lang", "en", "faults", "--csv")[1]


@pytest.mark.parametrize("days", ["0", "-1", "x"])
def test_a_number_of_days_that_is_none(run, days):
    with pytest.raises(SystemExit) as left:
        run("faults", "--days", days)
    assert left.value.code == 2
