"""`schoolpulse held`: which reports wait, why, and the fix."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from collector.ingest import Held, Source
from collector.service.pipeline.held_book import FILE as HELD
from collector.service.pipeline.held_book import HeldBook
from removal_town import (
    OTHER,
    PC,
    SCHOOL,
    ask,
)


def test_held_lists_school_reason_and_fix(folder: Path, capsys: Any) -> None:
    assert ask(folder, "held") == 0
    capsys.readouterr()
    book = HeldBook(folder / HELD)
    source = Source(SCHOOL, PC, "0" * 16, 7)
    book.note(
        [Held(source, "unknown_line", None, "[/x]\x1b[2J\0"), Held(source, "simulated")], 10**12
    )
    book.note([Held(source, "time_out_of_bounds", None, "631152000000")], 10**12)
    book.note([Held(replace(source, school=OTHER), "too_many_machines", None, "20")], 10**12)
    book.close()
    assert ask(folder, "held") == 0
    said = capsys.readouterr().out
    assert "\x1b[2J" not in said
    assert "1990-01-01" in said
    assert (
        f"school:{OTHER} max_machines=N" in "".join(said.split("│")).replace("\n", "")
        or OTHER in said
    )
    assert ask(folder, "held", "--school", OTHER, "--json") == 0
    [row] = json.loads(capsys.readouterr().out)
    assert (row["school"], row["reason"], row["times"]) == (OTHER, "too_many_machines", 1)
