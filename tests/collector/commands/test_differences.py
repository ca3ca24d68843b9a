"""`schoolpulse equipment`: the register against what PCs reported."""

from __future__ import annotations

import dataclasses
import json

import pytest

from collector.roster.book import RegisterBook
from collector.roster.register import (
    Equipment,
)
from collector.roster.rows import rows_of
from collector.store.factory import open_store
from inventory_city import LAB, OTHER, PANEL, PC, PROJECTOR, SCHOOL


def test_the_register_against_telemetry(run, seen):
    """The projector of 301 hangs in 302 now, whose panel nobody has ever seen."""
    for ago in (40, 35, 30):
        seen.report(PC, ago, hostname="C301-TEACHER")
        seen.report(OTHER, ago, PROJECTOR, {"kind": "printer", "connector": "usb:1-2"})
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    found = {(r["found"], r["room"], r["kind"], r["number"], r["detail"]) for r in json.loads(text)}
    assert found == {
        ("moved", "301", "projector", 1, "302"),
        ("never_seen", "301", "document_camera", 1, ""),
        ("never_seen", "302", "panel", 1, ""),
        ("not_owned", "302", "printer", 1, ""),
    }


@pytest.mark.parametrize(
    "devices",
    [
        {OTHER: [{**PROJECTOR, "maker": "EPS"}], LAB: [PROJECTOR]},
        {OTHER: [PROJECTOR], LAB: [PROJECTOR]},
        {PC: [PROJECTOR], OTHER: [PROJECTOR]},
        {OTHER: [{**PROJECTOR, "maker": ""}]},
        {OTHER: [{**PROJECTOR, "kind": "panel"}]},
    ],
    ids=["two makers", "two rooms at once", "also at home", "no maker", "another kind"],
)
def test_a_serial_alone_proves_no_move(run, seen, devices):
    """Makers write one filler into hundreds of devices."""
    for ago in (40, 35, 30):
        seen.report(PC, ago, *devices.get(PC, []), hostname="C301-TEACHER")
        seen.report(OTHER, ago, *devices[OTHER])
        seen.report(LAB, ago, *devices.get(LAB, []), room="机房")
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    found = {(r["found"], r["room"], r["kind"]) for r in json.loads(text)}
    assert "moved" not in {kind for kind, _, _ in found}
    assert (("never_seen", "301", "projector") in found) == (PC not in devices)


def test_a_serial_that_the_register_has_twice_proves_no_move(run, seen, city):
    book = RegisterBook(city / "register.db")
    register = book.load()
    twin = Equipment(SCHOOL, "机房", "projector", 1, "X4QF0001")
    register = dataclasses.replace(register, equipment=[*register.equipment, twin])
    book.import_rows(rows_of(register), who="test")
    for ago in (40, 35, 30):
        seen.report(PC, ago, hostname="C301-TEACHER")
        seen.report(OTHER, ago, PROJECTOR)
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    assert "moved" not in {row["found"] for row in json.loads(text)}


def test_a_projector_on_a_socket_and_on_the_network_is_one(run, seen):
    """And so is one that two PCs ask."""
    asked = {"kind": "projector", "connector": "net:10.0.0.9", "serial": "X4QF0001", "room": "301"}
    camera = {"kind": "document_camera", "connector": "usb:1-3"}
    for ago in (10, 5, 1):
        seen.report(PC, ago, PROJECTOR, asked, camera, hostname="C301-TEACHER")
        seen.report(OTHER, ago, PANEL, asked)
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    assert json.loads(text) == []


def test_a_new_pc_in_front_of_the_same_projector_is_no_second_projector(run, seen):
    camera = {"kind": "document_camera", "connector": "usb:1-3"}
    for ago in (3000, 2995):
        seen.report(PC, ago, PROJECTOR, camera, hostname="C301-OLD")
    for ago in (10, 5, 1):
        seen.report(LAB, ago, {**PROJECTOR, "connector": "HDMI-A-2"}, hostname="C301-NEW")
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    assert json.loads(text) == []


def test_a_device_given_a_room_that_is_none_counts_in_no_room(run, seen, city):
    """A slip in the settings of the PC that asks must not equip that PC's own class."""
    asked = {"kind": "panel", "connector": "net:10.0.0.9", "room": "3O2"}
    camera = {"kind": "document_camera", "connector": "usb:1-3"}
    for ago in (10, 5, 1):
        seen.report(PC, ago, PROJECTOR, camera, asked, hostname="C301-TEACHER")
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    found = [(row["found"], row["room"], row["kind"]) for row in json.loads(text)]
    assert found == [("no_such_room", "3O2", "panel")]
    with open_store(seen.config) as store:
        rooms = list(store.read("room_day", 0, 2**62))  # two just after midnight
    assert {(room.tags["room"], room.fields["displays"]) for room in rooms} == {("301", 1)}


def test_a_silent_room_is_no_difference(run, seen):
    seen.report(PC, 5, PROJECTOR, {"kind": "document_camera", "connector": "usb:1-3"},
                hostname="C301-TEACHER")  # fmt: skip
    seen.derive()
    _, text = run("equipment", "--differences", "--json")
    assert json.loads(text) == []
