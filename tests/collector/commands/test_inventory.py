"""`schoolpulse equipment`, `faults` and `machines`, as IT staff type them, over a real store."""

from __future__ import annotations

import csv
import dataclasses
import io
import json
import sys
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import main
from agent.wire import device_id
from collector.cli import COMMANDS
from collector.config import Config
from collector.ingest import day_of
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.book import file as bookfile
from collector.roster.register import (
    COMPUTER_ROOM,
    Equipment,
    Machine,
    Register,
    Room,
    School,
)
from collector.roster.rows import rows_of
from collector.store.base import Point
from collector.store.factory import open_store

SCHOOL = "9900000001"
NOW_MS = time.time_ns() // 1_000_000
MINUTE = 60_000
PC, OTHER, LAB = (f"{n:032x}" for n in (1, 2, 3))
Run = Callable[..., tuple[int, str]]


@pytest.fixture(autouse=True)
def _now(monkeypatch: pytest.MonkeyPatch) -> None:
    """The commands go by the clock, and the tests may have been collected long ago."""
    monkeypatch.setattr(sys.modules[__name__], "NOW_MS", time.time_ns() // 1_000_000)


@pytest.fixture
def city(tmp_path: Path) -> Path:
    """A register with two classrooms and a lab."""
    rooms = [("301", "普通教室", None), ("302", "普通教室", None), ("机房", COMPUTER_ROOM, 40)]
    register = Register(
        {SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
        rooms=[Room(SCHOOL, "本部", room, room, kind, seats) for room, kind, seats in rooms],
        equipment=[
            Equipment(SCHOOL, "301", "projector", 1, "X4QF0001"),
            Equipment(SCHOOL, "301", "document_camera", 1),
            Equipment(SCHOOL, "302", "panel", 1),
        ],
        machines=[Machine(SCHOOL, "301", "C301-*"), Machine(SCHOOL, "302", OTHER)],
    )
    folder = tmp_path / "data"
    RegisterBook(folder / "register.db").import_rows(rows_of(register), who="test")
    (tmp_path / "collector.toml").write_text(f'data = "{folder}"\n')
    return folder


@pytest.fixture
def run(city: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    def _run(*words: str) -> tuple[int, str]:
        argv = [*words, "--config", str(tmp_path / "collector.toml")]
        code = main("schoolpulse", COMMANDS, argv)
        seen = capsys.readouterr()
        return code, seen.out + seen.err

    return _run


class Seen:
    """Reports of PCs, minutes ago, and the days that the keeper makes of them."""

    def __init__(self, folder: Path) -> None:
        self.config, self.book = Config(data=str(folder)), RegisterBook(folder / "register.db")
        self.points: list[Point] = []

    def report(self, machine: str, ago: float, *devices: dict[str, Any], **agent: Any) -> None:
        at = (NOW_MS - int(ago * MINUTE)) * 10**6
        tags = {"school": SCHOOL, "machine": machine}
        told = {"boot": "b", "number": 2, "weak_id": False, "probes": "displays,cameras", **agent}
        hostname = told.pop("hostname", "")
        self.points.append(Point("agent", tags, told, at))
        if hostname:
            self.points.append(Point("host", tags, {"hostname": hostname}, at))
        for device in devices:
            fields = {"present": True, "fault": "", "power": "on", **device}
            kind = fields.pop("kind")
            ident = device_id(machine, kind, fields["connector"])
            self.points.append(Point("device", {**tags, "kind": kind, "device": ident}, fields, at))

    def derive(self) -> None:
        with open_store(self.config) as store:
            store.write(self.points)
            days = {day_of(point.time // 10**6) for point in self.points}
            keeper = Keeper(store, self.book.load, self.config.figure, self.config.city)
            keeper.derive(days)


PROJECTOR = {"kind": "projector", "connector": "HDMI-A-1", "maker": "SEC", "model": "SEC1C02",
             "serial": "X4QF0001"}  # fmt: skip
PANEL = {"kind": "display", "connector": "HDMI-A-1", "model": "CVT3000"}


@pytest.fixture
def seen(city: Path) -> Seen:
    return Seen(city)


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
    assert found["301"]["presence_ms"] == NOW_MS - 25 * MINUTE
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
        store.write([Point("event", tags, fields, NOW_MS * 10**6)])
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
    assert row["presence_ms"] == NOW_MS - 65 * MINUTE
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
    assert row["told_ms"] == NOW_MS - 60 * MINUTE
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
    assert row["presence_ms"] == NOW_MS - 65 * MINUTE


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


def machines(run: Run, *words: str) -> dict[str, dict[str, Any]]:
    code, text = run("machines", "list", *words, "--json")
    assert code == 0
    return {row["machine"]: row for row in json.loads(text)}


def test_bindings_and_what_contradicts(run, seen):
    third = f"{4:032x}"
    for ago in (10, 5):
        seen.report(PC, ago, PROJECTOR, hostname="C301-TEACHER")
        seen.report(OTHER, ago, PANEL)
        seen.report(LAB, ago, hostname="PC-7", room="阁楼")
        seen.report(third, ago, {**PROJECTOR, "serial": "OTHER"}, hostname="c301-new")
    seen.derive()
    found = machines(run)
    by = {machine: (row["room"], row["bound_by"]) for machine, row in found.items()}
    assert by == {
        PC: ("301", "name"), OTHER: ("302", "id"), third: ("301", "name"),
        LAB: ("", ""),
    }  # fmt: skip
    assert found[LAB]["problems"] == ["配置的教室「阁楼」不在台账中", "没有绑定教室"]
    assert found[PC]["problems"] == ["「301」的投影或大屏接着 2 台电脑"]
    assert found[OTHER]["problems"] == []
    assert set(machines(run, "--unbound")) == {LAB}
    assert set(machines(run, "--problems")) == {LAB, PC, third}
    _, text = run("machines", "list", "--csv")
    assert "阁楼" in text


def test_bind_retire_merge_and_forget(run, seen):
    for ago in (10, 5):
        for machine in (PC, OTHER, LAB):
            seen.report(machine, ago, PROJECTOR if machine == PC else PANEL)
    seen.derive()
    assert run("machines", "bind", "--school", SCHOOL, "--machine", LAB, "--room", "机房")[0] == 0
    assert machines(run)[LAB]["room"] == "机房"
    assert run("machines", "retire", "--school", SCHOOL, "--machine", OTHER)[0] == 0
    assert machines(run)[OTHER]["bound_by"] == "retired"
    assert len(json.loads(run("equipment", "--json")[1])) == 2
    assert run("machines", "merge", "--school", SCHOOL, "--machine", PC, "--into", LAB)[0] == 0
    assert len(json.loads(run("equipment", "--json")[1])) == 1
    seen.derive()
    code, text = run("machines", "merge", "--school", SCHOOL, "--machine", LAB, "--into", PC)
    assert code == 2
    assert "成了圈" in text
    for machine in (PC, OTHER, LAB):
        assert run("machines", "forget", "--school", SCHOOL, "--machine", machine)[0] == 0
    found = machines(run)
    assert {row["bound_by"] for row in found.values()} == {"", "id"}


def test_a_sheet_that_is_not_there(run, tmp_path):
    code, text = run("machines", "apply", "--csv", str(tmp_path / "pcs.csv"))
    assert code == 1
    assert "pcs.csv: 没有这个文件。办法：核对路径和文件名" in text


def test_what_a_later_row_takes_back_makes_no_circle(run, seen):
    def merge(machine: str, into: str) -> int:
        words = ("merge", "--school", SCHOOL, "--machine", machine, "--into", into)
        return run("machines", *words)[0]

    assert merge(PC, LAB) == 0
    assert run("machines", "bind", "--school", SCHOOL, "--machine", PC, "--room", "301")[0] == 0
    assert merge(LAB, PC) == 0
    assert merge(PC, LAB) == 2


def test_an_id_that_nobody_knows_is_taken_with_a_warning(run, seen):
    for ago in (10, 5):
        seen.report(PC, ago, PROJECTOR)
    seen.derive()
    slip = PC[:-1] + "f"
    words = ("machines", "merge", "--school", SCHOOL, "--machine", PC, "--into", slip)
    code, text = run(*words)
    assert code == 0
    assert f"{slip}」近 30 天没有报告过" in text
    assert text.count("没有报告过") == 1


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk", "gb18030"])
def test_many_from_a_sheet_all_or_none(run, seen, tmp_path, encoding):
    sheet = tmp_path / "pcs.csv"
    head = "学校标识码,机器号,操作,目标\n"
    sheet.write_text(f"{head}{SCHOOL},{PC},绑定,机房\n{SCHOOL},nonsense,报废,\n", encoding=encoding)
    code, text = run("machines", "apply", "--csv", str(sheet))
    assert code == 1
    assert "第 3 行 「机器号」列: 「nonsense」不是 32 位机器号" in text
    seen.report(PC, 5)
    seen.derive()
    assert machines(run)[PC]["room"] == ""
    sheet.write_text(f"{head}{SCHOOL},{PC},绑定,机房\n{SCHOOL},{LAB},报废,\n", encoding=encoding)
    assert run("machines", "apply", "--csv", str(sheet))[0] == 0
    assert machines(run)[PC]["room"] == "机房"


def test_several_pcs_at_once_by_id_and_by_name(run, seen):
    for machine, name in ((PC, "C301-1"), (OTHER, "c301-2"), (LAB, "LAB-1")):
        seen.report(machine, 5, hostname=name)
    seen.derive()
    retire = ("machines", "retire", "--school", SCHOOL, "--machine")
    code, text = run(*retire, "C30?-*", LAB)
    assert code == 0, text
    assert {row["bound_by"] for row in machines(run).values()} == {"retired"}
    assert run("machines", "forget", "--school", SCHOOL, "--machine", PC, OTHER, LAB)[0] == 0
    code, text = run(*retire, "lab-1", "X*")
    assert code == 2
    assert "X*" in text
    assert "retired" not in {row["bound_by"] for row in machines(run).values()}
    assert run(*retire, "lab-1")[0] == 0
    assert machines(run)[LAB]["bound_by"] == "retired"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("bind", "--machine", PC, "--room", "阁楼"), "教室有：301、302、机房"),
        (("bind", "--machine", "x", "--room", "301"), "32 位机器号"),
        (("merge", "--machine", PC, "--into", "301"), "另一台"),
    ],
)
def test_what_cannot_be_is_refused_with_the_mend(run, words, said):
    act, *rest = words
    code, text = run("machines", act, "--school", SCHOOL, *rest)
    assert code == 1
    assert said in text


def test_a_school_that_is_none(run):
    code, text = run("equipment", "--school", "1234567890")
    assert code == 2
    assert "台账里没有学校 1234567890" in text


def test_a_book_of_before_there_were_decisions(run, seen, city):
    import sqlite3

    path = city / "register.db"
    with closing(sqlite3.connect(city / "old.db")) as base:
        base.executescript(bookfile._FIRST + "PRAGMA user_version = 1; DELETE FROM state")
        base.execute("ATTACH ? AS now", (str(path),))
        columns = "number, imported_at, who, source, sheets, counts, sha256, rows"
        base.execute(f"INSERT INTO import ({columns}) SELECT {columns} FROM now.import")
        base.execute("INSERT INTO main.state SELECT * FROM now.state")
        base.commit()
    for beside in city.glob("register.db-*"):
        beside.unlink()
    (city / "old.db").replace(path)
    seen.report(PC, 5)
    seen.derive()
    assert machines(run)[PC]["bound_by"] == ""
    assert run("machines", "bind", "--school", SCHOOL, "--machine", PC, "--room", "301")[0] == 0
    assert machines(run)[PC]["room"] == "301"
