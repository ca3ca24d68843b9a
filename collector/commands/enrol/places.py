"""What the sub-commands share: where everything lies, one of them at a time, errors in words."""

from __future__ import annotations

import argparse
import re
import sqlite3
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from agent.common.command_line import FAILED, RefusedError, config_argument
from agent.common.language import say
from agent.common.lock import Lock
from agent.common.textfile import TextFileError
from collector.broker.accounts import AccountError
from collector.broker.control import ControlError
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.tables import this_user
from collector.config import DEFAULT_FILE, Config
from collector.enrol import owned
from collector.enrol.pki import PkiError
from collector.enrol.place import Place
from collector.enrol.state import State
from collector.roster.book import RegisterBook
from collector.roster.register import Register

_CODE = re.compile("[0-9]{10}", re.ASCII)


class City(NamedTuple):
    """What a sub-command works on."""

    config: Config
    place: Place
    state: State

    def register(self) -> Register:
        """The register in force. Raises BookError."""
        return RegisterBook(self.config.folder / REGISTER_FILE).load()


def place_of(config: Config | None, folder: Path, data: Path | None = None,
             ca_key: Path | None = None) -> Place:  # fmt: skip
    """Where a city's secrets are: by its settings, where there are any."""
    known = config or Config()
    keys = Path(known.lines.keys) if known.lines.keys else folder / "line-keys"
    return Place(folder, data or known.folder, keys, ca_key or folder / "ca.key")


def common(parser: argparse.ArgumentParser, action: Callable[[argparse.Namespace], int]) -> None:
    """Add `--config`, and say what runs."""
    config_argument(parser)
    parser.set_defaults(action=action)


def codes(parser: argparse.ArgumentParser, count: str) -> None:
    """Add the schools' codes: `+` one at least, `*` any number."""
    text = say("学校标识码", "school code (10 digits)")
    parser.add_argument("schools", nargs=count, metavar="CODE", type=code, help=text)


def code(text: str) -> str:
    """A school's code, for argparse."""
    if _CODE.fullmatch(text) is None:
        wrong = say(f"{text} 不是 10 位学校标识码", f"{text} is not a 10-digit school code")
        raise argparse.ArgumentTypeError(wrong)
    return text


@contextmanager
def opened(args: argparse.Namespace) -> Iterator[City]:
    """The city, for one command at a time.

    Raises:
        RefusedError: setup has not run, another command runs, or a file cannot be used.
    """
    config = load_config(args)
    place = place_of(config, Path(args.config or DEFAULT_FILE).absolute().parent)
    if not place.ca.exists():
        text = say("先运行 schoolpulse setup --name …", "run schoolpulse setup --name … first")
        raise RefusedError(f"{place.ca}: {say('没有 CA', 'there is no CA')}; {text}")
    with explained(), owned.private(), held(place), State(place.state, this_user()) as state:
        yield City(config, place, state)


@contextmanager
def held(place: Place) -> Iterator[None]:
    """One command that writes secrets at a time.

    Raises:
        HeldError: another one runs.
        OSError: the data folder cannot be written.
    """
    owned.folder(place.data, owned.Kind(place.data.stat().st_mode & 0o7777 if place.data.exists()
                                        else 0o750, owned.SERVICE))  # fmt: skip
    lock = Lock(place.data / "enrol.lock", say("注册命令", "enrolment command"))
    try:
        yield
    finally:
        lock.release()


@contextmanager
def explained() -> Iterator[None]:
    """Faults of files and broker as a refusal; what was done stays, and is finished later."""
    try:
        yield
    except (PkiError, TextFileError, AccountError) as error:
        raise RefusedError(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        again = say("改好后再运行一次即可", "put it right and run the command again")
        raise RefusedError(f"{error}; {again}") from error


def tell_who_stays(city: City) -> None:
    """HiveMQ asks for a password at the log-in alone, and has no command that ends a connection."""
    if city.config.mqtt.hivemq:
        text = say(
            "HiveMQ 几秒之内重读文件，此后拒绝用已停用的凭据登录；已经连上的不会断开，要断开请重启 "
            "HiveMQ：systemctl restart hivemq",
            "HiveMQ reads its file within seconds and refuses log-ins by ended credentials from "
            "then on; who is connected by one stays so until HiveMQ is restarted: "
            "systemctl restart hivemq",
        )
        print(text)


def broker_failed(error: ControlError) -> int:
    """Say that all is written but the broker's accounts."""
    text = say(
        "凭据已记下，消息服务器的账号还没有更新，电脑也没有得到通知；改好后再运行一次",
        "the credentials are written down, the broker's accounts are not up to date and PCs were "
        "not told; put it right and run the command again",
    )
    print(f"{error}\n{text}", file=sys.stderr)
    return FAILED


def unknown(register: Register, schools: Sequence[str]) -> list[str]:
    """Those that the register does not have."""
    return [school for school in schools if school not in register.schools]
