"""Which serials can tell two devices apart. Pure."""

from __future__ import annotations

import re

#: Texts that makers leave in for every device.
_FILLERS = frozenset({
    "0123456789", "123456789", "1234567890", "1234567890123", "0123456789ABCDEF", "123456789ABC",
    "SERIAL", "SERIALNUMBER", "TOBEFILLEDBYOEM", "DEFAULTSTRING", "NONE", "UNKNOWN",
})  # fmt: skip


def usable(text: str) -> bool:
    """Whether a device's text serial is one: four signs or more, no filler.

    A camera that numbers itself 200901010001, as thousands do, is not told: no list knows all.
    """
    plain = re.sub(r"[\s.\-_:]", "", text).upper()
    return len(plain) >= 4 and len(set(plain)) > 1 and plain not in _FILLERS
