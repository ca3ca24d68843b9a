"""`schoolpulse machines`: bound, retired, merged, forgotten, one by one and from a sheet."""

from __future__ import annotations

import json
from contextlib import closing
from typing import Any

import pytest

from collector.roster.book import file as bookfile
from inventory_city import LAB, OTHER, PANEL, PC, PROJECTOR, SCHOOL, Run


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
