"""What python-docx has no call for: whole tables, page numbers, a watermark, fixed times."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Sequence
from xml.sax.saxutils import escape, quoteattr

from docx.document import Document
from docx.enum.text import WD_ALIGN_PARAGRAPH
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.oxml.xmlchemy import BaseOxmlElement
from docx.shared import Pt
from docx.text.paragraph import Paragraph

from agent.common.printable import block
from collector.report.docx_style import PAGE_NUMBER, TABLE_TEXT
from collector.report.tables import Cell, Column, Table

#: The width between the margins, in twentieths of a point.
_WIDTH = 8844
#: How VML's shape 136, plain text along a path, gets its outline.
_FORMULAS = "".join([
    "<v:formulas>",
    *(f'<v:f eqn="{rule}"/>' for rule in (
        "sum #0 0 10800", "prod #0 2 1", "sum 21600 0 @1", "sum 0 0 @2", "sum 21600 0 @3",
        "if @0 @3 0", "if @0 21600 @1", "if @0 0 @2", "if @0 @4 21600", "mid @5 @6", "mid @8 @5",
        "mid @7 @8", "mid @6 @7", "sum @6 0 @5",
    )),
    "</v:formulas>",
])  # fmt: skip
#: Where a paragraph stands, instead of two characters in: at the edge, in the middle, or four
#: characters (of 16 points) from the right.
FLUSH = '<w:ind w:firstLine="0"/>'
MIDDLE = f'{FLUSH}<w:jc w:val="center"/>'
RIGHT = '<w:ind w:right="1280" w:firstLine="0"/><w:jc w:val="right"/>'
#: The list of annexes, whose further lines stand below the first one's words.
FIRST_ANNEX = '<w:ind w:left="1920" w:hanging="1280"/>'
NEXT_ANNEX = '<w:ind w:left="1920" w:hanging="320"/>'
_FIXED = (1980, 1, 1, 0, 0, 0)
_RIGHT = ("count", "share", "rate")


def add_table(document: Document, table: Table, most: int | None = None) -> int:
    """Append a table with a repeated head, at most so many rows; returns how many there are.

    Without any row nothing is appended. As one piece of XML: cell by cell python-docx takes
    minutes for a thousand rows.
    """
    widths = _widths(table.columns)
    head = _row([str(column.heading) for column in table.columns], table.columns, widths, head=True)
    rows = [_row(row, table.columns, widths) for row in table.rows()]
    if not rows:
        return 0
    grid = "".join(f'<w:gridCol w:w="{width}"/>' for width in widths)
    properties = (
        f'<w:tblPr><w:tblStyle w:val="TableGrid"/><w:tblW w:w="{_WIDTH}" w:type="dxa"/>'
        '<w:jc w:val="center"/><w:tblLayout w:type="fixed"/>'
        '<w:tblCellMar><w:top w:w="40" w:type="dxa"/><w:left w:w="60" w:type="dxa"/>'
        '<w:bottom w:w="40" w:type="dxa"/><w:right w:w="60" w:type="dxa"/></w:tblCellMar>'
        "</w:tblPr>"
    )
    below = "".join(rows[:most])
    xml = f"<w:tbl {nsdecls('w')}>{properties}<w:tblGrid>{grid}</w:tblGrid>{head}{below}"
    body = document.element.body
    body.insert_element_before(parse_xml(f"{xml}</w:tbl>"), "w:sectPr")
    return len(rows)


def _widths(columns: Sequence[Column]) -> Sequence[int]:
    total = sum(column.width for column in columns)
    return [_WIDTH * column.width // total for column in columns]


def _row(
    cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], *, head: bool = False
) -> str:
    repeated = "<w:tblHeader/>" if head else ""
    made = "".join(_cells(cells, columns, widths, head))
    return f"<w:tr><w:trPr><w:cantSplit/>{repeated}</w:trPr>{made}</w:tr>"


def _cells(
    cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], head: bool
) -> Iterator[str]:
    style = _id(TABLE_TEXT)
    for cell, column, width in zip(cells, columns, widths, strict=True):
        side = "center" if head else "right" if column.kind in _RIGHT else "left"
        shade = '<w:shd w:val="clear" w:color="auto" w:fill="E7ECF2"/>' if head else ""
        yield (
            f'<w:tc><w:tcPr><w:tcW w:w="{width}" w:type="dxa"/>{shade}<w:vAlign w:val="center"/>'
            f'</w:tcPr><w:p><w:pPr><w:pStyle w:val="{style}"/><w:jc w:val="{side}"/></w:pPr>'
            f'<w:r><w:t xml:space="preserve">{escape(_text(cell, column))}</w:t></w:r></w:p></w:tc>'
        )


def _text(cell: Cell, column: Column) -> str:
    if cell is None:
        return "—"
    if isinstance(cell, float):
        return f"{cell:.2f}" if column.kind == "rate" else f"{cell:.1f}"
    return clean(str(cell))


def clean(words: str) -> str:
    """Without what XML cannot hold or a reader cannot see, shown by its escape."""
    return block(words)


def add_paragraph(
    document: Document,
    words: str,
    style: str,
    *,
    new_page: bool = False,
    keep: bool = False,
    place: str = "",
) -> BaseOxmlElement:
    """Append a paragraph; `new_page`: on a new page, `keep`: on that of the next one.

    `place` is a constant of this module such as `FLUSH`; empty: as the style has it.

    python-docx looks through all styles of its template for each, which took most of the time.
    """
    before = "<w:pageBreakBefore/>" if new_page else ""
    together = "<w:keepNext/>" if keep else ""
    xml = (
        f'<w:p {nsdecls("w")}><w:pPr><w:pStyle w:val="{_id(style)}"/>{together}{before}{place}'
        "</w:pPr>"
        f'<w:r><w:t xml:space="preserve">{escape(clean(words))}</w:t></w:r></w:p>'
    )
    made = parse_xml(xml)
    document.element.body.insert_element_before(made, "w:sectPr")
    return made


def add_gap(document: Document) -> BaseOxmlElement:
    """Append a little room, on the page of what follows."""
    return add_paragraph(document, "", TABLE_TEXT, keep=True)


def _id(style: str) -> str:
    """As python-docx makes it of a style's name, and Word of its own."""
    return style.replace(" ", "")


