"""Writes a school's form as a workbook: one A4 page wide, for a phone or for paper."""

from __future__ import annotations

import datetime as dt
import io
import re
from pathlib import Path

from openpyxl import Workbook
from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, Cell
from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from agent.common import files
from agent.common.command_line import RefusedError
from agent.common.language import for_documents, say
from collector.roster.forms import layout
from collector.roster.forms.content import Form

_INK, _LINE, _HEAD, _ASK = "1F2A37", "B8C2CC", "E8EEF4", "FFF7D6"
_FONT = "Microsoft YaHei"
_THIN = Side(style="thin", color=_LINE)
_GRID = Border(left=_THIN, right=_THIN, top=_THIN, bottom=_THIN)
_HEADING_ROW = 6
_LAST = len(layout.HEADINGS)
_UNSAFE = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def file_name(form: Form) -> str:
    """The file's name: code first, so that a folder of them is sorted as the register is."""
    with for_documents():
        title = say("核查表", "inspection")
    return f"{form.school.code}-{_UNSAFE.sub('_', form.school.name)[:60]}-{title}.xlsx"


def write_form(form: Form, path: Path, day: dt.date) -> Path:
    """Write the form; `day` is the one on which it is made.

    Raises:
        RefusedError: the file is there already, or cannot be written.
    """
    if path.exists():
        text = say(f"{path}: 已有，不覆盖。换一个文件夹", f"{path}: exists; name another folder")
        raise RefusedError(text)
    with for_documents():
        data = _bytes(form, day)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        files.replace(path, data, durable=False)
    except OSError as error:
        text = say(f"{path}: 写不了：{error.strerror}", f"{path}: not written: {error.strerror}")
        raise RefusedError(text) from error
    return path


def _bytes(form: Form, day: dt.date) -> bytes:
    book = Workbook()
    sheet = book.active
    assert isinstance(sheet, Worksheet)
    sheet.title = say("核查表", "Inspection")
    for at, place in enumerate(layout.HEADINGS, start=1):
        sheet.column_dimensions[get_column_letter(at)].width = place.width
    _head(sheet, form, day)
    _table(sheet, form)
    _choices(sheet, len(form.rows))
    _page(sheet)
    stream = io.BytesIO()
    book.save(stream)
    return stream.getvalue()


def _head(sheet: Worksheet, form: Form, day: dt.date) -> None:
    title = say("学校信息化现场核查表", "On-site inspection of a school")
    sheet.merge_cells(start_row=1, start_column=1, end_row=1, end_column=_LAST)
    _write(sheet, 1, 1, title, bold=True, size=16)
    sheet.cell(1, 1).alignment = Alignment(horizontal="center", vertical="center")
    sheet.row_dimensions[1].height = 30
    made = say("制表日期", "Made on")
    _pair(sheet, 2, layout.NAME.title, form.school.name, layout.SCHOOL.title, form.school.code)
    _pair(sheet, 3, layout.DATE.title, "", layout.INSPECTOR.title, "", ask=True)
    _pair(sheet, 4, layout.NUMBER.title, form.number, made, day.isoformat())
    sheet.cell(3, 2).number_format = "yyyy-mm-dd"
    sheet.merge_cells(start_row=5, start_column=1, end_row=5, end_column=_LAST)
    hint = say(
        "只填黄色格：到现场的日期、核查人，看过的每行选「是」或「否」，没有看的留空；不改列名。"
        "多媒体：有计算机和显示设备，都能用。计算机教室：有能上课的机房。带宽：现场实测达到。",
        "Fill in the yellow cells only: day on site, inspector, yes or no in each row that was "
        "looked at; leave the headings. Multimedia: a computer and a display, both working. "
        "Computer room: one that can be taught in. Line: measured on site.",
    )
    _write(sheet, 5, 1, hint, size=9)
    sheet.row_dimensions[5].height = 32


