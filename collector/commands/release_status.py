"""`schoolpulse release list` and `status`: the versions, and how far the PCs are."""

from __future__ import annotations

import argparse
import time
from collections import Counter

from agent.common.calendar import Calendar
from agent.common.command_line import DONE
from agent.common.language import say
from agent.common.vocabulary.updates import FAILED, STATES
from agent.common.vocabulary.words import word
from collector.commands import listing
from collector.commands.config_file import REGISTER_FILE
from collector.config import Config
from collector.release.book import ReleaseBook, Stage
from collector.release.judging import said, standing
from collector.roster.book import NoRegisterError, RegisterBook

_VERSIONS: tuple[listing.Heading, ...] = (
    ("version", "版本", "version"), ("platform", "系统", "system"), ("name", "文件", "file"),
    ("size", "字节", "bytes"), ("sha256", "SHA-256", "SHA-256"),
    ("not_before_ms", "不早于", "not before"),
    ("withdrawn", "已撤回", "withdrawn"),
)  # fmt: skip
_STAGES: tuple[listing.Heading, ...] = (
    ("version", "版本", "version"), ("to", "给谁", "to"), ("since_ms", "开始", "since"),
    ("stopped_ms", "停止", "stopped"), ("why", "原因", "reason"),
    ("installed", "已装", "installed"), ("installing", "正在装", "installing"),
    ("lost", "没有回来", "not back"), ("failed", "未能更新", "cannot update"),
)  # fmt: skip
_PCS: tuple[listing.Heading, ...] = (
    ("version", "版本", "version"), ("school", "学校", "school"), ("machine", "电脑", "PC"),
    ("state", "状态", "state"), ("at_ms", "时间", "when"), ("lost", "没有回来", "not back"),
)  # fmt: skip


def versions(args: argparse.Namespace, book: ReleaseBook, config: Config) -> int:
    """List the versions; 0 whether or not there are any."""
    gone = book.withdrawn()
    rows = [
        {
            "version": one.version, "platform": one.platform, "name": one.name,
            "size": one.size, "sha256": one.sha256, "not_before_ms": one.not_before or None,
            "withdrawn": gone.get(one.version),
        }
        for one in book.files()
    ]  # fmt: skip
    listing.show(args, rows, listing.View(_VERSIONS), listing.View(_VERSIONS))
    return DONE


def stages(args: argparse.Namespace, book: ReleaseBook, config: Config) -> int:
    """List the stages, or their PCs; 0 whether or not there are any."""
    calendar, now_ms = _calendar(config), time.time_ns() // 1_000_000
    if args.pcs:
        rows = _pcs(args, book, calendar, now_ms)
        listing.show(args, rows, listing.View(_PCS, _said_pc), listing.View(_PCS, _said_pc))
        return DONE
    rows = [_stage(stage, book, calendar, now_ms) for stage in book.stages()]
    listing.show(args, rows, listing.View(_STAGES, _said), listing.View(_STAGES, _said))
    return DONE


def _calendar(config: Config) -> Calendar:
    try:
        return RegisterBook(config.folder / REGISTER_FILE).load().calendar
    except NoRegisterError:
        return Calendar()


def _stage(stage: Stage, book: ReleaseBook, calendar: Calendar, now_ms: int) -> dict[str, object]:
    pcs = [pc for pc in book.pcs(stage.version) if not stage.schools or pc.school in stage.schools]
    pcs = [pc for pc in pcs if pc.at_ms >= stage.since_ms]
    lost = standing(pcs, calendar, stage.since_ms, now_ms).lost
    kinds = Counter(pc.state.partition(":")[0] for pc in pcs)
    reasons = Counter(pc.state.partition(":")[2] for pc in pcs if pc.state.startswith("failed:"))
    return {
        "version": stage.version, "schools": stage.schools, "percent": stage.percent,
        "since_ms": stage.since_ms, "stopped_ms": stage.stopped_ms, "why": stage.why,
        "installed": kinds["installed"], "installing": kinds["installing"], "lost": len(lost),
        "failed": dict(reasons),
    }  # fmt: skip


def _said(row: listing.Row) -> listing.Row:
    schools, percent, failed = row["schools"], row["percent"], row["failed"]
    assert isinstance(schools, tuple)
    assert isinstance(failed, dict)
    who = ", ".join(schools) or say("全市", "all schools")
    to = who if percent == 100 else f"{who} · {percent}%"
    reasons = tuple(f"{word(FAILED, code)} {count}" for code, count in failed.items())
    return {**row, "to": to, "why": said(str(row["why"])), "failed": reasons}


def _pcs(
    args: argparse.Namespace, book: ReleaseBook, calendar: Calendar, now_ms: int
) -> list[listing.Row]:
    return [
        {**pc._asdict(), "lost": pc in lost}
        for version in sorted({stage.version for stage in book.stages()})
        for pcs in [[pc for pc in book.pcs(version) if args.school in ("", pc.school)]]
        for lost in [standing(pcs, calendar, 0, now_ms).lost]
        for pc in pcs
    ]


def _said_pc(row: listing.Row) -> listing.Row:
    state, _, code = str(row["state"]).partition(":")
    words = word(STATES, state) + (f": {word(FAILED, code)}" if code else "")
    return {**row, "state": words, "lost": say("是", "yes") if row["lost"] else ""}
