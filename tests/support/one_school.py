"""A register of one school, for tests that need a school and not what is in it."""

from __future__ import annotations

from pathlib import Path

from collector.roster.book import RegisterBook
from collector.roster.sheets import errors, read_folder

SCHOOL = "9900000001"


def import_school(folder: Path, *, line: str = "", room: str = "") -> Path:
    """The data folder `folder / "data"` with the school in its register, of one campus, 本部.

    `line` and `room` are a row of their sheet behind the school's code; empty: it has none.

    Raises:
        SystemExit: the sheets have an error.
    """
    sheets = folder / "sheets"
    sheets.mkdir()
    for name, text in _sheets(line, room).items():
        (sheets / f"{name}.csv").write_text(text, encoding="utf-8")
    rows, problems = read_folder(sheets)
    if errors(problems):
        raise SystemExit(problems)
    RegisterBook(folder / "data/register.db").import_rows(rows, who="test")
    return folder / "data"


def settled_folder(folder: Path) -> Path:
    """The same, with the settings beside it in c.toml, for `--config`."""
    data = import_school(folder)
    (folder / "c.toml").write_text(f'data = "{data}"\n')
    return data


def _sheets(line: str, room: str) -> dict[str, str]:
    return {
        "schools": f"code,name,district,type,responsible\n{SCHOOL},示例,630102,小学,630102\n",
        "campuses": f"school,campus\n{SCHOOL},本部\n",
        "lines": "school,line,campus,contract_mbps\n" + (f"{SCHOOL},{line}\n" if line else ""),
        "rooms": "school,campus,room,type,seats\n" + (f"{SCHOOL},{room}\n" if room else ""),
        "classes": "school,class,rooms\n",
    }
