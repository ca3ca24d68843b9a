"""What the commands on PCs and devices open and close: the register and the store."""

from __future__ import annotations

import argparse
import contextlib
import time
from collections.abc import Iterator
from typing import NamedTuple

from agent.common.command_line import RefusedError
from agent.common.language import say
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.config import Config
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.store.base import Store, StoreError
from collector.store.factory import open_store


class Opened(NamedTuple):
    """Settings, register and store."""

    config: Config
    book: RegisterBook
    register: Register
    store: Store
    now_ms: int


@contextlib.contextmanager
def opened(args: argparse.Namespace) -> Iterator[Opened]:
    """Open them.

    Raises:
        RefusedError: no register, no such school, or a store that does not answer.
    """
    settings = load_config(args)
    book = RegisterBook(settings.folder / REGISTER_FILE)
    register = book.load()
    _check_school(register, args.school)
    try:
        with open_store(settings) as store:
            yield Opened(settings, book, register, store, time.time_ns() // 1_000_000)
    except StoreError as error:
        raise unreadable(error) from error


def unreadable(error: StoreError) -> RefusedError:
    """For a store that cannot be read, with the fix."""
    return RefusedError(
        say(
            f"读不到数据：{error}。运行 schoolpulse doctor 查看办法",
            f"cannot read the data: {error}; run schoolpulse doctor",
        )
    )


def _check_school(register: Register, school: str) -> None:
    if school and school not in register.schools:
        raise RefusedError(
            say(
                f"台账里没有学校 {school}；核对 10 位学校标识码",
                f"no school {school} in the register; check the 10-digit code",
            )
        )
