"""Which serials are unique enough to identify a device. Pure."""

from __future__ import annotations

import re

#: Placeholder serials that many devices share.
_FILLERS = frozenset({
    "0123456789", "123456789", "1234567890", "1234567890123", "0123456789ABCDEF", "123456789ABC",
    "SERIAL", "SERIALNUMBER", "TOBEFILLEDBYOEM", "DEFAULTSTRING", "NONE", "UNKNOWN",
})  # fmt: skip


def usable(text: str) -> bool:
    """Whether a serial identifies a device: four characters or more, and no placeholder.

    Not all placeholders are known: thousands of cameras have the serial 200901010001.
    """
    plain = re.sub(r"[\s.\-_:]", "", text).upper()
    return len(plain) >= 4 and len(set(plain)) > 1 and plain not in _FILLERS
