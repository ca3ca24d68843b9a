"""The words that a sheet may hold: none is of two minds, and the column's meaning names them."""

from __future__ import annotations

import pytest

from collector.roster.sheets import words
from collector.roster.sheets.layout import SHEETS

#: A word for a display whose kind its owner does not know: nobody is told to write it.
NOT_ASKED_FOR = {"display"}


def test_no_word_is_a_kind_that_counts_and_one_that_does_not() -> None:
    assert words.KINDS.keys().isdisjoint(words.UNCOUNTED)


@pytest.mark.parametrize("code", sorted(set(words.KINDS.values()) - NOT_ASKED_FOR))
def test_the_column_of_equipment_names_every_kind(code: str) -> None:
    (column,) = (one for one in SHEETS["equipment"].columns if one.name == "kind")
    assert words.KINDS_ZH[code] in column.meaning_zh
    assert code in column.meaning_en
