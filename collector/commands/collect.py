"""`schoolpulse collect`: the collector as a process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import datetime as dt
import gc
import os
import sqlite3
import sys
import threading
import time
from contextlib import ExitStack

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, FAILED, RefusedError, config_argument
from agent.common.language import say
from agent.common.lock import Lock
from collector.commands.rederive import rederive
from collector.commands.serving import begun, until_told
from collector.config import Config
from collector.doctor.delivery import quarantined
from collector.keeper import Keeper
from collector.keeper.checkpoints import FILE as CHECKPOINTS_FILE
from collector.keeper.checkpoints import Checkpoints
from collector.keeper.part import part_of
from collector.roster.book import RegisterBook
from collector.service import Collector
from collector.service.keeper_process import KeeperProcess, command
from collector.service.keeper_thread import KeeperThread
from collector.service.pipeline import resend_request
from collector.service.pipeline.pending_days import FILE as DAYS_FILE
from collector.service.pipeline.pending_days import PendingDays
from collector.store.base import Store, StoreError
from collector.store.factory import open_store

ROLES = ("all", "ingest", "keeper")
_KEEPER_STOP_S = 3.5
#: Added to the niceness of a keeper beside a collector: reports are received first.
_BEHIND = 10
_GARBAGE = 50_000  # objects: a batch makes as many, and none in a circle


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add = parser.add_argument
    config_argument(parser)
    text = say(
        "只接收（ingest）或只汇总（keeper）",
        "only receive (ingest), or only compute days and indicators (keeper)",
    )
    add("--role", choices=ROLES, default="all", help=text)
    add("--watched", action="store_true", help=argparse.SUPPRESS)  # by the collector that began it
    text = say(
        "重新计算一年的日、时、指标后退出",
        "recompute a year's days, hours and indicators, then exit",
    )
    add("--rederive", type=int, metavar="YEAR", help=text)
    text = say(
        "数据库恢复后：向各校电脑要回此日起已确认的证据（7 天内），YYYY-MM-DD 或 YYYY-MM-DDTHH:MM",
        "after restoring the database: ask the PCs to resend confirmed evidence since then "
        "(kept for 7 days), YYYY-MM-DD or YYYY-MM-DDTHH:MM",
    )
    add("--ask-again", type=since, metavar="SINCE", help=text)


def since(text: str) -> dt.datetime:
    """A local day or time, for argparse."""
    try:
        found = dt.datetime.fromisoformat(text)
    except ValueError as error:
        problem = say(
            "要写成 2026-11-24 或 2026-11-24T08:00", "must be like 2026-11-24 or 2026-11-24T08:00"
        )
        raise argparse.ArgumentTypeError(f"{text}: {problem}") from error
    return found if found.tzinfo else found.replace(tzinfo=CITY_TIME)


def run(args: argparse.Namespace) -> int:
    """Run until SIGTERM or Ctrl-C. 0: stopped; 2: refused before anything started."""
    config = begun(args.config)
    with ExitStack() as opened:
        if args.rederive is not None:
            return _rederive(args.rederive, config, opened)
        if args.ask_again is not None:
            _ask_again(args.ask_again, config)
        if args.watched:
            if os.name == "posix":
                os.nice(_BEHIND)
            return _serve(_keeper_alone(config, opened, watched=True), opened, until_eof=True)
        return _serve(_open(config, args.role, opened, args.config), opened)


def _serve(service: Collector | KeeperThread, opened: ExitStack, *, until_eof: bool = False) -> int:
    """Run until told to stop; `until_eof`: also when the standard input ends."""
    stop = until_told()
    gc.set_threshold(_GARBAGE, 20, 20)
    service.start()
    if until_eof:
        threading.Thread(target=_await_eof, args=(stop,), name="parent", daemon=True).start()
    stop.wait()
    if isinstance(service, Collector):
        ended = service.stop()
    else:
        service.stop(_KEEPER_STOP_S)
        ended = not service.alive
    if not ended:
        opened.pop_all()  # a thread waits for the store: closing it would wait as long
    return DONE


def _await_eof(stop: threading.Event) -> None:
    """The collector that began this keeper holds the other end, and writes nothing."""
    while os.read(0, 1024):
        pass
    stop.set()


def _ask_again(start: dt.datetime, config: Config) -> None:
    now_ms = time.time_ns() // 1_000_000
    try:
        resend_request.ask(config.folder, int(start.timestamp() * 1000), now_ms)
    except OSError as error:
        raise RefusedError(f"{config.folder}: {error}") from error
    if now_ms / 1000 - start.timestamp() > 7 * 86_400:
        text = say(
            "电脑只保留最近 7 天已确认的证据：更早的要不回来",
            "PCs keep confirmed evidence for 7 days: older evidence cannot be resent",
        )
        print(text, file=sys.stderr)


def _rederive(year: int, config: Config, opened: ExitStack) -> int:
    store, book = _store(config, opened), RegisterBook(config.folder / "register.db")
    part = part_of(config.keeper.part)
    keeper = Keeper(store, book.load, config.figure, config.city, config.report_s, part=part)
    try:
        return rederive(keeper, year, dt.datetime.now(CITY_TIME).date())
    except StoreError as error:
        print(
            say(f"数据库出错，可重来：{error}", f"the store failed, run it again: {error}"),
            file=sys.stderr,
        )
        return FAILED


def _open(
    config: Config, role: str, opened: ExitStack, path: str | None
) -> Collector | KeeperThread:
    """Everything that can refuse, before anything starts. `path`: where the settings are."""
    if role == "keeper":
        return _keeper_alone(config, opened, watched=False)
    config.mqtt.secret()
    if config.store.kind == "sqlite":
        for name in ("ingest", "keeper") if role == "all" else (role,):
            _lock(config, name, opened)
    store = _store(config, opened)
    process = KeeperProcess(command(path)) if role == "all" else None
    try:
        book = RegisterBook(config.folder / "register.db")
        # A book that is not there, or no more, is an error: the register in force stays.
        return Collector(config, store, book.load, version=book.version, keeper_process=process)
    except (OSError, sqlite3.Error) as error:
        raise _refused(config, error) from error


def _keeper_alone(config: Config, opened: ExitStack, *, watched: bool) -> KeeperThread:
    """The keeper of this process. `watched`: it is part of a collector, which has the locks.

    One that is not, and one that has a part of the schools, also derives what collectors on other
    machines note in the store. A part alone has a file of pending days of its own: it drops the
    days of other parts.
    """
    part = part_of(config.keeper.part)
    own = part.of > 1 and not watched
    suffix = f"-{part.number}-{part.of}" if own else ""
    if config.store.kind == "sqlite" and not watched:
        _lock(config, f"keeper{suffix}", opened)
    store = _store(config, opened)
    notes = None if watched and part.of == 1 else store
    try:
        book = RegisterBook(config.folder / "register.db")
        keeper = Keeper(
            store,
            book.load,
            config.figure,
            config.city,
            config.report_s,
            quarantined=lambda: quarantined(config),
            version=book.version,
            part=part,
            checkpoints=_checkpoints(config, suffix, opened),
        )
        pending_days = PendingDays((config.folder / DAYS_FILE).with_stem(f"days{suffix}"))
    except (OSError, sqlite3.Error) as error:
        raise _refused(config, error) from error
    opened.callback(pending_days.close)
    return KeeperThread(keeper, pending_days, config.keeper_s, notes, store.limits.readable_s)


def _checkpoints(config: Config, suffix: str, opened: ExitStack) -> Checkpoints:
    made = Checkpoints((config.folder / CHECKPOINTS_FILE).with_stem(f"checkpoints{suffix}"))
    opened.callback(made.close)
    return made


def _lock(config: Config, role: str, opened: ExitStack) -> None:
    name = "collect.lock" if role == "ingest" else f"{role}.lock"
    try:
        opened.callback(Lock(config.folder / name, say("采集服务", "collector")).release)
    except OSError as error:
        raise _refused(config, error) from error


def _store(config: Config, opened: ExitStack) -> Store:
    try:
        return opened.enter_context(open_store(config))
    except (OSError, sqlite3.Error, StoreError) as error:
        raise _refused(config, error) from error


def _refused(config: Config, error: Exception) -> RefusedError:
    return RefusedError(
        say(
            f"{config.folder}: 打不开数据：{error}。运行 schoolpulse doctor 查看办法",
            f"{config.folder}: cannot open the data: {error}; run schoolpulse doctor",
        )
    )
