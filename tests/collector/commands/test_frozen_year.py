"""A frozen year as it is shown: late records do not move it, only a correction does."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
from typing import Any

from agent.common.command_line import DONE, REFUSED, main
from archive_side import CODE, IMPORTED, Side, tree
from collector.archive import wording
from collector.archive.lookup import named
from collector.cli import COMMANDS
from collector.roster.register import Inspection


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
