"""report.csv.zip: every table as a CSV file that a double click opens rightly in Excel and WPS.

UTF-8 with a byte order mark, without which Excel in China reads GBK. A name keeps characters that
GBK lacks, as replacing them would make another name of it; README.txt in the zip says where they
stand, for whoever saves a file as GBK. Our own words have none.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterator, Sequence

from agent.common.language import say
from agent.common.printable import shown
from collector.compliance.model import Figure
from collector.report import area_tables, caveats, deed_tables, doubts, text, unit_tables, view
from collector.report.actions import plan
from collector.report.context import Context
from collector.report.tables import Cell, Table
from collector.sheet_cells import kept

_FIXED = (1980, 1, 1, 0, 0, 0)
#: Our own characters that GBK lacks.
_OURS = str.maketrans({"⌈": "[", "⌉": "]", "−": "-"})
_TOLD = 50


def render(figure: Figure, context: Context) -> bytes:
    """A zip of one file a table; the same bytes for the same figure, context and language."""
    out = io.BytesIO()
    foreign: list[str] = []
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for table in _tables(figure, context):
            _add(target, f"{table.key}.csv", _file(table, view.watermark(figure), foreign))
        _add(
            target,
            "README.txt",
            "\r\n".join(shown(line, None) for line in _readme(figure, context, foreign)),
        )
    return out.getvalue()


def _tables(figure: Figure, context: Context) -> Sequence[Table]:
    todo = plan(figure)
    return (
        area_tables.summary(figure, todo),
        area_tables.gaps(todo),
        deed_tables.deeds(todo),
        deed_tables.disputes(todo),
        area_tables.districts(figure, todo),
        unit_tables.schools(figure, todo),
        unit_tables.classes(figure),
        unit_tables.lines(figure),
        unit_tables.evidence(figure),
        doubts.table(figure),
        area_tables.trend(figure, context),
    )


def _add(target: zipfile.ZipFile, name: str, words: str) -> None:
    entry = zipfile.ZipInfo(name, _FIXED)
    entry.compress_type = zipfile.ZIP_DEFLATED
    target.writestr(entry, words.encode("utf-8-sig"))


def _file(table: Table, mark: str, foreign: list[str]) -> str:
    """One file; where the figure is simulated, every row says so in a column of its own."""
    out = io.StringIO()
    writer = csv.writer(out)  # its lines end in CR LF, as RFC 4180 and Excel have it
    more = [mark] if mark else []
    writer.writerow([*(str(column.heading) for column in table.columns), *more])
    for number, row in enumerate(table.rows(), 2):
        cells = [_cell(cell) for cell in row]
        writer.writerow([*cells, *more])
        foreign += (f"{table.key}.csv:{number}: {cell}" for cell in cells if not _in_gbk(cell))
    return out.getvalue()


def _cell(cell: Cell) -> str:
    if not isinstance(cell, str):
        return "" if cell is None else str(cell)
    return kept(cell.translate(_OURS))


def _in_gbk(words: str) -> bool:
    try:
        words.encode("gbk")
    except UnicodeEncodeError:
        return False
    return True


def _readme(figure: Figure, context: Context, foreign: Sequence[str]) -> Iterator[str]:
    """What the files are; in both languages where it explains them."""
    mark = view.watermark(figure)
    if mark:
        yield text.warning(mark)
    yield text.title(figure)
    yield text.dated(figure)
    yield from caveats.sentences(figure)
    for asked, known in text.signature(context):
        yield f"{asked}: {known}"
    yield "文件为 UTF-8（带 BOM）；比例是显示值（%）；以 ' 开头的单元格是文本，' 不属于内容。"
    yield (
        "Files are UTF-8 with a byte order mark; shares are shown values in percent; "
        "a cell that begins with ' is text, the ' is no part of it."
    )
    if foreign:
        yield say(
            f"{len(foreign)} 个单元格含 GBK 没有的字，另存为 GBK 会丢失：",
            f"{len(foreign)} cells have characters that GBK lacks, saving as GBK would lose them:",
        )
        yield from foreign[:_TOLD]
