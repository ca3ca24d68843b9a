"""Which indicators a figure has, and of what kind they are: asked here alone. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from agent.common.vocabulary.indicators import UNITS
from agent.common.vocabulary.words import Words
from collector.compliance import targets
from collector.compliance.model import Figure, Indicator


def every(figure: Figure) -> Sequence[Indicator]:
    """The indicators that were judged, in their order."""
    return figure.indicators


def rule(indicator: Indicator) -> str:
    """The rule that judges it, such as multimedia, computer_room or line."""
    return targets.rule(indicator)


def of_classes(indicator: Indicator) -> bool:
    """Whether its unit is a class."""
    return targets.unit(indicator) == "class"


def of_schools(indicator: Indicator) -> bool:
    """Whether its unit is a school; else a school may have many."""
    return targets.unit(indicator) == "school"


def unit_words(indicator: Indicator) -> Words:
    """Its unit, as it stands behind a number."""
    return UNITS[targets.unit(indicator)]


def short_words(figure: Figure, indicator: Indicator) -> Words:
    """Its name for narrow cells, in both languages."""
    return targets.short_words(figure, indicator)


def short(figure: Figure, indicator: Indicator) -> str:
    """The same in the language in force."""
    return targets.short(figure, indicator)
