"""How many connections this process may hold open."""

from __future__ import annotations

import contextlib

from agent.common import log
from collector.lineserver.front import MAX_WAITING, Bounds
from collector.lineserver.running import MAX_TRANSFERS
from collector.lineserver.turns import MAX_TESTS

#: Beside connections: files, the broker, what is being answered.
_OTHERS = 100
_FEWEST = 64


def bounds() -> Bounds:
    """As many waiting connections as leave room for all tests; raises the limit where it can."""
    allowed = _raised()
    if allowed is None:
        return Bounds()
    left = allowed - _OTHERS - MAX_TESTS * MAX_TRANSFERS
    if left < _FEWEST:
        log.warning("few_descriptors", limit=allowed, wanted=_wanted())
    return Bounds(waiting=max(_FEWEST, min(MAX_WAITING, left)))


def _wanted() -> int:
    return MAX_WAITING + MAX_TESTS * MAX_TRANSFERS + _OTHERS


def _raised() -> int | None:
    """The limit of open files, as high as is wanted and allowed; None where there is none."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft == resource.RLIM_INFINITY:
        return None
    if soft < _wanted():
        goal = _wanted() if hard == resource.RLIM_INFINITY else min(hard, _wanted())
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (goal, hard))
            return goal
    return soft
