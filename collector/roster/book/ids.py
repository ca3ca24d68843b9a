"""The id of an inspection: its number in the book and a check digit, such as `0017-9`. Pure.

It is read out, written on paper and typed again, so a wrong digit or two that changed places must
not name another record. The digit is that of ISO/IEC 7064, MOD 11,10: it tells every single wrong
digit and nearly every swap of neighbours.
"""

from __future__ import annotations

import re
import unicodedata

_FORM = re.compile(r"([0-9]{1,4}|[1-9][0-9]{4,11})[-\u2010-\u2015\u2212]([0-9])")


def inspection_id(number: int) -> str:
    """The id of the record with this number in the book, from 1."""
    digits = f"{number:04d}"
    return f"{digits}-{_check_digit(digits)}"


def inspection_number(text: str) -> int | None:
    """The number in an id as somebody typed it; None if it is none, or has a slip.

    Leading zeros may be missing; digits and dash may be full width.
    """
    found = _FORM.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if not found or inspection_id(int(found[1]))[-1] != found[2]:
        return None
    return int(found[1])


def _check_digit(digits: str) -> int:
    product = 10
    for digit in digits:
        product = ((product + int(digit)) % 10 or 10) * 2 % 11
    return (11 - product) % 10
