"""What a doctor prints: each check as it is made, its fix below it, or all as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from agent.common.checks import Check, show
from agent.common.command_line import DONE, FAILED

GOOD = Check("disk", True, "20 GB free")
BAD = Check("broker", False, "refused", "start it")
UNKNOWN = Check("policy", None, "none came", "")


def test_each_check_is_printed_as_soon_as_it_is_made(capsys: pytest.CaptureFixture[str]) -> None:
    printed: list[str] = []

    def checks() -> Iterator[Check]:
        yield GOOD
        printed.append(capsys.readouterr().out)
        yield BAD

    assert show(checks(), as_json=False) == FAILED
    assert printed == ["✓ disk: 20 GB free\n"]
    assert capsys.readouterr().out == "✗ broker: refused\n    → start it\n"


def test_what_cannot_be_known_is_no_finding(capsys: pytest.CaptureFixture[str]) -> None:
    assert show([GOOD, UNKNOWN], as_json=False) == DONE
    assert "– policy: none came\n" in capsys.readouterr().out


def test_json_holds_every_check(capsys: pytest.CaptureFixture[str]) -> None:
    assert show([GOOD, BAD], as_json=True) == FAILED
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False
    assert told["checks"][1] == {
        "name": "broker",
        "ok": False,
        "detail": "refused",
        "fix": "start it",
    }
    assert show([UNKNOWN], as_json=True) == DONE
