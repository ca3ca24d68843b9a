"""The commands of docs/deploy/city.md."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).parents[2] / "docs/deploy/city.md"


def fence(heading: str, number: int = 0) -> str:
    """A block of commands under a heading; an empty heading: before the first."""
    text = _PAGE.read_text("utf-8")
    part = (text.split(f"\n## {heading}", 1)[1] if heading else text).split("\n## ", 1)[0]
    return re.findall(r"^```(?:ba)?sh\n(.*?)^```", part, re.DOTALL | re.MULTILINE)[number]
