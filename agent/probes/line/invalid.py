"""Why a test that came to a rate is no evidence, or can only prove."""

from __future__ import annotations

from agent.common.vocabulary.thresholds import OTHER_TRAFFIC
from agent.probes.line import nics
from agent.wire import LineTest


def invalid_because(test: LineTest, interface: str) -> str:
    """Why a finished test is no evidence, as codes by comma; empty where it is valid.

    In the order of agent.common.vocabulary.reasons: the interface, then DISTURBANCES.
    """
    reasons = []
    if not test.wired:
        reasons.append(nics.describe(interface))
    if not test.solo:
        reasons.append("not_alone")
    if test.other_share is not None and test.other_share >= OTHER_TRAFFIC:
        reasons.append("other_traffic")
    if test.server_limited:
        reasons.append("server_limited")
    if test.pc_limited:
        reasons.append("pc_limited")
    return ", ".join(reasons)
