"""`schoolpulse-agent outbox`: the reports that have no receipt yet."""

from __future__ import annotations

import argparse
import contextlib
import json
import sqlite3
from typing import Any

from agent.commands.config_file import load_config
from agent.common import tables
from agent.common.command_line import DONE, RefusedError, config_argument, json_argument
from agent.common.language import say
from agent.common.output import print_json
from agent.outbox import COUNTERS, HELD, RECEIPTED, counter, fact, open_readonly


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the settings are, and the form."""
    config_argument(parser)
    json_argument(parser)


def run(args: argparse.Namespace) -> int:
    """Read the outbox's file; the agent may be running or not."""
    config = load_config(args)
    path = config.folder / "outbox.db"
    if not path.exists():
        raise RefusedError(
            say(
                f"{path}：还没有发件箱，代理没有运行过",
                f"{path}: no outbox yet, the agent has not run here",
            )
        )
    try:
        with contextlib.closing(open_readonly(path)) as db:
            found = look(db)
    except sqlite3.Error as error:
        raise RefusedError(
            say(
                f"{path}：读不了（{error}）；试试用管理员身份",
                f"{path}: cannot read it ({error}); try as root",
            )
        ) from error
    if args.json:
        print_json(json.dumps(found, ensure_ascii=False))
    else:
        print("\n".join(_text(found)))
    return DONE


def look(db: sqlite3.Connection) -> dict[str, Any]:
    """Counts by state, bytes, the oldest report (ms), and what was dropped or set aside.

    The oldest is in corrected time where it is sealed, else in the PC's own time.
    """
    unsealed, sent, held, kept, evidence, size, oldest = db.execute(
        "SELECT coalesce(sum(state = 0 AND sealed IS NULL), 0),"
        " coalesce(sum(state = 0 AND sealed IS NOT NULL), 0),"
        " coalesce(sum(state = :held), 0), coalesce(sum(state = :kept), 0),"
        " coalesce(sum(state != :kept AND evidence), 0),"
        " coalesce(sum((state != :kept) * size), 0),"
        " min(CASE WHEN state != :kept THEN coalesce(time, guess, wall) END) FROM report",
        {"held": HELD, "kept": RECEIPTED},
    ).fetchone()
    reasons = db.execute("SELECT reason, count(*) FROM report WHERE state = ? GROUP BY 1", (HELD,))
    return {
        "machine": fact(db, "machine"),
        "waiting": unsealed + sent + held,
        "unsent": unsealed,
        "sent": sent,
        "held": held,
        "held_for": dict(reasons.fetchall()),
        "evidence": evidence,
        "bytes": size,
        "oldest": oldest,
        "kept": kept,
        **{name: counter(db, name) for name in COUNTERS},
    }


def _text(found: dict[str, Any]) -> list[str]:
    held = ", ".join(f"{reason} {count}" for reason, count in found["held_for"].items())
    rows = [
        (say("待确认", "unconfirmed"), f"{found['waiting']} ({tables.size(found['bytes'])})"),
        (say("  未发送", "  not sent yet"), str(found["unsent"])),
        (say("  已发送", "  sent, no receipt yet"), str(found["sent"])),
        (say("  被暂缓", "  held"), f"{found['held']} {held}".strip()),
        (say("  其中证据", "  of which evidence"), str(found["evidence"])),
        (say("最早一份", "oldest"), tables.moment(found["oldest"])),
        (say("已确认留底", "confirmed, kept as backup"), str(found["kept"])),
        (say("丢弃的遥测", "telemetry dropped"), str(found["dropped_telemetry"])),
        (say("丢弃的证据", "evidence dropped"), str(found["dropped_evidence"])),
        (say("他机封存", "from another machine"), str(found["set_aside"])),
        (say("损坏丢失", "lost to damage"), str(found["lost"])),
    ]
    return tables.lines(rows)
