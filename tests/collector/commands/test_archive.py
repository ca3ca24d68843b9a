"""`schoolpulse freeze`, `verify`, `rollup`, and what `figure` and `report` say of a frozen year."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, REFUSED, main
from agent.common.language import choose
from collector.archive import wording
from collector.archive.container import pack
from collector.archive.lookup import named
from collector.archive.opened import MANIFEST, opened
from collector.archive.summary import FrozenYear, frozen
from collector.archive.writing import with_manifest
from collector.cli import COMMANDS
from collector.roster.book import RegisterBook
from collector.roster.register import Inspection
from collector.roster.rows import rows_of
from collector.store.base import Point
from collector.store.sqlite import SqliteStore

IMPORTED = dt.datetime(2025, 9, 1, tzinfo=dt.UTC)
CODE = "9901020001"


class Side:
    """A city side's folder, and its command line."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.config = folder / "collector.toml"
        self.config.write_text(f'data = "{folder}"\n', encoding="utf-8")
        self.book = RegisterBook(folder / "register.db")

    def __call__(self, command: str, *words: str) -> int:
        given = [command, "--config", str(self.config), "--year", "2025", *words]
        return main("schoolpulse", COMMANDS, given)

    def register(self, town: Any, at: dt.datetime = IMPORTED) -> None:
        self.book.import_rows(rows_of(town.register()), now=at)
        self.book.add_inspections(town.inspections, now=at)

    def store(self) -> SqliteStore:
        return SqliteStore(self.folder / "schoolpulse.db")

    def frozen(self) -> list[FrozenYear]:
        return frozen(self.folder / "archives")

    def archive(self, nth: int = -1) -> Path:
        return self.folder / "archives" / self.frozen()[nth].file


@pytest.fixture
def side(tmp_path: Path, past_town: Any, fill: Any) -> Side:
    made = Side(tmp_path)
    made.register(past_town)
    with made.store() as store:
        fill(past_town, store)
    return made


def tree(side: Side, capsys: Any, *words: str) -> Any:
    capsys.readouterr()
    assert side("figure", "--json", *words) == DONE
    return json.loads(capsys.readouterr().out)


def test_freeze_and_verify(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    said = capsys.readouterr().out
    row = side.frozen()[0]
    assert row.root in said
    assert str(side.archive()) in said
    assert main("schoolpulse", COMMANDS, ["verify", str(side.archive())]) == DONE
    said = capsys.readouterr().out
    assert "每个字节都是原样" in said
    assert row.root in said
    words = ["verify", str(side.archive()), "--root", row.root, "--json"]
    assert main("schoolpulse", COMMANDS, words) == DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["sound"], found["root"], found["faults"]) == (True, row.root, [])


