"""Which probe speaks of a device: the one whose silence makes it absent."""

from __future__ import annotations

from typing import get_args

from agent.probes import PROBES
from agent.wire.messages import DeviceKind
from collector.keeper import observations


def test_every_kind_is_of_the_probe_that_reports_it() -> None:
    """A new kind falls to the displays until it is given its own."""
    others = {"screen", "display", "monitor", "projector", "panel", "tv", "virtual_display"}
    assert set(get_args(DeviceKind)) - set(observations._PROBES) == others
    assert {*observations._PROBES.values(), observations._DISPLAYS} <= set(PROBES)
