"""The checks of `doctor`: one a line, with the fix where one is needed."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from agent.common.command_line import DONE, FAILED
from agent.common.output import print_json
from agent.common.printable import shown

_MARKS = {True: "✓", False: "✗", None: "–"}


class Check(NamedTuple):
    """What was found; `ok` is None where that cannot be known, `fix` is empty where all is well."""

    name: str
    ok: bool | None
    detail: str
    fix: str = ""


def show(checks: Iterable[Check], *, as_json: bool) -> int:
    """Print each check as soon as it is made, or all as JSON; the exit code: 1 on a finding."""
    found = []
    for check in checks:
        found.append(check)
        if not as_json:
            print(_line(check), flush=True)
    ok = all(check.ok is not False for check in found)
    if as_json:
        import json  # not for the agent at rest

        body = {"ok": ok, "checks": [check._asdict() for check in found]}
        print_json(json.dumps(body, ensure_ascii=False, indent=2))
    return DONE if ok else FAILED


def _line(check: Check) -> str:
    fix = f"\n    → {shown(check.fix, None)}" if check.fix else ""
    return f"{_MARKS[check.ok]} {shown(check.name)}: {shown(check.detail, None)}{fix}"
