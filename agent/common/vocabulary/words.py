"""One text in both languages, and how codes become words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import NamedTuple

from agent.common.language import LANGS, Lang, chosen, say

__all__ = ["LANGS", "SEPARATOR", "Lang", "Words", "combined", "listed", "word"]

#: Between the codes of one text, as `fan, lamp`.
SEPARATOR = ", "


class Words(NamedTuple):
    """One text in both languages."""

    zh: str
    en: str

    def of(self, lang: Lang) -> str:
        """The text in one language."""
        return self.zh if lang == "zh" else self.en

    def __str__(self) -> str:
        """The text in the language in force."""
        return say(self.zh, self.en)


def word(table: Mapping[str, Words], code: str) -> str:
    """The word of a code in the language in force; a code that nobody knows stays as it is."""
    return table[code].of(chosen()) if code in table else code


def listed(words: Sequence[Words]) -> Words:
    """Several words as one text."""
    return Words("、".join(w.zh for w in words), SEPARATOR.join(w.en for w in words))


def combined(table: Mapping[str, Words], codes: Sequence[str]) -> Iterator[tuple[str, Words]]:
    """Every text that some of these codes make together in this order, and its words."""
    for count in range(1, len(codes) + 1):
        for some in combinations(codes, count):
            yield SEPARATOR.join(some), listed([table[code] for code in some])
