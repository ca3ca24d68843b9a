"""Every reason, outcome and answer of a line test has words in both languages."""

from __future__ import annotations

import ast
import itertools
from pathlib import Path
from typing import get_args

import pytest

import agent.probes.line.invalid as line_invalid
from agent.common.vocabulary import reasons, thresholds
from agent.probes.line import turn
from agent.wire.messages import LineOutcome, LineTest
from collector.compliance import lines

LINE = Path(line_invalid.__file__).parent


def test_outcomes_and_answers_are_those_of_the_wire():
    assert set(reasons.OUTCOMES) == set(get_args(LineOutcome))

    assert set(reasons.POSTPONED) == set(turn._ANSWERS)


@pytest.mark.parametrize(
    "interface", ["eth0", "wifi", "loopback", "virtual", "vpn", "tether", "not_wired"]
)
def test_every_invalid_test_has_a_text_with_words(monkeypatch, interface):
    """All that can stand together, in the order in which the agent says it."""
    stored = dict(reasons.stored())
    monkeypatch.setattr(line_invalid.nics, "describe", lambda name: name)
    booleans = (False, True)
    for alone, share, limited, slow_pc in itertools.product(
        (True, False), (0.0, 0.05), booleans, booleans
    ):
        test = LineTest(
            test="t", line="l", outcome="ok", wired=interface == "eth0", solo=alone,
            other_share=share, server_limited=limited, pc_limited=slow_pc,
        )  # fmt: skip
        reason = line_invalid.invalid_because(test, interface)
        if reason:
            assert reasons.said(reason) == stored[reason]
        else:
            assert (interface, alone, share, limited, slow_pc) == (
                "eth0",
                True,
                0.0,
                False,
                False,
            )


def test_every_failure_of_a_test_is_a_known_code():
    """Codes as the source has them: `EndedError(outcome, code, ...)`, `return outcome, code, _`."""
    found = set()
    for path in LINE.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            parts: list[ast.expr] = []
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "EndedError":
                parts = node.args
            elif isinstance(node, ast.Return) and isinstance(node.value, ast.Tuple):
                parts = node.value.elts
            texts = [part.value for part in parts if isinstance(part, ast.Constant)]
            if len(texts) > 1 and texts[0] in get_args(LineOutcome):
                found.add(texts[1])
    others = {"child_ended", "crashed", "key_unreadable"}  # said in other ways
    assert found | others == set(reasons.FAILED)


def test_every_fault_of_the_figure_has_words():
    source = ast.parse(Path(lines.__file__).read_text("utf-8"))
    said = {
        node.value
        for function in ast.walk(source)
        if isinstance(function, ast.FunctionDef) and function.name.startswith("_fault_of")
        for returned in ast.walk(function)
        if isinstance(returned, ast.Return)
        for node in ast.walk(returned)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    said -= {"", "lo"}  # well; the name of a loopback interface
    elsewhere = {"burst", "used_twice", "no_report", "other_network"}
    elsewhere |= {"other_machine", "late", "lossy"}  # doubts: such a test counts
    assert said | elsewhere >= set(reasons.REFUSED)
    assert said <= set(reasons.REASONS)


@pytest.mark.parametrize(
    ("old", "zh"),
    [
        ("wifi interface", "经过无线网卡"),
        ("not alone on the line, other traffic 12%", "不是独占线路、本机其他流量达到 5%"),
        ("server was the bottleneck", "受测速服务器限制"),
        ("unreachable", "连不上测速服务器"),
        ("a word of tomorrow", "a word of tomorrow"),
    ],
)
def test_a_sentence_of_an_older_agent_has_the_word_of_its_code(old, zh):
    assert reasons.said(old).zh == zh


def test_a_test_beside_much_traffic_is_refused_by_agent_and_figure_alike():
    assert lines.OTHER_TRAFFIC == line_invalid.OTHER_TRAFFIC == thresholds.OTHER_TRAFFIC
    assert f"{thresholds.OTHER_TRAFFIC:.0%}" in reasons.REASONS["other_traffic"].zh
