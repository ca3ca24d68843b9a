"""`schoolpulse verify`: what is as it was signed, and what is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent.common.command_line import DONE, FAILED, REFUSED, main
from archive_side import Side
from collector.cli import COMMANDS


def test_freeze_and_verify(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    said = capsys.readouterr().out
    row = side.frozen()[0]
    assert row.root in said
    assert str(side.archive()) in said
    assert main("schoolpulse", COMMANDS, ["verify", str(side.archive())]) == DONE
    said = capsys.readouterr().out
    assert "每个字节都是原样" in said
    assert row.root in said
    words = ["verify", str(side.archive()), "--root", row.root, "--json"]
    assert main("schoolpulse", COMMANDS, words) == DONE
    found = json.loads(capsys.readouterr().out)
    assert (found["sound"], found["root"], found["faults"]) == (True, row.root, [])


def test_what_does_not_verify(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    path = side.archive()
    assert main("schoolpulse", COMMANDS, ["verify", str(path), "--root", "f" * 64]) == FAILED
    assert "不是签字时的那一份" in capsys.readouterr().out
    data = bytearray(path.read_bytes())
    data[data.index("结论".encode())] ^= 1
    path.chmod(0o644)
    path.write_bytes(data)
    assert main("schoolpulse", COMMANDS, ["verify", str(path)]) == FAILED
    assert "README.txt 的内容被改动" in capsys.readouterr().out
    assert main("schoolpulse", COMMANDS, ["verify", str(path), "--json"]) == FAILED
    assert json.loads(capsys.readouterr().out)["sound"] is False


def test_the_hash_beside_an_archive_counts_where_none_is_given(side: Side, capsys: Any) -> None:
    assert side("freeze") == DONE
    beside = side.archive().with_name(f"{side.archive().name}.sha256")
    beside.chmod(0o644)
    beside.write_text("0" * 64 + "  MANIFEST.sha256\n")
    assert main("schoolpulse", COMMANDS, ["verify", str(side.archive())]) == FAILED
    said = capsys.readouterr().out
    assert "0" * 64 in said
    assert beside.name in said


@pytest.mark.parametrize("words", [["nowhere.zip"], [".", "--json"], ["x.zip", "--root", "abc"]])
def test_wrong_usage_of_verify(words: list[str], capsys: Any) -> None:
    assert main("schoolpulse", COMMANDS, ["verify", *words]) == REFUSED
    assert capsys.readouterr().out == ""
