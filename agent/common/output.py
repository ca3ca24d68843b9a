"""Standard output and error on any terminal: what it cannot show is replaced, never an error.

Nor does it get a control character: whoever prints text of others forgets no cleaning that would
let it steer the terminal. Our own colours and bars go by `own`.
"""

from __future__ import annotations

import codecs
import io
import sys
from typing import Any, TextIO, cast

from agent.common import printable

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
            _guard(stream)


class _Own:
    """A guarded stream, written to past its guard."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.write = vars(stream)["unguarded"]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def own(stream: TextIO) -> TextIO:
    """The stream for a bar or a coloured table of ours, in which text of others is clean already.

    A stream that `prepare` has not seen is returned as it is.
    """
    guarded = "unguarded" in getattr(stream, "__dict__", {})
    return cast(TextIO, _Own(stream)) if guarded else stream


def _guard(stream: io.TextIOWrapper) -> None:
    """Let all that is written show what would steer a terminal, not do it."""
    if "unguarded" in vars(stream):
        return
    write = stream.write

    def guarded(text: str) -> int:
        write(printable.block(text))
        return len(text)

    vars(stream).update(unguarded=write, write=guarded)


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
    """Print JSON text; what a terminal cannot show or would obey is escaped, not damaged."""
    encoding = getattr(sys.stdout, "encoding", None) or "utf-8"
    if codecs.lookup(encoding).name != "utf-8":
        text = "".join(char if char.isascii() else printable.utf16(char) for char in text)
    print(printable.json_escaped(text))
