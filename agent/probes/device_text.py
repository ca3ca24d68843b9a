"""Text that a device sends, as bytes of no stated encoding. Pure; never raises.

Chinese makers write names in GB 2312 (GB/T 2312-1980: two bytes from 0xA1 each), newer devices in
UTF-8. All else above 0x7F is dirt: a flipped bit, or memory that was never written. It is dropped,
as decoding it would invent a character, and a name that no device has.
"""

from __future__ import annotations

import re

_HIGH = re.compile(rb"[\x80-\xff]+")
#: What names are written in here: Latin, Tibetan, punctuation, Chinese, full width.
_SCRIPTS = re.compile(
    "[\x00-\x7f\u00a1-\u024f\u0f00-\u0fff\u2010-\u2030\u3000-\u9fff\uff00-\uffef]*"
)
_HANZI = re.compile("[\u4e00-\u9fff]")
#: One pair among ASCII may be dirt by chance; a Chinese name has two characters at least.
_FEWEST = 2


def decoded(raw: bytes) -> tuple[str, bool]:
    """The printable text, without blanks around it, and whether all bytes above 0x7F were read."""
    text = _as_utf8(raw)
    if text is None:
        text = _as_gb2312(raw)
    whole = text is not None
    if text is None:
        text = raw.decode("ascii", "ignore")
    return "".join(char for char in text if char.isprintable()).strip(), whole


def _as_utf8(raw: bytes) -> str | None:
    try:
        text = raw.decode("utf-8")
    except UnicodeDecodeError:
        return None
    return text if _SCRIPTS.fullmatch(text) else None


def _as_gb2312(raw: bytes) -> str | None:
    """None where a byte is part of no pair, or where there are too few Chinese characters.

    The last byte may be half of a pair: fields end after 13 bytes.
    """
    runs = list(_HIGH.finditer(raw))
    if any(len(run[0]) % 2 and run.end() < len(raw) for run in runs):
        return None
    if runs and len(runs[-1][0]) % 2:
        raw = raw[:-1]
    try:
        text = raw.decode("gb2312")
    except UnicodeDecodeError:
        return None
    return text if len(_HANZI.findall(text)) >= _FEWEST else None
