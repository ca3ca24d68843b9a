"""The one line of a small town, judged, and days on which tests of it are made."""

from __future__ import annotations

import datetime as dt
from typing import Any

from collector.compliance.model import JudgedLine, Verdict

V, N, D, C, S, U = Verdict
LESSON = dt.time(9, 0)
FIVE = (1, 2, 3, 7, 8)


def line(town: Any, **settings: Any) -> JudgedLine:
    lines = town.figure(**settings).lines
    assert len(lines) == 1
    judged: JudgedLine = lines[0]
    return judged
