"""The looks of the document: as Chinese offices write reports, in styles that can be edited.

Sizes, margins and fonts follow GB/T 9704-2012; where a PC lacks a font, Word and WPS take the one
named beside it in the font table.
"""

from __future__ import annotations

from typing import Any

from docx.document import Document
from docx.enum.style import WD_STYLE_TYPE
from docx.enum.text import WD_ALIGN_PARAGRAPH, WD_LINE_SPACING
from docx.oxml.ns import qn
from docx.shared import Mm, Pt, RGBColor

TABLE_TEXT, BODY_TEXT, MARK = "Table Text", "Body Text", "Watermark"
PAGE_NUMBER = "Page Figure"
#: What the office's fonts are called, and what stands in for them.
FONTS = {
    "方正小标宋简体": "华文中宋",
    "仿宋_GB2312": "仿宋",
    "楷体_GB2312": "楷体",
    "黑体": "SimHei",
    "宋体": "SimSun",
}
_TITLE, _BODY, _KAI, _HEI, _SONG = FONTS
_LATIN = "Times New Roman"
#: 二号, 三号, 四号, 五号 in points.
_TITLE_SIZE, _BODY_SIZE, _FOOT_SIZE, _TABLE_SIZE = 22, 16, 14, 10.5
_LINE = 28  # points from line to line


def prepare(document: Document) -> None:
    """Set page, fonts and styles of an empty document."""
    _page(document)
    styles = document.styles
    _style(styles["Normal"], _BODY, _BODY_SIZE)
    _style(styles["Title"], _TITLE, _TITLE_SIZE)
    _style(styles["Heading 1"], _HEI, _BODY_SIZE)
    _style(styles["Heading 2"], _KAI, _BODY_SIZE)
    _style(styles[BODY_TEXT], _BODY, _BODY_SIZE)
    for name, font, size in (
        (TABLE_TEXT, _SONG, _TABLE_SIZE),
        (PAGE_NUMBER, _SONG, _FOOT_SIZE),
        (MARK, _HEI, _BODY_SIZE),
    ):
        _style(styles.add_style(name, WD_STYLE_TYPE.PARAGRAPH), font, size)
    styles[MARK].font.color.rgb = RGBColor(0xC0, 0, 0)
    _spacing(styles)
    _fonts(document)
    for lang in styles.element.iter(qn("w:lang")):  # else a Japanese font may draw the commas
        lang.set(qn("w:eastAsia"), "zh-CN")


def _page(document: Document) -> None:
    section = document.sections[0]
    section.page_width, section.page_height = Mm(210), Mm(297)
    section.top_margin, section.bottom_margin = Mm(37), Mm(35)
    section.left_margin, section.right_margin = Mm(28), Mm(26)
    section.footer_distance = Mm(25)


def _style(style: Any, font: str, size: float) -> None:
    """One font for all scripts: headings of the template are blue and of its theme."""
    style.font.name, style.font.size = _LATIN, Pt(size)
    style.font.bold, style.font.color.rgb = False, RGBColor(0, 0, 0)
    fonts = style.element.get_or_add_rPr().get_or_add_rFonts()
    for key in [key for key in fonts.attrib if key.endswith("Theme")]:
        del fonts.attrib[key]
    fonts.set(qn("w:eastAsia"), font)
    fonts.set(qn("w:cs"), _LATIN)


def _spacing(styles: Any) -> None:
    for name in ("Title", "Heading 1", "Heading 2", BODY_TEXT):
        paragraph = styles[name].paragraph_format
        paragraph.space_before = paragraph.space_after = Pt(0)
        paragraph.line_spacing_rule, paragraph.line_spacing = WD_LINE_SPACING.EXACTLY, Pt(_LINE)
        if name != "Title":
            paragraph.first_line_indent = Pt(2 * _BODY_SIZE)
    title = styles["Title"]
    title.paragraph_format.alignment = WD_ALIGN_PARAGRAPH.CENTER
    title.paragraph_format.line_spacing, title.paragraph_format.space_after = Pt(36), Pt(_LINE)
    for border in title.element.pPr.findall(qn("w:pBdr")):
        title.element.pPr.remove(border)
    table = styles[TABLE_TEXT].paragraph_format
    table.space_before = table.space_after = Pt(0)
    table.line_spacing = 1.0


def _fonts(document: Document) -> None:
    """Name the stand-ins in the font table."""
    package = document.part.package
    part = next(p for p in package.iter_parts() if str(p.partname) == "/word/fontTable.xml")
    rows = "".join(
        f'<w:font w:name="{name}"><w:altName w:val="{other}"/><w:charset w:val="86"/></w:font>'
        for name, other in FONTS.items()
    )
    part._blob = part.blob.replace(b"</w:fonts>", rows.encode() + b"</w:fonts>")
