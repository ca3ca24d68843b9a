"""Text files as Windows tools save them: settings, passwords, keys.

Notepad writes UTF-8 with a byte order mark (BOM), PowerShell's `>` UTF-16, and older Chinese
editors GBK. All are read; what is none of them is refused with the fix. A secret is one line: a
BOM, a second line or an invisible character in it would be a wrong password that looks right.
"""

from __future__ import annotations

import codecs
from pathlib import Path

from agent.common.language import say

_BOMS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
#: A setting or a secret is never longer, bytes.
_LONGEST = 4 << 20


class TextFileError(ValueError):
    """The file is no text, or no secret; the message has the fix."""


def read(path: Path) -> str:
    """The whole text, without a BOM.

    Raises:
        OSError: it cannot be read.
        TextFileError: it is in no known encoding, or no text.
    """
    with path.open("rb") as file:
        data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise TextFileError(say("太大，不是文本文件", "is too long for a text file"))
    return decoded(data)


def secret(path: Path) -> str:
    """The one line that the file holds, without the blanks around it.

    Raises:
        OSError: it cannot be read.
        TextFileError: it is empty, has several lines, or a character that nobody types.
    """
    found = read(path).strip().strip("\ufeff\u200b").strip()
    if not found:
        raise TextFileError(
            say("是空的；写入一行密码或密钥", "is empty: write the secret on one line")
        )
    if len(found.splitlines()) > 1:
        raise TextFileError(say("有好几行；只留一行", "has several lines: leave the one"))
    if odd := _invisible(found):
        text = f"U+{ord(odd):04X}"
        raise TextFileError(
            say(
                f"里有看不见的字符 {text}；重新输入，不要粘贴",
                f"has the invisible character {text}: type it anew instead of pasting it",
            )
        )
    return found


def _invisible(text: str) -> str:
    """The first character that is no sign and no blank; empty where there is none."""
    odd = [char for char in text if not char.isprintable()]
    if not odd:
        return ""
    import unicodedata  # a table that the agent at rest has no use for

    return next((char for char in odd if unicodedata.category(char)[0] == "C"), "")


def decoded(data: bytes) -> str:
    """The text of a file's bytes, without a BOM. Raises TextFileError."""
    for bom, code in _BOMS:
        if data.startswith(bom):
            return _strict(data.removeprefix(bom), code)
    if b"\0" in data:
        high_last = data[1::2].count(0) >= data[0::2].count(0)
        return _strict(data, "utf-16-le" if high_last else "utf-16-be")
    return _strict(data, "utf-8" if _is_utf8(data) else "gb18030")


def _is_utf8(data: bytes) -> bool:
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True


def _strict(data: bytes, code: str) -> str:
    try:
        text = data.decode(code)
    except UnicodeDecodeError as error:
        raise TextFileError(_unknown()) from error
    if "\0" in text or "\ufffd" in text:
        raise TextFileError(_unknown())
    return text


def _unknown() -> str:
    return say(
        "编码不明；用记事本另存为 UTF-8",
        "is in no known encoding: save it as UTF-8, as Notepad can",
    )
