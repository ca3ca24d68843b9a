"""The tables of codes that fields and tags hold: the vocabulary's, by the names of the schema."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary import devices, indicators, reasons, states, verdicts
from agent.common.vocabulary.thresholds import THRESHOLD_MBPS
from agent.common.vocabulary.words import Words

CODES: Mapping[str, Mapping[str, Words]] = {
    "EVENTS": states.EVENTS,
    "FAULTS": devices.FAULTS,
    "INDICATORS": {
        code: indicators.title(code, known.threshold_mbps or THRESHOLD_MBPS)
        for code, known in indicators.KNOWN.items()
    },
    "KINDS": devices.KINDS,
    "NOTES": devices.NOTES,
    "OUTCOMES": reasons.OUTCOMES,
    "POWERS": devices.POWERS,
    "PRESENCES": states.PRESENCES,
    "REASONS": {**reasons.INTERFACES, **reasons.DISTURBANCES, **reasons.FAILED},
    "VERDICTS": verdicts.VERDICTS,
}
