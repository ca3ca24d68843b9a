"""Cells of CSV files, written so that no sheet program runs or changes them. Pure.

A device may call itself `=1+1`, and a pupil a PC: such a cell gets an apostrophe in front, by
which sheet programs know a text. A number, also a negative one, stays a number.
"""

from __future__ import annotations

import re

from agent.common.printable import shown

#: Signs that begin a formula, in Chinese and Japanese settings their full-width forms too.
_FORMULA = re.compile(r"\s*[=+\-@＝＋－＠]|[\t\r\n]")
_NUMBER = re.compile(r"-?\d{1,15}(?:\.\d+)?")
#: A date would be made of class 3-1, a number of room 007 or of a long serial.
_CHANGED = re.compile(r"0\d+$|\d+[-/.]\d|\d{12,}$|\d+[eE]\d+$")


def cell(text: str) -> str:
    """A text of others as one clean line that is no formula, whole."""
    return guarded(shown(text, None))


def guarded(text: str) -> str:
    """The text as it is, with an apostrophe in front where it would be run."""
    run = _FORMULA.match(text) and not _NUMBER.fullmatch(text)
    return f"'{text}" if run else text


def kept(text: str) -> str:
    """As `cell`, of what is no number: no sheet program makes a number or a date of it."""
    clean = shown(text, None)
    return f"'{clean}" if _FORMULA.match(clean) or _CHANGED.match(clean) else clean
