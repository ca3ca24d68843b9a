"""One planned line test, with the agent's settings and the line's policy."""

from __future__ import annotations

from agent.common import log
from agent.common.settings import SettingsError
from agent.config import Config
from agent.resident.schedule import PlannedTest, Who
from agent.wire.messages import LineTest
from agent.wire.postponed import Postponed

_ALLOWED = ("quiet_per_day", "lesson_per_day", "month_bytes")


def measure_planned(
    config: Config, who: Who, planned: PlannedTest, left_s: float | None, *, renewed_key: str = ""
) -> LineTest | Postponed:
    """Run the test; blocks until it ends. `left_s`: seconds until its window closes.

    `renewed_key`: the line key of the account in use; empty: that of the settings.

    The probe is imported here, so that an agent that never tests does not load it.
    """
    from agent.probes.line.probe import measure

    line, window = planned.line, planned.window
    if window is not None and not line.metered and _metered(config, line.server):
        log.info("line_test_left_out", reason="the link is metered")
        return Postponed("enough", round(left_s or 0))
    try:
        key = renewed_key or config.line.key()
    except SettingsError as error:  # reported, so that IT staff can fix it
        return LineTest(
            test="", line=line.line, outcome="refused", reason="key_unreadable",
            detail=str(error)[:256],
        )  # fmt: skip
    return measure(
        line.server,
        school=who.school,
        machine=who.machine,
        line=line.line,
        max_seconds=line.max_seconds,
        max_bytes=line.max_bytes,
        key=key,
        window="" if window is None else window.name,
        left_s=left_s,
        allowed={name: getattr(line, name) for name in _ALLOWED},
    )


def _metered(config: Config, server: str) -> bool:
    """Whether the link to the server is metered: by our settings, else by the system's."""
    if config.line.metered is not None:
        return config.line.metered
    from agent.probes.line import metered as nics_metered

    return nics_metered.metered(nics_metered.towards(server))
