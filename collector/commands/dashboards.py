"""`schoolpulse dashboards build`: the Grafana boards as JSON files."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.wire.command_line import DONE, RefusedError
from agent.wire.lang import say
from dashboards import build


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-commands of `dashboards`."""
    choices = parser.add_subparsers(dest="action", required=True, metavar=say("动作", "ACTION"))
    text = say("生成看板 JSON", "write the boards as JSON")
    building = choices.add_parser("build", help=text, description=text)
    folder = say("写到哪个文件夹（./dashboards/built）", "folder to write to (./dashboards/built)")
    building.add_argument("--out", type=Path, default=Path("dashboards/built"), help=folder)


def run(args: argparse.Namespace) -> int:
    """Write the boards and name the files."""
    try:
        written = build.write(args.out)
    except OSError as error:
        problem = say("写不了看板", "cannot write the boards")
        raise RefusedError(f"{args.out}: {problem}: {error.strerror}") from error
    for path in written:
        print(path)
    return DONE
