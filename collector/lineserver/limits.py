"""How many tests a line may have, by the policy in force; changes apply while the server runs.

The register tells it where this machine has it, else the schools' policies as the collector
publishes them. A PC's own wishes can only lower it. Only a line that one of the two names is
tested; a server that asks for no key tests any line, by its own settings.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from agent.common import log
from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.config import Config
from collector.lineserver.turns import Answer, Limits, Wish
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.service.policies import defaults, values

_NAMES = ("quiet_per_day", "lesson_per_day", "by_hand_per_day", "month_bytes", "max_seconds")
_ASKED = ("quiet_per_day", "lesson_per_day", "month_bytes")

#: What the policies published for the schools say of a wish's line; or why they say nothing.
Published = Callable[[Wish], Limits | Answer]


def nothing_published(_: Wish) -> Answer:
    """Where the server hears no policies."""
    return "no_lines"


class PolicyLimits:
    """The limits for a request. Called by one thread at a time."""

    def __init__(
        self, config: Config, published: Published = nothing_published, *, any_line: bool = False
    ) -> None:
        """Reads the register, and logs why it cannot. `any_line`: no key is asked for."""
        self._config, self._published, self._any_line = config, published, any_line
        self._book = RegisterBook(config.folder / "register.db")
        self._register = Register(schools={})
        self._version = -1
        self._failing = False
        self._refresh()

    @property
    def has_register(self) -> bool:
        """Whether this machine has a register with lines."""
        return bool(self._register.lines)

    def __call__(self, wish: Wish) -> Limits | Answer:
        """The limits in force now; or `unknown_line`, or `no_lines` where no line is known."""
        self._refresh()
        found = self._registered(wish) if self.has_register else self._published(wish)
        if not isinstance(found, Limits) and self._any_line:
            found = _limits(defaults(self._config))
        return _lowered(found, wish) if isinstance(found, Limits) else found

    def _registered(self, wish: Wish) -> Limits | Answer:
        lines = self._register.lines_of.get(wish.school, [])
        line = next((row for row in lines if row.line == wish.line), None)
        if line is None:
            return "unknown_line"
        merged = values(self._register, self._config, wish.school, line)
        return _limits({name: value.value for name, value in merged.items()})

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


def _limits(found: dict[str, Any]) -> Limits:
    return Limits(*(found[name] for name in _NAMES))


def _lowered(limits: Limits, wish: Wish) -> Limits:
    """The limits, lowered to what the wish asks for."""

    def least(own: Any, asked: Any) -> Any:
        return asked if own is None else own if asked is None else min(own, asked)

    quiet, lesson, month = (getattr(wish, name) for name in _ASKED)
    return limits._replace(
        quiet=least(limits.quiet, quiet),
        lesson=least(limits.lesson, lesson),
        month_bytes=least(limits.month_bytes, month),
    )


def explained(why: str) -> str:
    """A refusal in words, with the fix."""
    words = {
        "unknown_line": say(
            "台账里这所学校没有这条线路：在台账的 lines 表里登记，或改正电脑的线路名",
            "the register has no such line of this school: add it to the sheet lines, or correct "
            "the name on the PC",
        ),
        "no_lines": say(
            "测速服务器还不知道任何线路：让采集端运行并连上同一个消息服务（它发布各校策略），"
            "让账号 lineserver 可以订阅 schoolpulse/v1/+/policy，或把 data 设为台账所在文件夹",
            "the measurement server knows no lines yet: run the collector on the same broker (it "
            "publishes the schools' policies), let the account lineserver subscribe to "
            "schoolpulse/v1/+/policy, or set data to the register's folder",
        ),
        "full": say("测速服务器已满", "the measurement server is full"),
        "school_full": say(
            "这所学校已有两个测试在进行", "two tests of this school are running already"
        ),
        "too_often": say("这所学校请求得太频繁", "this school asks too often"),
    }
    return words.get(why, why)