def _pair(
    sheet: Worksheet, row: int, left: str, value: str, right: str, other: str, *, ask: bool = False
) -> None:
    """Two labels, each with its cell: over columns 2 to 4, and in the last."""
    sheet.merge_cells(start_row=row, start_column=2, end_row=row, end_column=4)
    for column, text, asks in (
        (1, left, False),
        (2, value, ask),
        (5, right, False),
        (6, other, ask),
    ):
        cell = _write(sheet, row, column, text, bold=column in (1, 5))
        cell.number_format = "@"
        if column in (1, 5):
            cell.fill = PatternFill("solid", fgColor=_HEAD)
        elif asks:
            cell.fill = PatternFill("solid", fgColor=_ASK)
    for column in range(1, _LAST + 1):
        sheet.cell(row, column).border = _GRID
    sheet.row_dimensions[row].height = 24


def _table(sheet: Worksheet, form: Form) -> None:
    for at, place in enumerate(layout.HEADINGS, start=1):
        cell = _write(sheet, _HEADING_ROW, at, place.title, bold=True)
        cell.fill, cell.border = PatternFill("solid", fgColor=_HEAD), _GRID
    sheet.row_dimensions[_HEADING_ROW].height = 22
    for number, row in enumerate(form.rows, start=_HEADING_ROW + 1):
        cells = (row.indicator, row.unit, row.room, row.says, "", "")
        for at, text in enumerate(cells, start=1):
            cell = _write(sheet, number, at, text)
            cell.number_format, cell.border = "@", _GRID
            if layout.HEADINGS[at - 1] in (layout.FOUND, layout.NOTE):
                cell.fill = PatternFill("solid", fgColor=_ASK)
            if layout.HEADINGS[at - 1] is layout.FOUND:
                cell.alignment = Alignment(horizontal="center", vertical="center")
        sheet.row_dimensions[number].height = 23 * _lines(row.says)


def _lines(text: str) -> int:
    """Rows of text that the register's words take; a Chinese character is two wide."""
    width = sum(1 if char < "\u0100" else 2 for char in text)
    return max(1, -(-width // layout.SAYS.width))


def _write(
    sheet: Worksheet, row: int, column: int, text: str, *, bold: bool = False, size: int = 11
) -> Cell:
    cell = sheet.cell(row, column)
    assert isinstance(cell, Cell)
    cell.value = ILLEGAL_CHARACTERS_RE.sub("", text) or None
    cell.data_type = "s" if cell.value else "n"  # a name such as =1+1 is no formula
    cell.font = Font(name=_FONT, size=size, bold=bold, color=_INK)
    cell.alignment = Alignment(vertical="center", wrap_text=True)
    return cell


def _choices(sheet: Worksheet, count: int) -> None:
    """A drop-down list of the answers, and a date that is one."""
    answers = DataValidation(type="list", formula1=say('"是,否"', '"yes,no"'), allow_blank=True)
    answers.showErrorMessage = True
    answers.errorTitle = layout.FOUND.title
    answers.error = say("选「是」或「否」；没有看的留空", "yes or no; empty where nobody looked")
    column = get_column_letter(layout.HEADINGS.index(layout.FOUND) + 1)
    answers.add(f"{column}{_HEADING_ROW + 1}:{column}{_HEADING_ROW + max(count, 1)}")
    dates = DataValidation(type="date", operator="greaterThan", formula1="36526", allow_blank=True)
    dates.showErrorMessage, dates.errorStyle = True, "warning"
    dates.error = say("写成 2026-10-12", "write 2026-10-12")
    dates.add("B3")
    sheet.add_data_validation(answers)
    sheet.add_data_validation(dates)


def _page(sheet: Worksheet) -> None:
    sheet.freeze_panes = f"A{_HEADING_ROW + 1}"
    sheet.print_title_rows = f"{_HEADING_ROW}:{_HEADING_ROW}"
    setup = sheet.page_setup
    setup.paperSize, setup.orientation = 9, "portrait"  # 9 is A4
    setup.fitToWidth, setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr.fitToPage = True
    sheet.print_options.horizontalCentered = True
    for side in ("left", "right", "top"):
        setattr(sheet.page_margins, side, 0.5)
    sheet.page_margins.bottom = 0.7
    footer = sheet.oddFooter
    assert footer is not None
    assert footer.left is not None
    assert footer.right is not None
    footer.left.text = say("签名：＿＿＿＿＿＿＿＿", "Signed: ______________")
    footer.right.text = "&P / &N"
