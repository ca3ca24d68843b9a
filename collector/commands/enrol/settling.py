"""`schoolpulse enrol settle`: end former credentials that no PC needs; a service does it hourly."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import Any

from agent.common import log
from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from agent.common.settings import SettingsError
from agent.common.tables import now_ms
from collector.broker.control import ControlError
from collector.commands.enrol.places import (
    City,
    broker_failed,
    common,
    opened,
    tell_who_stays,
)
from collector.enrol import brokering, outputs, standings
from collector.enrol.rotation import verdict, waits
from collector.store.base import StoreError


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "结束已换完或到期的旧凭据（由服务每小时运行）",
        "end former credentials whose PCs have moved, or whose date has passed (a service does it)",
    )
    parser = actions.add_parser("settle", help=text)
    text = say("每隔多少秒一次，直到 SIGTERM", "again each so many seconds, until SIGTERM")
    parser.add_argument("--every", type=float, metavar="S", help=text)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    told: list[str] = []
    if args.every is None:
        return _once(args, told)
    stop = threading.Event()
    for sign in (signal.SIGTERM, signal.SIGINT):
        signal.signal(sign, lambda *_: stop.set())
    while not stop.is_set():
        try:
            _once(args, told)
        except (RefusedError, SettingsError) as error:  # another command runs, or no setup yet
            log.warning("settle_refused", reason=error)
        sys.stdout.flush()  # a journal or a container's log has it now
        stop.wait(args.every)
    return DONE


def _once(args: argparse.Namespace, told: list[str]) -> int:
    """`told`: the schools of which it was said that HiveMQ's file still has them."""
    with opened(args) as city:
        try:
            rotating = _settle(city)
            ended, alone = city.state.still_in_file(), args.every is None
            stopped = not _end(city, alone=alone)
        except StoreError as error:
            problem = say(
                "数据库没有回答，什么都没结束", "the store does not answer, nothing ended"
            )
            print(f"{problem}: {error}", file=sys.stderr)
            return FAILED
        except ControlError as error:
            return broker_failed(error)
        if city.config.mqtt.hivemq:
            _tell_of_file(city, ended, told, alone=alone)
    if stopped:
        print(
            say("消息服务器没有运行，下次再结束账号", "the broker does not run: accounts end later")
        )
    elif not rotating:
        print(say("没有正在进行的换发", "no rotation is under way"))
    return DONE


def _tell_of_file(city: City, ended: list[str], told: list[str], *, alone: bool) -> None:
    """What is still to be done, once; the next hour says it again only of more schools."""
    if alone and ended:
        tell_who_stays(city)
    elif ended and ended != told:
        listed = " ".join(ended)
        print(
            say(
                f"{listed}: 已停用的账号还在 HiveMQ 的文件里，这个文件由 root 写，请用 root 运行："
                "schoolpulse enrol settle",
                f"{listed}: an ended account is still in HiveMQ's file, which is root's to write; "
                "run as root: schoolpulse enrol settle",
            )
        )
    told[:] = ended


def _settle(city: City) -> int:
    """How many rotations there were; those that are over are over in the state, and their keys."""
    rotating = standings.under_way(city.place, city.config, city.state, city.register())
    for code, one in rotating.items():
        why = verdict(one.rotation, one.standing, now_ms())
        if not why:
            print(f"{code}: {waits(one.rotation, one.standing)}")
            continue
        city.state.settle(code, why)
        print(say(f"{code}: 旧凭据已结束（{why}）", f"{code}: former credential ended ({why})"))
    held = city.state.held()
    for code in rotating:
        outputs.keys(city.place.keys, held[code])
    return len(rotating)


def _end(city: City, *, alone: bool) -> bool:
    """Whether the broker has no account that has ended, those of a killed run among them.

    The service may read no other service's password, which the file of a stopped broker needs.
    HiveMQ's file is written whether it runs or not.
    """
    if brokering.asked(city.config.mqtt):
        brokering.end(city.place, city.config.mqtt, city.state.ended_accounts())
        return True
    if alone:
        outputs.bring(city.place, city.config, city.state)
    return alone or bool(city.config.mqtt.hivemq)
