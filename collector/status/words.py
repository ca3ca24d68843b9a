"""What is wrong at a school and what to do, in the language in force. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent.common.calendar import local_time
from agent.common.language import say
from agent.common.vocabulary import held, reasons
from agent.common.vocabulary.standing import FIXES, STATES
from agent.common.vocabulary.words import word
from collector.status.model import Finding, Standing


def problems(school: Standing) -> list[str]:
    """A line for each finding: what it is, since when, at how many PCs, and why."""
    return [_problem(finding, school) for finding in school.findings]


def fixes(school: Standing) -> list[str]:
    """What to do about them, each once, in their order."""
    return list(dict.fromkeys(fix for one in school.findings for fix in _fixes(one, school)))


def _problem(finding: Finding, school: Standing) -> str:
    text = word(STATES, finding.code)
    if finding.code == "silent" and school.last_ms is not None:
        since = f"{local_time(school.last_ms / 1000):%Y-%m-%d %H:%M}"
        text += say(f"，自 {since}", f" since {since}")
    if finding.affected:
        text += f" {finding.affected}/{finding.of}"
    why = say("、", ", ").join(_reasons(finding))
    return f"{text}{say('：', ': ')}{why}" if why else text


def _reasons(finding: Finding) -> Iterator[str]:
    for reason in finding.reasons:
        if finding.code == "held":
            yield word(held.REASONS, reason)
        elif finding.code == "tests_refused":
            yield str(reasons.said(reason)) or say("不明", "not said")
        else:
            yield say(f"最新 {reason}", f"newest {reason}")


def _fixes(finding: Finding, school: Standing) -> Iterator[str]:
    if finding.code == "held":
        yield from (word(held.FIXES, one).format(school=school.school) for one in finding.reasons)
    else:
        yield word(FIXES, finding.code).format(school=school.school)
