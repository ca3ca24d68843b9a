"""Standard output and error on any terminal: what it cannot show is replaced, never an error."""

from __future__ import annotations

import codecs
import io
import sys

_HANDLER = "schoolpulse-replace"
#: Marks that carry meaning, and what stands for them: the first that the terminal can show.
_ALIKE = {
    "✓": "√+", "✗": "×x", "✕": "×x", "—": "-", "–": "-", "−": "-", "→": ">", "×": "x", "≥": ">",
    "…": ".", "·": ".", "●": "*", "◆": "*", "○": "o", "█": "#", "░": ".", "▒": "#", "↓": "v",
}  # fmt: skip


def prepare() -> None:
    """Let both streams replace what they cannot show.

    On Windows they also speak UTF-8: a pipe would take the PC's code page, which may lack every
    word of ours.
    """
    codecs.register_error(_HANDLER, _replace)
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            encoding = "utf-8" if sys.platform == "win32" else None
            stream.reconfigure(encoding=encoding, errors=_HANDLER)


def _replace(error: UnicodeError) -> tuple[str, int]:
    """A codec's error handler: a mark that looks alike, or `?`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    wrong = error.object[error.start : error.end]
    return "".join(_instead(char, error.encoding) for char in wrong), error.end


def _instead(char: str, encoding: str) -> str:
    return next((mark for mark in _ALIKE.get(char, "") if _can(mark, encoding)), "?")


def _can(char: str, encoding: str) -> bool:
    try:
        char.encode(encoding)
    except UnicodeEncodeError:
        return False
    return True


def print_json(text: str) -> None:
    """Print JSON text; where the output is not UTF-8, its strings are escaped, not damaged."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if codecs.lookup(encoding).name != "utf-8":
        text = "".join(char if char.isascii() else _escaped(char) for char in text)
    print(text)


def _escaped(char: str) -> str:
    """As JSON writes it: UTF-16 units."""
    units = char.encode("utf-16-be", "surrogatepass").hex()
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))
