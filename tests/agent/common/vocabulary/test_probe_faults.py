"""Every fault that a probe can say has words in both languages, and every word is said by one."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from agent.common.vocabulary import devices as words
from agent.probes.network import pjlink, snmp

PROBES = Path(__file__).parents[4] / "agent/probes"
#: What a module that works its faults out, instead of writing one down, can make of them.
WORKED_OUT = {
    "network/ask.py": {
        *pjlink._PARTS, "failure", *snmp._FAULTS.values(), "snmp_silent", "snmp_not_installed",
    },
}  # fmt: skip


def _faults(path: Path) -> Iterator[ast.expr]:
    """What a module gives as `fault=`."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Call):
            yield from (one.value for one in node.keywords if one.arg == "fault")


def _found() -> tuple[set[str], set[str]]:
    """The faults that are written down, and the modules that work theirs out."""
    written, working = set(), set()
    for path in PROBES.rglob("*.py"):
        for value in _faults(path):
            if isinstance(value, ast.Constant):
                written |= set(str(value.value).split(", ")) - {""}
            else:
                working.add(path.relative_to(PROBES).as_posix())
    return written, working


def test_every_fault_of_a_probe_has_words_and_every_word_is_of_a_probe() -> None:
    """A probe that works its faults out is added to `WORKED_OUT`, with all that it can say."""
    written, working = _found()
    assert working == set(WORKED_OUT)
    said = written.union(*WORKED_OUT.values())
    assert said == set(words.FAULTS) - set(words.PRINTER_WARNINGS)


def test_every_fault_alone_has_its_words_on_the_boards() -> None:
    stored = dict(words.stored_faults())
    for code in set(words.FAULTS) - set(words.PRINTER_WARNINGS):
        assert stored[code] == words.FAULTS[code]
        assert all(text.strip() for text in stored[code])
