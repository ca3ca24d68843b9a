"""Text of others through every command: it steers no terminal, runs in no sheet, and is not lost.

A city is built twice, with hostile names and with plain ones; the exit codes must be the same.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import json
import os
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import openpyxl
import pytest
from docx import Document
from lxml import etree
from rich.cells import cell_len

import hostile_text
from agent.cli import COMMANDS as AGENT
from collector.cli import COMMANDS as CITY
from command_driver import DRIVER
from hostile_city import MARK, city
from small_town import CODE

YEAR = ["--year", "2025"]
#: What is typed, by command; verbs of `READS` are found by themselves.
LINES: dict[str, list[list[str]]] = {
    "figure": [YEAR, [*YEAR, "--json"], [*YEAR, "--explain", CODE]],
    "report": [[*YEAR, "--out", "{out}/report"]],
    "freeze": [YEAR],
    "roster": [["export", "--out", "{out}/sheets"], ["diff", "1"], ["history"], ["undo"],
               ["template", "--out", "{out}/empty"]],
    "policy": [["show"], ["show", CODE]],
    "inspect": [["list"], ["check"], ["sheet", "--school", CODE, "--out", "{out}/forms"]],
    "equipment": [[], ["--csv"], ["--json"], ["--differences"]],
    "faults": [[], ["--csv"], ["--json"], ["--days", "3"]],
    "machines": [["list"], ["list", "--csv"], ["list", "--json"]],
    "mute": [["list"], ["list", "--json"]],
    "quarantine": [["list"], ["list", "--all", "--json"], ["replay"],
                   *(["show", str(n)] for n in range(1, 8))],
    "doctor": [[], ["--json"]],
    "held": [[], ["--csv"], ["--json"]],
    "status": [[], ["--csv"], ["--json"]],
    "evidence": [["list"]],
}  # fmt: skip
READS = {"list", "show", "check", "status", "history"}
#: Commands that show no stored text of others by themselves, and why.
QUIET = {
    "demo": "starts services of a city of its own",
    "collect": "a service; it logs, and logs are tested below",
    "lineserver": "a service; its status shows codes and numbers",
    "simulate": "writes a city of its own",
    "verify": "reads an archive that `freeze` wrote: tests/collector/commands/test_verify.py",
    "rollup": "the same",
    "dashboards": "writes boards of our own words",
    "backup": "names its own files and counts; the guard of standard output is tested below",
    "restore": "the same",
    "ask-again": "the same",
    "web": "a service; its pages: tests/collector/web/test_hostile.py",
    "up": "starts services",
    "setup": "writes files from words of its own command line",
    "ca": "writes files",
}


class Said(NamedTuple):
    codes: list[Any]
    out: str
    err: str


def run(module: str, lines: list[list[str]], folder: Path, columns: int) -> Said:
    """The exit code of each command line, and all output."""
    given, codes = folder / "lines.json", folder / "codes.json"
    given.write_text(json.dumps(lines), encoding="utf-8")
    environ = os.environ | {
        "PYTHONIOENCODING": "utf-8", "SCHOOLPULSE_LANG": "en", "COLUMNS": str(columns),
    }  # fmt: skip
    argv = [sys.executable, "-c", DRIVER, module, str(given), str(codes)]
    done = subprocess.run(argv, capture_output=True, timeout=300, env=environ, check=False)
    err = done.stderr.decode()
    assert done.returncode == 0, err
    return Said(json.loads(codes.read_text()), done.stdout.decode(), err)


def verbs(module: str) -> Iterator[str]:
    """The sub-commands of a command that only read."""
    parser = argparse.ArgumentParser()
    importlib.import_module(module).add_arguments(parser)
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from (name for name in action.choices if name in READS)


def typed(settings: Path, out: Path) -> list[list[str]]:
    """Every command line, with the settings of the city."""
    lines: list[list[str]] = []
    for name, command in CITY.items():
        known = LINES.get(name, [])
        found = [[verb] for verb in verbs(command.module)] if name not in QUIET else []
        whole = [*known, *(verb for verb in found if verb not in known)]
        lines += [[name, *(word.format(out=out) for word in line)] for line in whole]
    return [[*line, "--config", str(settings)] for line in lines]


@pytest.fixture(scope="module")
def place(tmp_path_factory: Any) -> tuple[Path, Path]:
    """The settings of the hostile city, and of the plain one."""
    hostile, plain = (tmp_path_factory.mktemp(name) for name in ("hostile", "plain"))
    return city(hostile, hostile=True), city(plain, hostile=False)


class Run(NamedTuple):
    lines: list[list[str]]
    out: Path
    said: Said
    plain: Said


@pytest.fixture(scope="module")
def wide(place: tuple[Path, Path], tmp_path_factory: Any) -> Run:
    """Every command on a terminal on which nothing is folded."""
    hostile, plain = (tmp_path_factory.mktemp(name) for name in ("out", "plain_out"))
    lines = typed(place[0], hostile)
    said = run("collector.cli", lines, hostile, 4000)
    return Run(lines, hostile, said, run("collector.cli", typed(place[1], plain), plain, 4000))


def test_no_command_is_forgotten() -> None:
    rest = set(CITY) - set(LINES) - set(QUIET)
    assert [name for name in rest if not any(verbs(CITY[name].module))] == []


def test_exit_codes_are_those_of_plain_text(wide: Run) -> None:
    assert "Traceback" not in wide.said.err, wide.said.err[-3000:]
    told = zip(wide.lines, wide.said.codes, wide.plain.codes, strict=True)
    assert [(line, code, usual) for line, code, usual in told if code != usual] == []


def test_nothing_steers_the_terminal(wide: Run) -> None:
    for text in (wide.said.out, wide.said.err):
        found = hostile_text.BAD.search(text)
        assert found is None, text[max(0, found.start() - 200) : found.end() + 50]


def test_nothing_begins_a_line_of_its_own(wide: Run) -> None:
    for line in (wide.said.out + wide.said.err).splitlines():
        assert not line.startswith(("Header: injected", "2026-01-01 ERROR forged"))


def test_no_markup_is_swallowed(wide: Run) -> None:
    assert wide.said.out.count(MARK) > 300
    for number in range(1, 8):
        assert f"id: {number}\n" in wide.said.out
    for text in hostile_text.MARKUP:
        assert f"{text}{MARK}" in wide.said.out, text


def test_tables_are_aligned(place: tuple[Path, Path], tmp_path: Path) -> None:
    said = run("collector.cli", typed(place[0], tmp_path), tmp_path, 80)
    block: list[str] = []
    for line in [*said.out.splitlines(), ""]:
        if line.startswith(("┃", "┡", "│", "├", "└")):
            block.append(line)
        elif block:
            assert len({cell_len(row) for row in block}) == 1, "\n".join(block)
            assert cell_len(block[0]) <= 80
        if line.startswith("┏"):
            block = [line]
        elif not line.startswith(("┃", "┡", "│", "├", "└")):
            block = []


def test_sheets_run_nothing(wide: Run) -> None:
    # Sheets of the register are to be read back as they are; an import refuses control characters.
    register = [
        path.read_text(encoding="utf-8-sig") for path in (wide.out / "sheets").glob("*.csv")
    ]
    with zipfile.ZipFile(next((wide.out / "report").glob("*.csv.zip"))) as tables_of:
        files = [tables_of.read(name).decode("utf-8-sig") for name in tables_of.namelist()
                  if name.endswith(".csv")]  # fmt: skip
    assert len(register) > 5
    for found in (files, register):
        cells = [one for text in found for row in csv.reader(io.StringIO(text)) for one in row]
        assert any(one.startswith("'=") for one in cells)
        assert [one for one in cells if hostile_text.runs(one)] == []
    assert [text for text in files if hostile_text.BAD.search(text.replace("\r\n", ""))] == []


def test_csv_lists_on_standard_output_run_nothing(place: tuple[Path, Path], tmp_path: Path) -> None:
    for name, more in (("equipment", 0), ("faults", 0), ("held", 1)):
        said = run("collector.cli", [[name, "--csv", "--config", str(place[0])]], tmp_path, 80)
        rows = list(csv.reader(io.StringIO(said.out)))
        assert len({len(row) for row in rows}) == 1
        assert len(rows) == len(hostile_text.SHORT) + 1 + more
        assert [one for row in rows for one in row if hostile_text.runs(one)] == []


def test_json_keeps_the_text_itself(place: tuple[Path, Path], tmp_path: Path) -> None:
    said = run("collector.cli", [["equipment", "--json", "--config", str(place[0])]], tmp_path, 80)
    models = " ".join(
        row["model"] + row["serial"] + row["hostname"] for row in json.loads(said.out)
    )
    for text in (*hostile_text.TERMINAL, *hostile_text.DIRECTION):
        assert text in models
    assert hostile_text.BAD.search(said.out) is None


def test_report_files_are_whole_and_clean(wide: Run) -> None:
    (folder,) = [wide.out / "report"]
    found = {path.name.partition(".")[2]: path for path in folder.iterdir()}
    html = found["html"].read_text(encoding="utf-8")
    assert hostile_text.BAD.search(html) is None
    assert "<script>alert(1)" not in html
    assert "&lt;script&gt;alert(1)" in html
    etree.fromstring(found["svg"].read_bytes())
    words = "".join(_words(found["docx"]))
    assert MARK in words
    assert hostile_text.BAD.search(words) is None
    book = openpyxl.load_workbook(found["xlsx"])
    cells = [
        one for sheet in book for row in sheet.iter_rows() for one in row if one.value is not None
    ]
    assert {one.data_type for one in cells} <= {"s", "n", "d"}  # no formula
    assert any(str(one.value).startswith("=") for one in cells)
    assert [
        one.value for one in cells if hostile_text.BAD.search(str(one.value).replace("\n", ""))
    ] == []


def _words(path: Path) -> Iterator[str]:
    for table in Document(str(path)).tables:
        for element in table._tbl.iter("{*}t"):
            yield element.text or ""


def test_the_agents_commands(tmp_path: Path) -> None:
    def lines(texts: tuple[str, ...]) -> list[list[str]]:
        config = tmp_path / f"agent{len(texts)}.toml"
        watched = '[[devices]]\nhost = "127.0.0.1"\nspeaks = "tcp"\nport = 9\nname = '
        devices = "".join(f"{watched}{json.dumps(text, ensure_ascii=False)}\n" for text in texts)
        config.write_text(f'school = "{CODE}"\ndata = "{tmp_path}"\n{devices}', "utf-8")
        names = [name for name in ("once", "equipment", "outbox", "status") if name in AGENT]
        return [[name, "--config", str(config)] for name in names]

    fit = tuple(text for text in hostile_text.SHORT if "\x7f" not in text)
    said = run("agent.cli", lines(fit), tmp_path, 4000)
    assert said.codes == run("agent.cli", lines(("普通",)), tmp_path, 4000).codes
    assert hostile_text.BAD.search(said.out + said.err) is None
    assert "[/x] [bold red]" in said.out


def test_consoles_are_made_in_two_places() -> None:
    """Elsewhere rich would read names as markup, and its colours would not pass the guard."""
    root = Path(__file__).parents[1]
    made = {
        str(path.relative_to(root))
        for package in ("agent", "collector", "dashboards")
        for path in (root / package).rglob("*.py")
        if re.search(r"\bConsole\(", path.read_text(encoding="utf-8"))
    }
    assert made == {"collector/commands/tables.py", "collector/report/terminal.py"}
