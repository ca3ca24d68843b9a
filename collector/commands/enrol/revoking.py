"""`schoolpulse enrol revoke`: a school's credentials end at once."""

from __future__ import annotations

import argparse
from typing import Any

from agent.common.command_line import DONE, RefusedError
from agent.common.language import say
from collector.broker.control import ControlError
from collector.commands.enrol.places import (
    City,
    broker_failed,
    codes,
    common,
    opened,
    tell_who_stays,
)
from collector.enrol import brokering, outputs


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "立即停用学校的凭据（丢失、泄露、撤并）",
        "end schools' credentials at once (leaked, stolen, closed)",
    )
    parser = actions.add_parser("revoke", help=text)
    codes(parser, "+")
    text = say("原因，会记入日志", "why; written into the journal")
    parser.add_argument("--why", required=True, type=_reason, metavar="TEXT", help=text)
    common(parser, _run)


def _reason(text: str) -> str:
    if not text.strip():
        raise argparse.ArgumentTypeError(say("要写原因", "say why"))
    return " ".join(text.split())


def _run(args: argparse.Namespace) -> int:
    schools = list(dict.fromkeys(args.schools))
    with opened(args) as city:
        known = {*city.state.held(), *city.state.revoked()}
        if missing := [code for code in schools if code not in known]:
            text = say("没有注册过", "never enrolled")
            raise RefusedError(f"{' '.join(missing)}: {text}")
        ended = [user for code in schools for user in city.state.revoke(code, args.why)]
        for code in schools:
            outputs.remove_keys(city.place, code)
        try:
            _out(city, ended)
            outputs.bring(city.place, city.config, city.state)
        except ControlError as error:
            return broker_failed(error)
    if ended:
        _tell(schools)
        tell_who_stays(city)
    else:
        print(say("早已停用，没有要做的", "ended already, nothing to do"))
    return DONE


def _tell(schools: list[str]) -> None:
    print(
        say(
            f"{' '.join(schools)} 已停用；再次注册（enrol）会发新的凭据和安装包",
            f"{' '.join(schools)}: ended; enrol them again for a new credential and bundle",
        )
    )


def _out(city: City, ended: list[str]) -> None:
    """Those first: bringing the rest up to date asks the broker for everything."""
    if ended and brokering.asked(city.config.mqtt):
        brokering.end(city.place, city.config.mqtt, ended)
