"""The form of a school in LibreOffice: one A4 page wide, saved again and read back."""

from __future__ import annotations

import datetime as dt
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from openpyxl import load_workbook

from collector.roster.forms import form_of, read_form, write_form
from collector.roster.register import Register
from collector.roster.sample import sample_folder
from collector.roster.sheets import read_folder

CODE, DAY = "9963020001", dt.date(2026, 10, 12)
A4 = (595, 842)


@pytest.fixture(scope="module")
def register() -> Register:
    return read_folder(sample_folder())[0].register()


@pytest.fixture
def form(register: Register, tmp_path: Path) -> Path:
    made = form_of(register, register.schools[CODE], 1, 10.0, DAY)
    return write_form(made, tmp_path / "form.xlsx", DAY)


@pytest.fixture(scope="module")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("profile")


def converted(path: Path, kind: str, profile: Path) -> Path:
    """The file as LibreOffice saves it."""
    program = shutil.which("soffice")
    if program is None:
        pytest.skip("LibreOffice is not installed")
    out = path.parent / "out"
    argv = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless", "--convert-to"]
    subprocess.run([*argv, kind, "--outdir", str(out), str(path)], check=True, capture_output=True)
    (made,) = out.glob(f"{path.stem}.{kind.split(':')[0]}")
    return made


def filled(form: Path) -> int:
    """Every answer given; returns how many there are."""
    book = load_workbook(form)
    sheet = book.active
    sheet["B3"], sheet["F3"] = dt.datetime(2026, 10, 12), "核查组"
    for row in range(7, sheet.max_row + 1):
        sheet[f"E{row}"] = "是" if row % 2 else "否"
    book.save(form)
    return int(sheet.max_row) - 6


@pytest.mark.parametrize("kind", ["xlsx", "csv:Text - txt - csv (StarCalc):44,34,76"])
def test_what_libreoffice_saved_again_is_read(
    form: Path, register: Register, profile: Path, kind: str
) -> None:
    count = filled(form)
    saved = converted(form, kind, profile)
    read, problems = read_form(saved, register, 10.0, DAY)
    assert problems == []
    assert len(read.records) == count == 14
    assert {(row.school, row.day, row.inspector) for row in read.records} == {(CODE, DAY, "核查组")}
    assert [row.found for row in read.records] == [row % 2 == 1 for row in range(7, 7 + count)]
    assert read.made_from == {CODE: 1}, "the code and the form's number are still text"


def test_it_prints_on_one_a4_page(form: Path, profile: Path) -> None:
    pdf = converted(form, "pdf", profile)
    if shutil.which("pdfinfo") is None:
        pytest.skip("pdfinfo is not installed")
    told = subprocess.run(["pdfinfo", pdf], capture_output=True, text=True, check=True).stdout
    size = re.search(r"Page size:\s+([\d.]+) x ([\d.]+)", told)
    assert size
    assert tuple(round(float(side)) for side in size.groups()) == A4
    assert re.search(r"Pages:\s+1\n", told)
    text = subprocess.run(["pdftotext", "-layout", pdf, "-"], capture_output=True, check=True)
    for word in ("学校信息化现场核查表", CODE, "现场是否符合", "六（2）班", "签名"):
        assert word in text.stdout.decode()
