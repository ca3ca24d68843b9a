"""`schoolpulse enrol rotate`: a new credential beside the present one, until all PCs have moved."""

from __future__ import annotations

import argparse
import datetime as dt
import sys
from pathlib import Path
from typing import Any

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import counted, say
from collector.broker.control import ControlError
from collector.commands.enrol.places import City, broker_failed, codes, common, opened, unknown
from collector.commands.progress import Bar
from collector.enrol import outputs


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "换发凭据：新旧同时有效，直到本校电脑都换过来",
        "renew credentials: old and new both work until the school's PCs have moved",
    )
    parser = actions.add_parser("rotate", help=text)
    codes(parser, "+")
    text = say(
        "旧凭据最迟用到这一天（含）；已在换发的学校改为这一天",
        "last day of the old credential at the latest; also changes a rotation under way",
    )
    parser.add_argument("--until", type=_day, metavar="DATE", help=text)
    text = say("安装包文件夹（默认 数据文件夹/bundles）", "folder of the bundles (default: bundles "
               "in the data folder)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help=text)
    common(parser, _run)


def _day(text: str) -> dt.date:
    try:
        day = dt.date.fromisoformat(text)
    except ValueError as error:
        wrong = say(
            f"{text} 不是日期，要写成 2026-12-31", f"{text} is not a date, write 2026-12-31"
        )
        raise argparse.ArgumentTypeError(wrong) from error
    if day < dt.datetime.now(CITY_TIME).date():
        raise argparse.ArgumentTypeError(say(f"{text} 已经过去", f"{text} is in the past"))
    return day


def _run(args: argparse.Namespace) -> int:
    until = args.until.isoformat() if args.until else ""
    with opened(args) as city:
        _check(args, city)
        begun = city.state.rotate(args.schools, until)
        limited = [code for code in dict.fromkeys(args.schools) if code not in begun]
        for code in limited:
            if until:
                city.state.limit(code, until)
        try:
            outputs.bring(city.place, city.config, city.state)
        except ControlError as error:
            return broker_failed(error)
        _write_bundles(args, city)
    if begun:
        print(
            say(
                f"{len(begun)} 所学校开始换发；新安装包已写出，在用的电脑会自己换过来",
                f"rotation begun for {counted(len(begun), 'school')}; new bundles are written, "
                "PCs in use "
                "move by themselves",
            )
        )
    if limited and until:
        print(
            say(
                f"{len(limited)} 所学校改为最迟 {until}",
                f"{counted(len(limited), 'school')}: until {until}",
            )
        )
    elif limited:
        text = say("已在换发，没有改变", "a rotation is under way already, nothing changed")
        print(f"{' '.join(limited)}: {text}", file=sys.stderr)
    return DONE if begun or until else FAILED


def _check(args: argparse.Namespace, city: City) -> None:
    """All of them, before anything is changed."""
    held = city.state.held()
    if missing := [code for code in args.schools if code not in held]:
        text = say("没有注册，先 enrol", "not enrolled; enrol first")
        raise RefusedError(f"{' '.join(missing)}: {text}")
    if gone := unknown(city.register(), args.schools):
        text = say("已不在台账；停用请用 revoke", "left the register; to end them use revoke")
        raise RefusedError(f"{' '.join(gone)}: {text}")


def _write_bundles(args: argparse.Namespace, city: City) -> None:
    held = city.state.held()
    out = args.out or city.place.data / "bundles"
    chosen = [held[code] for code in dict.fromkeys(args.schools)]
    with Bar(say("安装包", "bundles"), len(chosen)) as bar:
        outputs.bundles(city.place, city.config, city.register(), chosen, out, bar.done)