def page_numbers(document: Document) -> None:
    """— 1 — at the outer edge of every foot, as a field, in the size that GB/T 9704 asks for."""
    section = document.sections[0]
    document.settings.odd_and_even_pages_header_footer = True
    sides = WD_ALIGN_PARAGRAPH.RIGHT, WD_ALIGN_PARAGRAPH.LEFT
    for foot, side in zip((section.footer, section.even_page_footer), sides, strict=True):
        paragraph = foot.paragraphs[0]
        paragraph.style, paragraph.alignment = PAGE_NUMBER, side
        paragraph.paragraph_format.left_indent = paragraph.paragraph_format.right_indent = Pt(14)
        paragraph.add_run("— ")
        field = f'<w:fldSimple {nsdecls("w")} w:instr="PAGE"><w:r><w:t>1</w:t></w:r></w:fldSimple>'
        paragraph._p.append(parse_xml(field))
        paragraph.add_run(" —")


def watermark(document: Document, mark: str) -> None:
    """Across every page, behind the text, and in the head in case a viewer draws no shapes."""
    section = document.sections[0]
    for head in (section.header, section.even_page_header):
        _mark(head.paragraphs[0], mark)


def _mark(paragraph: Paragraph, mark: str) -> None:
    paragraph.add_run(mark)
    paragraph.alignment = WD_ALIGN_PARAGRAPH.CENTER
    paragraph._p.append(
        parse_xml(
            f'<w:r {nsdecls("w")} xmlns:v="urn:schemas-microsoft-com:vml" '
            'xmlns:o="urn:schemas-microsoft-com:office:office"><w:pict>'
            '<v:shapetype id="_x0000_t136" coordsize="21600,21600" o:spt="136" adj="10800" '
            f'path="m@7,l@8,m@5,21600l@6,21600e">{_FORMULAS}<v:path textpathok="t"/>'
            '<v:textpath on="t" fitshape="t"/></v:shapetype>'
            '<v:shape id="watermark" type="#_x0000_t136" style="position:absolute;width:420pt;'
            "height:110pt;rotation:315;z-index:-251658752;"
            "mso-position-horizontal:center;mso-position-horizontal-relative:margin;"
            'mso-position-vertical:center;mso-position-vertical-relative:margin" '
            'fillcolor="#d9d9d9" stroked="f"><v:fill opacity="0.5"/>'
            f'<v:textpath style="font-family:&quot;黑体&quot;" string={quoteattr(mark)}/>'
            "</v:shape></w:pict></w:r>"
        )
    )


def saved(document: Document) -> bytes:
    """The file, the same bytes whenever it is made: python-docx stamps its parts with the clock."""
    made, out = io.BytesIO(), io.BytesIO()
    document.save(made)
    with zipfile.ZipFile(made) as source, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as target:
        for name in source.namelist():
            entry = zipfile.ZipInfo(name, _FIXED)
            entry.compress_type = zipfile.ZIP_DEFLATED
            target.writestr(entry, source.read(name))
    return out.getvalue()
