"""Templates to pages: everything is escaped, and cleaned, unless it was made here."""

from __future__ import annotations

import time
import urllib.parse
from functools import cache
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from agent.common.language import chosen, say
from agent.common.vocabulary import (
    actions,
    devices,
    doubts,
    hearing,
    indicators,
    lines,
    reasons,
    schools,
    states,
    verdicts,
)
from agent.version import VERSION
from collector.status import words as standing
from collector.web import static, text
from collector.web.access import Visitor
from collector.web.pages import Shown

_FOLDER = Path(__file__).parent / "templates"
#: Before the word of a state, so that it is read without colour.
SIGNS = {
    "verified": "●", "inspected": "◆", "declared": "○", "contradicted": "✕", "short": "−",
    "unknown": "?", "reporting": "●", "closed": "◐", "silent": "✕", "never": "○",
    "present": "●", "off": "◐", "missing": "✕", "fault": "▲",
}  # fmt: skip


def page(
    template: str,
    shown: Shown,
    *,
    here: str,
    path: str,
    theme: str,
    visitor: Visitor | None,
    area: str,
) -> bytes:
    """A whole page in UTF-8."""
    made = (
        _environment()
        .get_template(template)
        .render(
            shown,
            lang=chosen(),
            theme=theme,
            here=here,
            back=urllib.parse.quote(here, safe="/"),
            path=path,
            visitor=visitor,
            area_name=area,
            made_at=time.time_ns() // 1_000_000,
        )
    )
    return made.encode("utf-8", "replace")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=text.finalized,
    )
    environment.filters.update(
        n=text.name, moment=text.moment, percent=text.percent, number=text.number, mbps=text.mbps
    )
    environment.globals.update(
        t=say,
        said=text.said,
        ago=text.ago,
        static=static.url,
        signs=SIGNS,
        version=VERSION,
        kind=devices.kind,
        fault=devices.fault, fix=devices.fix, problems=standing.problems, fixes=standing.fixes,
        words={
            "verdicts": verdicts.VERDICTS, "short_verdicts": verdicts.SHORT,
            "verdict_meanings": verdicts.MEANINGS, "hearing": hearing.HEARING,
            "hearing_meanings": hearing.MEANINGS, "presences": states.PRESENCES,
            "working": states.WORKING, "events": states.EVENTS, "kinds": devices.KINDS,
            "differences": states.DIFFERENCES, "reasons": reasons.REASONS,
            "shares": indicators.SHARES, "units": indicators.UNITS, "types": schools.TYPES,
            "room_types": schools.ROOM_TYPES,
            "columns": lines.COLUMNS, "signs": doubts.SIGNS, "why": actions.REASONS,
        },
        congested=lines.CONGESTED,
    )  # fmt: skip
    return environment
