"""The looks of the workbook: fonts that Excel and WPS have, borders, number formats. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import Any

import xlsxwriter
from xlsxwriter.format import Format

from collector.report.tables import Kind

_BODY, _HEAD = "宋体", "黑体"
#: A spreadsheet would count what begins so, once somebody has edited the cell.
FORMULA = ("=", "+", "-", "@", "\t", "\r")
_KINDS: Mapping[Kind, Mapping[str, object]] = {
    "code": {"num_format": "@"},
    "text": {"num_format": "@", "text_wrap": True, "align": "left", "indent": 1},
    "long": {"num_format": "@", "text_wrap": True, "align": "left", "indent": 1},
    "day": {"num_format": "@"},
    "count": {"num_format": "0", "align": "right"},
    "share": {"num_format": "0.0", "align": "right"},
    "rate": {"num_format": "0.00", "align": "right"},
}


class Styles:
    """The formats of one workbook."""

    def __init__(self, book: xlsxwriter.Workbook) -> None:
        self._book = book
        cell = {"font_name": _BODY, "font_size": 10, "valign": "vcenter", "border": 1}
        self.cells = {kind: self._add({**cell, **more}) for kind, more in _KINDS.items()}
        self.quoted = {
            kind: self._add({**cell, **more, "quote_prefix": True}) for kind, more in _KINDS.items()
        }

    def _add(self, properties: Mapping[str, Any]) -> Format:
        return self._book.add_format(dict(properties))

    @cached_property
    def heading(self) -> Format:
        """A column's head."""
        return self._add({
            "font_name": _HEAD, "font_size": 10, "border": 1, "text_wrap": True,
            "align": "center", "valign": "vcenter", "bg_color": "#DDE6F0",
        })  # fmt: skip

    @cached_property
    def title(self) -> Format:
        """The report's title."""
        return self._add({"font_name": _HEAD, "font_size": 18, "align": "center"})

    @cached_property
    def section(self) -> Format:
        """A heading within the first sheet."""
        return self._add({"font_name": _HEAD, "font_size": 12, "valign": "vcenter"})

    @cached_property
    def note(self) -> Format:
        """A sentence across the page."""
        return self._add(
            {"font_name": _BODY, "font_size": 10, "text_wrap": True, "valign": "vcenter"}
        )

    @cached_property
    def mark(self) -> Format:
        """The watermark."""
        return self._add({
            "font_name": _HEAD, "font_size": 12, "font_color": "#C00000", "bold": True,
            "valign": "vcenter", "bg_color": "#FDE9E7",
        })  # fmt: skip

    def text(self, kind: Kind, value: str) -> Format:
        """The format of a text: one that looks like a formula stays a text when it is edited."""
        return (self.quoted if value.startswith(FORMULA) else self.cells)[kind]
