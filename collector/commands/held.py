"""`schoolpulse held`: reports that the collector does not store for now, by school and reason."""

from __future__ import annotations

import argparse
import sqlite3
from collections.abc import Iterator
from contextlib import closing

from agent.common.command_line import DONE, RefusedError
from agent.common.language import say
from agent.common.vocabulary.held import FIXES, REASONS
from agent.common.vocabulary.words import word
from collector.commands import listing
from collector.commands.config_file import load_config
from collector.config import Config
from collector.service.pipeline.held_book import FILE, HeldBook, HeldRow

_SHEET: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("reason", "原因", "reason"), ("detail", "例", "example"),
    ("times", "次数", "times"), ("first_ms", "最早", "first"), ("last_ms", "最近", "last"),
    ("machine", "例：电脑", "example's PC"), ("boot", "启动", "boot"), ("number", "报告", "report"),
    ("fix", "办法", "fix"),
)  # fmt: skip
_TABLE: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("why", "原因", "reason"), ("times", "次数", "times"),
    ("when", "时间", "when"), ("machine", "例：电脑", "example's PC"), ("fix", "办法", "fix"),
)  # fmt: skip


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The school, and the form."""
    listing.add_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """List them; 0 whether or not there are any."""
    rows = [row._asdict() for row in _rows(load_config(args), args.school)]
    listing.show(args, rows, listing.View(_SHEET, _said), listing.View(_TABLE, _said))
    return DONE


def _rows(config: Config, school: str) -> list[HeldRow]:
    path = config.folder / FILE
    if not path.exists():
        return []
    try:
        with closing(HeldBook(path)) as book:
            return book.rows(school)
    except (sqlite3.Error, OSError) as error:
        raise RefusedError(
            say(
                f"{path}: 读不了：{error}。检查权限；坏了就删掉，采集服务会重建",
                f"{path}: cannot be read: {error}. Check its permissions; if damaged, delete it: "
                "the collector makes it anew",
            )
        ) from error


def _said(row: listing.Row) -> listing.Row:
    reason, detail = str(row["reason"]), _detail(row)
    when = " – ".join(dict.fromkeys(listing.short(row[key]) for key in ("first_ms", "last_ms")))
    return {
        **row, "reason": word(REASONS, reason), "detail": detail, "when": when,
        "why": listing.below(word(REASONS, reason), detail),
        "fix": word(FIXES, reason).format(school=row["school"]),
    }  # fmt: skip


def _detail(row: listing.Row) -> str:
    text = str(row["detail"])
    if row["reason"] == "time_out_of_bounds" and text.isdigit():
        return listing.moment(int(text))
    return "".join(_printable(text))


def _printable(text: str) -> Iterator[str]:
    """An attacker's line name: a terminal must show its control codes, not follow them."""
    return (char if char.isprintable() else repr(char)[1:-1] for char in text)