def test_what_does_not_verify(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    path = side.archive()
    assert main("schoolpulse", COMMANDS, ["verify", str(path), "--root", "f" * 64]) == FAILED
    assert "不是签字时的那一份" in capsys.readouterr().out
    data = bytearray(path.read_bytes())
    data[data.index("结论".encode())] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    assert main("schoolpulse", COMMANDS, ["verify", str(path)]) == FAILED
    assert "README.txt 的内容被改动" in capsys.readouterr().out
    assert main("schoolpulse", COMMANDS, ["verify", str(path), "--json"]) == FAILED
    assert json.loads(capsys.readouterr().out)["sound"] is False


def test_the_hash_beside_an_archive_counts_where_none_is_given(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    beside = side.archive().with_name(f"{side.archive().name}.sha256")
    beside.chmod(0o644)
    beside.write_text("0" * 64 + "  MANIFEST.sha256\n")
    assert main("schoolpulse", COMMANDS, ["verify", str(side.archive())]) == FAILED
    said = capsys.readouterr().out
    assert "0" * 64 in said
    assert beside.name in said


@pytest.mark.parametrize("words", [["nowhere.zip"], [".", "--json"], ["x.zip", "--root", "abc"]])
def test_wrong_usage_of_verify(words: list[str], capsys: Any) -> None:
    assert main("schoolpulse", COMMANDS, ["verify", *words]) == REFUSED
    assert capsys.readouterr().out == ""


def test_a_frozen_year_does_not_move(side: Side, past_town: Any, fill: Any, capsys: Any) -> None:
    before = tree(side, capsys)
    assert side("freeze") == DONE
    shown = tree(side, capsys)
    root = side.frozen()[0].root
    assert shown == {**before, "frozen": {"revision": 1, "root": root}}
    _add_inspection_register_and_tests(side, past_town, fill)
    assert tree(side, capsys) == shown
    live = tree(side, capsys, "--live")
    assert live["areas"] != shown["areas"]
    assert live["since"]["frozen"]["root"] == root
    changed = {(one["indicator"], one["school"], one["unit"]) for one in live["since"]["changes"]}
    assert ("computer_room", CODE, "") in changed
    assert ("multimedia", CODE, "六班") in changed
    assert side("report", "--format", "json", "--out", str(side.folder / "out")) == DONE
    report = json.loads((side.folder / "out" / "schoolpulse-2025.json").read_text())
    assert report["frozen"]["root"] == root
    assert report["areas"] == shown["areas"]


def _add_inspection_register_and_tests(side: Side, past_town: Any, fill: Any) -> None:
    """Late records of the year, of every kind."""
    seen = Inspection(CODE, "computer_room", "", dt.date(2025, 12, 30), "核查员", False)
    side.book.add_inspections([seen])
    past_town.taught("六班", past_town.room("106", computer=1, projector=1))
    past_town.saw("106", (1, 2, 3), "display")
    past_town.tested(3.0, range(1, 9), times=3)
    side.register(past_town, IMPORTED + dt.timedelta(days=1))
    with side.store() as store:
        fill(past_town, store)


def test_on_the_terminal_a_frozen_year_says_so(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    capsys.readouterr()
    assert side("figure") == DONE
    said = capsys.readouterr()
    root = side.frozen()[0].root
    assert "已冻结" in said.err
    assert root in said.err
    assert "城东区" in said.out
    assert "相比" not in said.out
    assert side("figure", "--live") == DONE
    said = capsys.readouterr()
    assert root in said.err
    assert "没有结论不同" in said.out
    assert side("figure", "--explain", CODE) == DONE
    assert "结论" in capsys.readouterr().out


def test_the_day_of_a_freeze_is_the_city_s(side: Side) -> None:
    assert side("freeze") == DONE
    evening = dt.datetime(2026, 11, 28, 18, 52, tzinfo=dt.UTC)
    row = dataclasses.replace(side.frozen()[0], frozen_at=evening)
    assert "冻结于 2026-11-29" in named(row)


def test_late_records_are_told_in_words() -> None:
    entered = dt.datetime(2026, 1, 5, tzinfo=dt.UTC)
    row = Inspection(
        CODE, "computer_room", "", dt.date(2025, 9, 28), "核查组", True, entered=entered
    )
    assert "计算机教室 2025-09-28" in list(wording.late([row]))[1]


def test_a_correction(side: Side, past_town: Any, fill: Any, capsys: Any) -> None:
    assert side("freeze") == DONE
    first = side.archive().read_bytes()
    _add_inspection_register_and_tests(side, past_town, fill)
    assert side("freeze") == REFUSED
    assert "--reason" in capsys.readouterr().err
    assert side("freeze", "--reason", "漏登核查", "--json") == DONE
    done = json.loads(capsys.readouterr().out)
    assert done["revision"] == 2
    assert {"computer_room"} <= {one["indicator"] for one in done["changes"]}
    assert side.archive(0).read_bytes() == first
    assert tree(side, capsys)["frozen"] == {"revision": 2, "root": done["root"]}


def test_units_that_left_are_listed_in_the_next_year(
    side: Side, past_town: Any, capsys: Any
) -> None:
    assert side("freeze") == DONE
    past_town.classes = [row for row in past_town.classes if row.name != "一班"]
    side.register(past_town, dt.datetime(2026, 2, 1, tzinfo=dt.UTC))
    capsys.readouterr()
    words = ["figure", "--config", str(side.config), "--year", "2026"]
    assert main("schoolpulse", COMMANDS, words) == DONE
    said = capsys.readouterr().out
    assert f"示例0001 {CODE} 一班 multimedia: 实测达标" in said
    assert main("schoolpulse", COMMANDS, [*words, "--json"]) == DONE
    gone = json.loads(capsys.readouterr().out)["since"]["left"]
    assert (CODE, "一班", "verified", 2025) in {
        (one["school"], one["unit"], one["verdict"], one["year"]) for one in gone
    }


def test_another_cutoff_is_no_frozen_figure(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    shown = tree(side, capsys, "--cutoff", "2025-10-31")
    assert shown["cutoff"] == "2025-10-31"
    assert "frozen" not in shown
    assert "frozen" in tree(side, capsys, "--cutoff", "2025-12-31")


def test_a_damaged_archive_is_no_silent_return_to_todays_figure(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    path = side.archive()
    path.chmod(0o644)
    data = bytearray(path.read_bytes())
    at = data.index(b"indicator,school,school_name")
    data[at] ^= 1
    path.write_bytes(data)
    assert side("figure") == REFUSED
    assert "verdicts.csv" in capsys.readouterr().err
    path.write_bytes(b"x")
    assert side("report", "--out", str(side.folder / "out")) == REFUSED
    assert path.name in capsys.readouterr().err


def test_invented_rows_are_frozen_only_with_simulated(side: Side, capsys: Any) -> None:
    tags = {"school": "9999999999", "machine": "b" * 32, "line": "9"}
    with side.store() as store:
        store.write([Point("line_test", tags, {"test": "x", "simulated": True}, 1)])
    assert side("freeze") == REFUSED
    assert side.frozen() == []
    assert side("freeze", "--simulated") == DONE
    assert "模拟数据" in capsys.readouterr().out
    assert side.frozen()[0].simulated
    assert side("figure") == REFUSED  # it does not stand for the real year
    assert side("figure", "--simulated") == DONE
    said = capsys.readouterr()
    assert "模拟数据" in said.out
    assert side.frozen()[0].root in said.err
    archive = str(side.archive())
    assert main("schoolpulse", COMMANDS, ["rollup", archive]) == REFUSED
    assert main("schoolpulse", COMMANDS, ["rollup", archive, "--simulated"]) == DONE
    assert "模拟数据" in capsys.readouterr().out


def test_a_day_that_is_not_over_is_not_frozen(side: Side, past_town: Any, capsys: Any) -> None:
    today = dt.datetime.now(CITY_TIME).date()
    words = ["freeze", "--config", str(side.config), "--year", str(today.year)]
    assert main("schoolpulse", COMMANDS, words) == REFUSED
    assert "--cutoff" in capsys.readouterr().err
    assert side.frozen() == []
    words = ["freeze", "--config", str(side.config)]  # this year
    assert main("schoolpulse", COMMANDS, words) == REFUSED
    assert "--cutoff" in capsys.readouterr().err


def test_a_cutoff_within_the_year(side: Side) -> None:
    assert side("freeze", "--cutoff", "2025-10-31") == DONE
    assert side.frozen()[0].cutoff == dt.date(2025, 10, 31)
    assert main("schoolpulse", COMMANDS, ["verify", str(side.archive())]) == DONE


def test_the_archives_lie_where_the_settings_say(side: Side, capsys: Any) -> None:
    other = side.folder / "kept apart"
    side.config.write_text(f'data = "{side.folder}"\narchives = "{other}"\n', encoding="utf-8")
    assert side("freeze") == DONE
    assert len(frozen(other)) == 1
    assert "frozen" in tree(side, capsys)


def test_a_folder_that_cannot_be_made(side: Side, capsys: Any) -> None:
    (side.folder / "archives").write_text("x", encoding="utf-8")
    assert side("freeze") == FAILED
    assert "写不出存档" in capsys.readouterr().err


def test_the_import_history_and_voids_are_inside(side: Side) -> None:
    import zipfile

    assert side("freeze") == DONE
    with zipfile.ZipFile(side.archive()) as archive:
        names = archive.namelist()
        imports = archive.read("register/imports.csv").decode("utf-8-sig")
        seen = archive.read("inspections.csv").decode("utf-8-sig")
    assert imports.count("\r\n") == 2
    assert "2025-09-01T00:00:00+00:00" in imports
    heading = seen.splitlines()[0].split(",")
    assert heading == [item.name for item in dataclasses.fields(Inspection)]
    assert "核查员" in seen
    assert len(names) == len(set(names))


def test_rollup(side: Side, tmp_path: Path, past_town: Any, fill: Any, capsys: Any) -> None:
    assert side("freeze") == DONE
    out = tmp_path / "sum.zip"
    words = ["rollup", str(side.archive()), "--name", "青海省", "--code", "630000"]
    assert main("schoolpulse", COMMANDS, [*words, "--out", str(out)]) == DONE
    said = capsys.readouterr().out
    assert "青海省 2025 年" in said
    assert "全部核实达标" not in said, "a sum has no list of deeds"
    assert side.frozen()[0].root in said
    assert main("schoolpulse", COMMANDS, [*words, "--json"]) == DONE
    found = json.loads(capsys.readouterr().out)
    assert found["areas"][0]["code"] == "630000"
    assert found["areas"][0]["indicators"] == found["areas"][1]["indicators"]
    assert main("schoolpulse", COMMANDS, ["verify", str(out)]) == DONE
    assert main("schoolpulse", COMMANDS, [*words, "--out", str(out)]) == REFUSED
    assert main("schoolpulse", COMMANDS, ["rollup", str(side.archive()), str(out)]) == REFUSED
    assert CODE in capsys.readouterr().err
    assert (
        main("schoolpulse", COMMANDS, [*words, "--out", str(tmp_path / "no/where.zip")]) == FAILED
    )


def test_rollup_makes_each_figure_again(side: Side, tmp_path: Path, capsys: Any) -> None:
    """Verdicts rewritten with a manifest that fits them add nothing to a sum."""
    assert side("freeze") == DONE
    with opened(side.archive()) as archive:
        found = {name: archive.member(name) for name in archive.names if name != MANIFEST}
    found["verdicts.csv"] = found["verdicts.csv"].replace(b",declared,", b",verified,", 1)
    better = tmp_path / "better.zip"
    better.write_bytes(pack(with_manifest(found.items())))
    capsys.readouterr()
    assert main("schoolpulse", COMMANDS, ["rollup", str(better)]) == REFUSED
    assert "verdicts.csv" in capsys.readouterr().err


def test_in_english(side: Side, capsys: Any) -> None:
    try:
        assert side("freeze", "--lang", "en") == DONE
        assert "root hash" in capsys.readouterr().out
        words = ["verify", str(side.archive()), "--lang", "en"]
        assert main("schoolpulse", COMMANDS, words) == DONE
        assert "every verdict and number is the same" in capsys.readouterr().out
        assert side("figure", "--live", "--lang", "en") == DONE
        assert "no verdict differs" in capsys.readouterr().out
        assert (
            main("schoolpulse", COMMANDS, ["rollup", str(side.archive()), "--lang", "en"]) == DONE
        )
        assert "revision 1" in capsys.readouterr().out
    finally:
        choose("zh")


def test_the_language_does_not_change_an_archive(side: Side, tmp_path: Path, capsys: Any) -> None:
    """Only when it was frozen, and that is inside too."""
    import zipfile

    def members() -> dict[str, bytes]:
        with zipfile.ZipFile(side.archive()) as archive:
            found = {name: archive.read(name) for name in archive.namelist()}
        return {k: v for k, v in found.items() if k not in ("README.txt", "summary.json")}

    assert side("freeze") == DONE
    first = members()
    for path in (side.folder / "archives").iterdir():
        path.unlink()
    try:
        assert side("freeze", "--lang", "en") == DONE
    finally:
        choose("zh")
    second = members()
    assert {k: v for k, v in first.items() if k != "MANIFEST.sha256"} == {
        k: v for k, v in second.items() if k != "MANIFEST.sha256"
    }
