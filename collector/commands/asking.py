"""Questions before something is changed: asked where somebody sits at a terminal."""

from __future__ import annotations

import sys

from agent.common.language import say

_YES = {"y", "yes", "是", "好"}


def agreed(question: str) -> bool | None:
    """Whether the user says yes; None where nobody can be asked."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return None
    print(
        f"{question} {say('（输入 y 继续，其余放弃）', '(y to go on, anything else to stop)')} ",
        end="",
    )
    sys.stdout.flush()
    return sys.stdin.readline().strip().casefold() in _YES
