"""`schoolpulse freeze`: which days it takes, what lies inside, where it lies, in both languages."""

from __future__ import annotations

import dataclasses
import datetime as dt
from pathlib import Path
from typing import Any

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, REFUSED, main
from agent.common.language import choose
from archive_side import Side, tree
from collector.archive.summary import frozen
from collector.cli import COMMANDS
from collector.roster.register import Inspection
from collector.store.base import Point


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
