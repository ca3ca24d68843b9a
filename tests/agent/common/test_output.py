"""What a terminal cannot show is replaced; JSON stays JSON."""

from __future__ import annotations

import io
import json
import sys
from typing import Any

import pytest

from agent.common import output


@pytest.fixture
def printed(monkeypatch: Any) -> Any:
    """What is printed on a terminal of an encoding."""

    def _printed(encoding: str, text: str, *, as_json: bool = False) -> str:
        raw = io.BytesIO()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", io.TextIOWrapper(raw, encoding, "strict", newline="\n"))
            output.prepare()
            (output.print_json if as_json else print)(text)
            sys.stdout.flush()
            return raw.getvalue().decode(encoding)

    return _printed


@pytest.mark.parametrize(
    ("encoding", "wanted"),
    [
        ("utf-8", "✓ 好 ✗ — → བོད 😀\n"),
        ("gbk", "√ 好 × — → ??? ?\n"),
        ("ascii", "+ ? x - > ??? ?\n"),
        ("latin-1", "+ ? × - > ??? ?\n"),
    ],
)
def test_a_mark_is_replaced_by_one_that_looks_alike(
    printed: Any, encoding: str, wanted: str
) -> None:
    assert printed(encoding, "✓ 好 ✗ — → བོད 😀") == wanted


def test_half_a_character_is_shown_too(printed: Any) -> None:
    assert printed("utf-8", "a\udcffb\ud83dc") == "a\\udcffb\\ud83dc\n"


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "ascii", "latin-1", "utf-16"])
def test_json_holds_what_it_held(printed: Any, encoding: str) -> None:
    whole = {"名": "བོད 😀 ✓\n"}
    text = printed(encoding, json.dumps(whole, ensure_ascii=False), as_json=True)
    assert json.loads(text) == whole
    assert ("名" in text) == (encoding == "utf-8")
