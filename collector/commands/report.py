"""`schoolpulse report`: the yearly report as files."""

from __future__ import annotations

import argparse
from pathlib import Path

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from collector.report import FORMATS, gather, write
from collector.store.base import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    gather.add_arguments(parser)
    gather.live_argument(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path(),
        help=say("写到哪个文件夹（默认当前文件夹）", "output folder (default: the current one)"),
    )
    parser.add_argument(
        "--format",
        metavar=",".join(FORMATS),
        default=",".join(FORMATS),
        help=say("格式，逗号分隔（默认全部）", "formats, comma-separated (default: all)"),
    )


def run(args: argparse.Namespace) -> int:
    """Judge, render, write, and name the files."""
    formats = _formats(args.format)
    try:
        files = write(gather.figure(args), args.out, formats)
    except StoreError as error:
        gather.warn(gather.store_failed(error))
        return FAILED
    except OSError as error:
        gather.warn(say(f"写不出报告：{error}", f"cannot write the report: {error}"))
        return FAILED
    for path in files:
        print(path)
    return DONE


def _formats(text: str) -> list[str]:
    chosen = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in chosen if word not in FORMATS]
    if unknown or not chosen:
        known = ", ".join(FORMATS)
        raise RefusedError(
            say(
                f"没有这种格式：{text}；可用：{known}",
                f"no such format: {text}; available: {known}",
            )
        )
    return list(dict.fromkeys(chosen))
