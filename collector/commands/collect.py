"""`schoolpulse collect`: the collector as a process, until SIGTERM or Ctrl-C."""

from __future__ import annotations

import argparse
import logging
import signal
import sqlite3
import sys
import threading
from contextlib import ExitStack

from agent.wire.command_line import DONE, RefusedError
from agent.wire.lang import say
from collector.config import Config, load
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.service import Collector
from collector.service.lock import FileLock
from collector.store.factory import open_store
from collector.store.seam import StoreError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("--config", metavar="FILE", help=say("配置文件", "settings"))


def run(args: argparse.Namespace) -> int:
    """Run until told to stop. 0: stopped; 2: refused before anything started."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    config, warnings = load(args.config)
    for warning in warnings:
        print(warning, file=sys.stderr)
    with ExitStack() as opened:
        collector = _open(config, opened)
        stop = threading.Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
        collector.start()
        stop.wait()
        if not collector.stop():
            opened.pop_all()  # a thread waits for the store: closing it would wait as long
    return DONE


def _open(config: Config, opened: ExitStack) -> Collector:
    """Everything that can refuse, before anything starts."""
    try:
        if config.store.kind == "sqlite":
            opened.callback(FileLock(config.folder / "collect.lock").release)
        store = opened.enter_context(open_store(config))
        book = RegisterBook(config.folder / "register.db")
        # A book that is not there, or no more, is an error: the register in force stays.
        keeper = Keeper(store, book.load, config.figure, config.city, config.report_s)
        return Collector(config, store, book.load, version=book.version, keeper=keeper)
    except (OSError, sqlite3.Error, StoreError) as error:
        raise RefusedError(
            say(
                f"{config.folder}: 打不开数据：{error}。运行 schoolpulse doctor 查看办法",
                f"{config.folder}: cannot open the data: {error}; see `schoolpulse doctor`",
            )
        ) from error
