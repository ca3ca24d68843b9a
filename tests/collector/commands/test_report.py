"""`schoolpulse figure` and `schoolpulse report` over a real register and store."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import DONE, FAILED, REFUSED, main
from archive_side import Side
from collector.cli import COMMANDS
from collector.compliance.indicators import points
from collector.report import FORMATS
from collector.report.json import encode
from collector.report.view import document
from collector.roster.book import RegisterBook
from collector.store.base import Point
from office_files import everything


def invent(side: Side) -> None:
    tags = {"school": "9999999999", "machine": "b" * 32, "line": "9"}
    with side.store() as store:
        store.write([Point("line_test", tags, {"test": "x", "simulated": True}, 1)])


def test_the_figure_of_register_and_store_is_the_judged_one(
    side: Side, past_town: Any, capsys: Any
) -> None:
    assert side("figure", "--json") == DONE
    tree = json.loads(capsys.readouterr().out)
    assert tree == json.loads(encode(document(past_town.figure())))
    assert tree["areas"][0]["indicators"]["multimedia"]["verified"] == 1


def test_a_cutoff_before_the_evidence(side: Side, capsys: Any) -> None:
    assert side("figure", "--cutoff", "2025-10-31", "--json") == DONE
    tree = json.loads(capsys.readouterr().out)
    assert tree["cutoff"] == "2025-10-31"
    assert tree["areas"][0]["indicators"]["multimedia"]["verified"] == 0


def test_on_the_terminal(side: Side, capsys: Any) -> None:
    assert side("figure") == DONE
    out = capsys.readouterr().out
    assert "城东区" in out
    assert "核实率" in out


def test_one_invented_row_is_refused(side: Side, capsys: Any, tmp_path: Path) -> None:
    invent(side)
    for words in (["figure"], ["figure", "--json"], ["figure", "--explain", "9901020001"]):
        assert side(*words) == REFUSED
    assert side("report", "--out", str(tmp_path / "out")) == REFUSED
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("--simulated") == 4
    assert not (tmp_path / "out").exists()


def test_with_simulated_every_output_is_marked(side: Side, capsys: Any, tmp_path: Path) -> None:
    invent(side)
    out = tmp_path / "out"
    for words in (["figure"], ["figure", "--json"], ["figure", "--explain", "9901020001"]):
        assert side(*words, "--simulated") == DONE
        assert "模拟数据" in capsys.readouterr().out
    assert side("report", "--simulated", "--out", str(out)) == DONE
    assert len(list(out.iterdir())) == len(FORMATS)
    assert all("模拟数据" in everything(path) for path in out.iterdir())


def test_simulated_marks_nothing_real(side: Side, capsys: Any) -> None:
    assert side("figure", "--simulated") == DONE
    assert "模拟数据" not in capsys.readouterr().out


def test_explaining_a_name_gives_the_code(side: Side, capsys: Any) -> None:
    school = RegisterBook(side.folder / "register.db").load().schools["9901020001"].name
    assert side("figure", "--explain", school) == REFUSED
    assert "学校标识码：9901020001" in capsys.readouterr().err


def test_explain(side: Side, capsys: Any) -> None:
    assert side("figure", "--explain", "9901020001") == DONE
    assert "结论" in capsys.readouterr().out
    assert side("figure", "--explain", "9901020001", "--json") == DONE
    assert json.loads(capsys.readouterr().out)["units"]


def test_explain_of_an_unknown_school(side: Side, capsys: Any) -> None:
    assert side("figure", "--explain", "1234567890") == REFUSED
    assert "1234567890" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("formats", "names"),
    [("json", ["schoolpulse-2025.json"]), ("html,json,html", None), ("html", None)],
)
def test_formats(side: Side, tmp_path: Path, capsys: Any, formats: str, names: Any) -> None:
    out = tmp_path / "out"
    assert side("report", "--out", str(out), "--format", formats) == DONE
    wrote = [Path(line) for line in capsys.readouterr().out.split()]
    assert sorted(wrote) == sorted(out.iterdir())
    assert names is None or [path.name for path in wrote] == names


def test_all_is_every_format(side: Side, tmp_path: Path) -> None:
    assert side("report", "--out", str(tmp_path / "out"), "--format", "all") == DONE
    assert len(list((tmp_path / "out").iterdir())) == len(FORMATS)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["--area", "630102"], "630102"),
        (["--area", "城东区"], "630102"),
        (["--school", "9901020001"], "9901020001"),
    ],
)
def test_one_district_or_school(side: Side, tmp_path: Path, words: list[str], code: str) -> None:
    out = tmp_path / "out"
    assert side("report", "--out", str(out), "--format", "json,xlsx", *words) == DONE
    assert sorted(path.name for path in out.iterdir()) == [
        f"schoolpulse-2025-{code}.json", f"schoolpulse-2025-{code}.xlsx",
    ]  # fmt: skip
    tree = json.loads((out / f"schoolpulse-2025-{code}.json").read_bytes())
    assert tree["areas"][0]["code"] == code
    assert {unit["school"] for unit in tree["units"]} <= {"9901020001", "9901020002"}


def test_a_district_that_is_not_there(side: Side, tmp_path: Path, capsys: Any) -> None:
    assert side("report", "--out", str(tmp_path / "out"), "--area", "999999") == REFUSED
    assert "630102 城东区" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_each_in_a_folder_of_its_district(side: Side, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert side("report", "--out", str(out), "--each") == DONE
    made = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert len(made) == 2 * (2 + 3)  # two districts, three schools, xlsx and docx
    assert "630102-城东区/schoolpulse-2025-630102.docx" in made
    assert "630102-城东区/schoolpulse-2025-9901020002.xlsx" in made


def test_a_broken_format_names_itself_and_nothing_is_written(
    side: Side, tmp_path: Path, capsys: Any, monkeypatch: Any
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("no such style")

    monkeypatch.setattr("collector.report.docx.render", broken)
    assert side("report", "--out", str(tmp_path / "out"), "--format", "json,docx") == FAILED
    said = capsys.readouterr().err
    assert "docx" in said
    assert "no such style" in said
    assert not (tmp_path / "out").exists()


def test_the_signature_block_and_the_months(side: Side, tmp_path: Path, past_town: Any) -> None:
    with side.config.open("a", encoding="utf-8") as file:
        file.write('[report]\nunit = "某教育局"\nphone = "0971-0000000"\n')
    march = dt.date(2025, 3, 30)
    with side.store() as store:
        for day in (march - dt.timedelta(days=1), march):
            store.write(points(past_town.figure(day), day))
    assert side("report", "--out", str(tmp_path), "--format", "json") == DONE
    tree = json.loads((tmp_path / "schoolpulse-2025.json").read_bytes())
    assert tree["signature"] == {"unit": "某教育局", "person": "", "phone": "0971-0000000"}
    (month,) = tree["trend"]["months"]
    assert month["day"] == str(march)
    assert month["indicators"]["computer_room"]["all"] == 3


def test_a_frozen_year_shows_its_root_hash_and_the_trend(
    side: Side, tmp_path: Path, capsys: Any
) -> None:
    assert side("freeze") == DONE
    capsys.readouterr()
    assert side("report", "--out", str(tmp_path), "--format", "json,xlsx,docx") == DONE
    tree = json.loads((tmp_path / "schoolpulse-2025.json").read_bytes())
    assert len(tree["root"]) == 64
    (year,) = tree["trend"]["years"]
    assert (year["year"], year["root"], year["archive"]) == (2025, tree["root"], tree["archive"])
    assert year["indicators"]["computer_room"]["all"] == 3
    for name in ("schoolpulse-2025.xlsx", "schoolpulse-2025.docx"):
        assert tree["root"] in everything(tmp_path / name)
    assert side("report", "--out", str(tmp_path), "--format", "json", "--live") == DONE
    live = json.loads((tmp_path / "schoolpulse-2025.json").read_bytes())
    assert (live["root"], len(live["trend"]["years"])) == (None, 1)


def test_an_unknown_format(side: Side, tmp_path: Path) -> None:
    assert side("report", "--out", str(tmp_path / "out"), "--format", "pptx") == REFUSED


def test_a_folder_that_cannot_be_made(side: Side, tmp_path: Path, capsys: Any) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    assert side("report", "--out", str(tmp_path / "file" / "out")) == FAILED
    assert "写不出报告" in capsys.readouterr().err


def test_without_a_register(tmp_path: Path, capsys: Any) -> None:
    assert Side(tmp_path)("figure") == REFUSED
    assert "roster import" in capsys.readouterr().err


def test_a_store_that_cannot_be_read(side: Side, capsys: Any) -> None:
    for path in side.folder.glob("schoolpulse.db*"):
        path.unlink()
    (side.folder / "schoolpulse.db").write_bytes(b"no database" * 1000)
    assert side("figure") == FAILED
    assert "doctor" in capsys.readouterr().err


def test_a_cutoff_of_another_year(side: Side) -> None:
    assert side("figure", "--cutoff", "2024-12-31") == REFUSED


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--year", "0"], "不是年份"),
        (["--year", "-5"], "不是年份"),
        (["--year", "26"], "不是年份"),
        (["--year", "2025", "--cutoff", "2025-13-01"], "不是 YYYY-MM-DD"),
    ],
)
def test_what_is_no_year_or_day_is_said_so(side: Side, capsys: Any, words: Any, said: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main("schoolpulse", COMMANDS, ["figure", "--config", str(side.config), *words])
    assert ended.value.code == REFUSED
    assert said in capsys.readouterr().err


def test_a_year_to_come(side: Side) -> None:
    words = ["figure", "--config", str(side.config), "--year", "9000"]
    assert main("schoolpulse", COMMANDS, words) == REFUSED


def test_the_register_is_that_of_the_cutoff(side: Side, past_town: Any, capsys: Any) -> None:
    past_town.school("9901020008")
    side.register(past_town, dt.datetime(2025, 12, 31, 16, tzinfo=dt.UTC))  # already 2026 there
    assert side("figure", "--json") == DONE
    said = capsys.readouterr()
    city = json.loads(said.out)["areas"][0]
    assert city["indicators"]["computer_room"]["all"] == 3
    assert "1 次导入" in said.err


def test_a_font_that_is_not_there_is_named_before_anything_is_written(
    side: Side, capsys: Any, tmp_path: Path
) -> None:
    with side.config.open("a", encoding="utf-8") as settings:
        settings.write('[report]\nfont = "No Such Font"\n')
    assert side("report", "--format", "html,pdf", "--out", str(tmp_path / "out")) == REFUSED
    assert "[report] font" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert side("report", "--format", "html,svg", "--out", str(tmp_path / "out")) == DONE


def test_a_shortened_title_of_a_document_is_named_with_the_fix(side: Side, capsys: Any) -> None:
    assert side("report", "--format", "json", "--out", str(side.folder)) == DONE
    assert "不是文件全称" in capsys.readouterr().err
    whole = "\n".join(
        f'[[figure.targets]]\nindicator = "{name}"\ndocument = "《甲市方案》第 1 条"\nyear = 2020\n'
        f"value = 1.0\n{more}"
        for name, more in (
            ("multimedia", ""), ("computer_room", ""), ("line", "threshold_mbps = 10.0\n"),
        )
    )  # fmt: skip
    side.config.write_text(side.config.read_text("utf-8") + whole, encoding="utf-8")
    assert side("report", "--out", str(side.folder)) == DONE
    assert "全称" not in capsys.readouterr().err
    for path in side.folder.glob("schoolpulse-2025.*"):
        if path.suffix not in (".png", ".svg"):
            assert "《甲市方案》第1条" in "".join(everything(path).split()), path


def test_the_terminal_says_first_what_to_do(side: Side, capsys: Any) -> None:
    assert side("figure") == DONE
    out = capsys.readouterr().out
    assert out.index("还差 4 个班级") < out.index("核实率")
