"""Codes of the store as words on a board: value mappings, made from the vocabulary."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from agent.common.vocabulary import devices, reasons, states, verdicts
from agent.common.vocabulary.words import Lang, Words
from dashboards import thresholds
from dashboards.panels import Json, words


def verdict_words(lang: Lang) -> list[Json]:
    """The verdicts: words and colour together, never colour alone."""
    colours = thresholds.VERDICT_COLOURS
    return words({name: (said.of(lang), colours[name]) for name, said in verdicts.VERDICTS.items()})


def event_words(lang: Lang) -> list[Json]:
    """Events of a device."""
    colours = thresholds.EVENT_COLOURS
    return words({name: (said.of(lang), colours[name]) for name, said in states.EVENTS.items()})


def yes_words(lang: Lang) -> list[Json]:
    """Yes and no."""
    yes, no = Words("有", "yes").of(lang), Words("—", "—").of(lang)
    return words({"true": (yes, thresholds.BLUE), "false": (no, thresholds.GREY)})


def kind_words(lang: Lang) -> list[Json]:
    """Kinds of devices."""
    return _texts(devices.KINDS.items(), lang)


def fault_words(lang: Lang) -> list[Json]:
    """Faults of a device, each text that several of them make, and what older agents wrote."""
    old = ((text, devices.FAULTS[code]) for text, code in devices.OLD.items())
    return _texts([*devices.stored_faults(), *old], lang)


def reason_words(lang: Lang) -> list[Json]:
    """Why a line test is no evidence, in each text that the reasons make together."""
    old = ((text, reasons.REASONS[code]) for text, code in reasons.OLD.items())
    numbered = [
        {"type": "regex", "options": {
            "pattern": f"/^{form}$/", "result": {"text": reasons.REASONS[code].of(lang)},
        }}
        for form, code in reasons.OLD_NUMBERED.items()
    ]  # fmt: skip
    return [*_texts([*reasons.stored(), *old], lang), *numbered]


def _texts(found: Iterable[tuple[str, Words]], lang: Lang) -> list[Json]:
    """Mappings without a colour of their own."""
    options = {stored: {"text": said.of(lang)} for stored, said in found}
    return [{"type": "value", "options": options}]


#: Format of a column -> the mappings of its codes.
CODED: Mapping[str, Callable[[Lang], list[Json]]] = {
    "verdict": verdict_words,
    "event": event_words,
    "yes": yes_words,
    "kind": kind_words,
    "fault": fault_words,
    "reason": reason_words,
}
