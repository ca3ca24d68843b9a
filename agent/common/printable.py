r"""Text of others made harmless to look at, where it is shown. Pure.

A name from a register, a PC, a device or a broker may hold what steers a terminal (ESC, C1), what
begins a line of its own, what turns the reading direction of its neighbours, or what nobody sees.
Each such character is shown as its escape: ESC as `\x1b`, a line break as `\n`. Names in Chinese,
Tibetan, Mongolian or with emoji stay as they are. Stores, archives and JSON keep the text itself.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

#: Characters of a cell or a line: no name of the register or the wire is longer.
MOST = 500
_STEERS = "\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff"
_TURNS = "\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069"
_UNSEEN = (
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200d\u2060-\u2065\u206a-\u206f\u3164\ufeff"
    "\uffa0\ufff9-\ufffb\U000e0000-\U000e00ff\U000e01f0-\U000e0fff"
)
_PRIVATE = "\ue000-\uf8ff\U000f0000-\U000fffff\U00100000-\U0010ffff"
#: Marks that stand on a letter: any number of them would cover the lines above and below.
_MARKS = "\u0300-\u036f\u0483-\u0489\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe00-\ufe2f"
_ODD = re.compile(f"[{_STEERS}{_TURNS}{_UNSEEN}{_PRIVATE}]|(?<=[{_MARKS}]{{8}})[{_MARKS}]+")
_LINES = re.compile("[\t\n]")
_JOINERS = "\u200c\u200d"
_MONGOLIAN_SEPARATOR = "\u180e"
#: Scripts whose letters change their form beside a joiner: from Arabic to Mongolian.
_JOINED = range(0x0600, 0x1900)
_PICTURES = re.compile("[\u00a9\u00ae\u2190-\u2bff\ufe0f\U0001f000-\U0001faff]")


class Shown(str):
    """Text that is clean already; its line breaks are ours."""

    __slots__ = ()


def shown(text: object, most: int | None = MOST) -> Shown:
    """One clean line, cut to `most` characters with how many more there are; None: never cut."""
    if isinstance(text, Shown):
        return text
    whole = str(text)
    short = whole if most is None or len(whole) <= most else whole[:most]
    clean = _LINES.sub(_escape, block(short))
    return Shown(clean if short is whole else f"{clean}…(+{len(whole) - len(short)})")


def block(text: str) -> str:
    """The text clean, with its line breaks and tabs: for what we composed of several lines."""
    return text if text.isascii() and text.isprintable() else _ODD.sub(_visible, text)


def lines(texts: Iterable[object]) -> Shown:
    """Each text as one clean line, whole."""
    return Shown("\n".join(shown(text, None) for text in texts))


def harmless(text: str) -> bool:
    """Whether `shown` leaves it as it is."""
    return len(text) <= MOST and shown(text) == text


def json_escaped(text: str) -> str:
    """JSON text with such characters as JSON escapes them, which means the same."""
    return _ODD.sub(lambda found: "".join(map(_utf16, found[0])), text)


def tree(value: object) -> object:
    """A tree of dicts, lists and texts with every text clean, for what lays it out itself."""
    if isinstance(value, str):
        return block(value)
    if isinstance(value, dict):
        return {key: tree(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [tree(part) for part in value]
    return value


def utf16(char: str) -> str:
    r"""A character as JSON writes it: `\uXXXX`, in UTF-16 units."""
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _utf16(char: str) -> str:
    return char if char in "\n\t\r" else utf16(char)


def _visible(found: re.Match[str]) -> str:
    if re.match(f"[{_MARKS}]", found[0]):
        return "…"
    return found[0] if _belongs(found) else _escape(found)


def _belongs(found: re.Match[str]) -> bool:
    """Whether an unseen character is part of how a script or an emoji is written."""
    before = found.string[found.start() - 1 : found.start()]
    after = found.string[found.end() : found.end() + 1]
    if found[0] not in _JOINERS + _MONGOLIAN_SEPARATOR or not before or not after:
        return False
    if ord(before) in _JOINED and ord(after) in _JOINED:
        return before.isalpha() or after.isalpha()
    between = _PICTURES.match(before) and _PICTURES.match(after)
    return found[0] == "\u200d" and between is not None


def _escape(found: re.Match[str]) -> str:
    return "".join(char.encode("unicode_escape").decode() for char in found[0])
