"""`schoolpulse rollup`: frozen years summed, each figure made again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from agent.common.command_line import DONE, FAILED, REFUSED, main
from archive_side import CODE, Side
from collector.archive.container import pack
from collector.archive.opened import MANIFEST, opened
from collector.archive.writing import with_manifest
from collector.cli import COMMANDS


def test_rollup(side: Side, tmp_path: Path, past_town: Any, fill: Any, capsys: Any) -> None:
    assert side("freeze") == DONE
    out = tmp_path / "sum.zip"
    words = ["rollup", str(side.archive()), "--name", "青海省", "--code", "630000"]
    assert main("schoolpulse", COMMANDS, [*words, "--out", str(out)]) == DONE
    said = capsys.readouterr().out
    assert "青海省 2025 年" in said
    assert "全部核实达标" not in said, "a sum has no list of deeds"
    assert side.frozen()[0].root in said
    assert main("schoolpulse", COMMANDS, [*words, "--json"]) == DONE
    found = json.loads(capsys.readouterr().out)
    assert found["areas"][0]["code"] == "630000"
    assert found["areas"][0]["indicators"] == found["areas"][1]["indicators"]
    assert main("schoolpulse", COMMANDS, ["verify", str(out)]) == DONE
    assert main("schoolpulse", COMMANDS, [*words, "--out", str(out)]) == REFUSED
    assert main("schoolpulse", COMMANDS, ["rollup", str(side.archive()), str(out)]) == REFUSED
    assert CODE in capsys.readouterr().err
    assert (
        main("schoolpulse", COMMANDS, [*words, "--out", str(tmp_path / "no/where.zip")]) == FAILED
    )


def test_rollup_makes_each_figure_again(side: Side, tmp_path: Path, capsys: Any) -> None:
    """Verdicts rewritten with a manifest that fits them add nothing to a sum."""
    assert side("freeze") == DONE
    with opened(side.archive()) as archive:
        found = {name: archive.member(name) for name in archive.names if name != MANIFEST}
    found["verdicts.csv"] = found["verdicts.csv"].replace(b",declared,", b",verified,", 1)
    better = tmp_path / "better.zip"
    better.write_bytes(pack(with_manifest(found.items())))
    capsys.readouterr()
    assert main("schoolpulse", COMMANDS, ["rollup", str(better)]) == REFUSED
    assert "verdicts.csv" in capsys.readouterr().err
