"""`schoolpulse enrol settle`: end former credentials that no PC needs; run by a timer."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from agent.common.command_line import DONE, FAILED
from agent.common.language import say
from agent.common.tables import now_ms
from collector.broker.control import ControlError
from collector.commands.enrol.places import broker_failed, common, opened
from collector.enrol import outputs, standings
from collector.enrol.rotation import verdict, waits
from collector.store.base import StoreError


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "结束已换完或到期的旧凭据（由定时器运行）",
        "end former credentials whose PCs have moved, or whose date has passed (run by a timer)",
    )
    common(actions.add_parser("settle", help=text), _run)


def _run(args: argparse.Namespace) -> int:
    with opened(args) as city:
        try:
            rotating = standings.under_way(city.place, city.config, city.state, city.register())
        except StoreError as error:
            problem = say(
                "数据库没有回答，什么都没结束", "the store does not answer, nothing ended"
            )
            print(f"{problem}: {error}", file=sys.stderr)
            return FAILED
        ended = 0
        for code, one in rotating.items():
            why = verdict(one.rotation, one.standing, now_ms())
            if why:
                accounts = city.state.settle(code, why)
                ended += len(accounts)
                print(
                    say(
                        f"{code}: 旧凭据已结束（{why}）", f"{code}: former credential ended ({why})"
                    )
                )
            else:
                print(f"{code}: {waits(one.rotation, one.standing)}")
        try:
            outputs.bring(city.place, city.config, city.state)
        except ControlError as error:
            return broker_failed(error)
    if not rotating:
        print(say("没有正在进行的换发", "no rotation is under way"))
    return DONE
