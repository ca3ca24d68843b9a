"""How many tests a line may have, from the policy in force; changes apply while the server runs.

The register is used if this machine has it. Otherwise the values that the PC's request brings from
its policy: the request is signed with its school's key, so at worst it overloads its own line.
"""

from __future__ import annotations

from agent.common import log
from agent.common.command_line import RefusedError
from collector.config import Config
from collector.lineserver.turns import Limits, Wish
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.service.policies import defaults, values

_ASKED = ("quiet_per_day", "lesson_per_day", "month_bytes")


class PolicyLimits:
    """The limits for a request. Called by one thread at a time."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._book = RegisterBook(config.folder / "register.db")
        self._register = Register(schools={})
        self._version = -1
        self._failing = False

    def __call__(self, wish: Wish) -> Limits:
        """The limits in force now."""
        self._refresh()
        asked = {name: getattr(wish, name) for name in _ASKED}
        limits = defaults(self._config) | {k: v for k, v in asked.items() if v is not None}
        lines = self._register.lines_of.get(wish.school, [])
        line = next((row for row in lines if row.line == wish.line), None)
        if wish.school in self._register.schools:
            merged = values(self._register, self._config, wish.school, line)
            limits = {name: value.value for name, value in merged.items()}
        names = ("quiet_per_day", "lesson_per_day", "by_hand_per_day", "month_bytes")
        return Limits(*(limits[name] for name in names))

    def _refresh(self) -> None:
        """Read the register if it changed; on an error keep the one in use."""
        try:
            version = self._book.version()
            if version != self._version:
                self._register = self._book.load_or_empty()
                self._version = version
            self._failing = False
        except (RefusedError, OSError) as error:
            if not self._failing:
                log.warning("register_unreadable", reason=error)
            self._failing = True
