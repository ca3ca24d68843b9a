"""What `schoolpulse doctor` says of new versions of the agent: stages that stopped."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from agent.common.checks import Check
from agent.common.language import say
from collector.config import Config
from collector.release.book import FILE, Stage, existing
from collector.release.judging import said


def check(config: Config) -> Check:
    """Whether the newest stage goes on."""
    name = say("代理的新版本", "new versions of the agent")
    try:
        book = existing(config.folder)
        if book is None:
            return Check(name, True, say("没有", "none"))
        with closing(book):
            stages, withdrawn = book.stages(), book.withdrawn()
    except (sqlite3.Error, OSError) as error:
        path = config.folder / FILE
        fix = say(f"从备份恢复 {path}", f"restore {path} from a backup")
        return Check(name, False, f"{path}: {error}", fix)
    if not stages:
        return Check(name, True, say("还没有下发", "none is handed out yet"))
    return _newest(name, stages[0], withdrawn=stages[0].version in withdrawn)


def _newest(name: str, stage: Stage, *, withdrawn: bool) -> Check:
    if stage.stopped_ms is None or withdrawn:
        return Check(name, True, stage.version)
    fix = say(
        f"schoolpulse release status --pcs；坏版本：schoolpulse release withdraw {stage.version}",
        f"schoolpulse release status --pcs; a bad version: schoolpulse release withdraw"
        f" {stage.version}",
    )
    return Check(name, False, f"{stage.version}: {said(stage.why)}", fix)
