"""report.png: the picture of svg.py as pixels, for slides and messengers.

Drawn by typst, which the pdf needs anyway, instead of cairosvg (wants the system's Cairo) or
resvg-py (a second renderer); with our own font, so that no text becomes boxes.
"""

from __future__ import annotations

import struct
import zlib

import typst

from collector.compliance.model import Figure
from collector.report import fonts, svg
from collector.report.context import Context

#: Pixels an inch: 690 units of the picture are 1,919 pixels, sharp on a projector of 1,920.
_PPI = 267
#: Signature (8 bytes) and the first chunk, IHDR (25), which must stay the first.
_AFTER_HEAD = 33

_PAGE = b"#set page(width: auto, height: auto, margin: 0pt)\n#image(bytes(sys.inputs.svg))\n"


def render(figure: Figure, context: Context) -> bytes:
    """The picture as PNG.

    Raises:
        FontError: this machine has no Chinese font, or not the one that the settings name.
    """
    font = fonts.find(context.font)
    text = font.without_boxes(svg.picture(figure, context, (font.family,)))
    page = typst.compile(
        _PAGE,
        format="png",
        ppi=_PPI,
        font_paths=font.fonts,
        sys_inputs={"svg": text},
    )
    assert isinstance(page, bytes)
    return _described(page, svg.description(figure))


def _described(png: bytes, text: str) -> bytes:
    """The file with the text in it, as the chunk iTXt of the PNG specification (11.3.4.5)."""
    data = b"Description\0\0\0\0\0" + text.encode()
    chunk = struct.pack(">I", len(data)) + b"iTXt" + data
    chunk += struct.pack(">I", zlib.crc32(b"iTXt" + data))
    return png[:_AFTER_HEAD] + chunk + png[_AFTER_HEAD:]
