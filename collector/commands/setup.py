"""`schoolpulse setup`: the city's CA, the broker's files, and a credential for each service."""

from __future__ import annotations

import argparse
import datetime as dt
import sqlite3
import sys
from pathlib import Path

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from agent.common.textfile import TextFileError
from collector import config
from collector.broker.accounts import AccountError
from collector.commands.enrol.places import held, place_of
from collector.commands.tables import this_user
from collector.config import DEFAULT_FILE
from collector.enrol import compose, machine, owned, setting_up
from collector.enrol.pki import PkiError
from collector.enrol.place import Place
from collector.enrol.setting_up import Step, Wish
from collector.enrol.settings_file import City
from collector.enrol.state import State
from collector.release import key as release


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Names, folders, the city, and whether to write at all."""
    add = parser.add_argument
    text = say(
        "学校用来连接消息服务器的主机名（第一次运行必填）",
        "host name under which the schools reach the broker (needed the first time)",
    )
    add("--name", default="", metavar="HOST", help=text)
    text = say("证书里的其它主机名或 IP，可写多个", "further names or addresses of the certificate")
    add("--alt", action="extend", nargs="+", default=[], metavar="HOST|IP", help=text)
    text = say("设置与密钥的文件夹", "folder of settings and secrets")
    default = str(DEFAULT_FILE.parent)
    add(
        "--folder",
        type=Path,
        default=DEFAULT_FILE.parent,
        metavar="DIR",
        help=f"{text} ({default})",
    )
    text = say("数据文件夹，只在写新设置时用", "data folder, where new settings are written")
    add("--data", type=Path, metavar="DIR", help=text)
    _keys(parser)
    text = say(
        "systemd 单元的文件夹（有 systemd 时默认 {})",
        "folder of systemd's units (default, where systemd runs: {})",
    )
    add("--units", type=Path, metavar="DIR", help=text.format(machine.SYSTEMD))
    text = say(
        "容器：把本市的值写进这个文件夹（源码的 deploy）",
        "containers: write the city's values into this folder (deploy of a clone)",
    )
    add("--compose", type=Path, metavar="DIR", help=text)
    _city(parser)
    text = say("只说要写什么，不写", "say what would be written, and write nothing")
    add("--dry-run", action="store_true", help=text)


def _keys(parser: argparse.ArgumentParser) -> None:
    """Keys that may live elsewhere, such as on a stick in a safe."""
    add = parser.add_argument
    text = say("CA 密钥的位置，可在移动介质上", "where the CA's key is, such as on a stick")
    add("--ca-key", type=Path, metavar="FILE", help=text)
    text = say(
        f"发布密钥的位置，可在移动介质上（默认数据文件夹里的 {release.FILE}）",
        "where the key that signs new versions is, such as on a stick (default: "
        f"{release.FILE} in the data folder)",
    )
    add("--release-key", type=Path, metavar="FILE", help=text)


def _city(parser: argparse.ArgumentParser) -> None:
    """Values of new settings; those that are there are never changed."""
    add = parser.add_argument
    blank = config.City()
    text = say(f"市的区划代码（默认 {blank.code}）", f"code of the city (default: {blank.code})")
    add("--city-code", default=blank.code, metavar="CODE", help=text)
    text = say(f"市的名称（默认 {blank.name}）", f"name of the city (default: {blank.name})")
    add("--city-name", default=blank.name, metavar="NAME", help=text)
    text = say("数据库（默认 sqlite）", "store (default: sqlite)")
    add("--store", choices=("sqlite", "influxdb"), default="sqlite", help=text)
    text = say("消息服务器的端口（默认 8883）", "port of the broker (default: 8883)")
    add("--port", type=int, default=8883, metavar="PORT", help=text)


def run(args: argparse.Namespace) -> int:
    """Write what is missing. 0: done, or nothing to do; 1: a file cannot be written."""
    args.folder = args.folder.absolute()
    settings = args.folder / DEFAULT_FILE.name
    known = config.load(str(settings))[0] if settings.exists() else None
    args.known = known
    if args.compose:
        args.compose = args.compose.absolute()
        compose.check(args.compose, known.store.kind if known else args.store)
    else:
        args.units = args.units or machine.default_units(args.folder)
    place = place_of(known, args.folder, args.data, args.ca_key)
    try:
        left = _left(args, place)
        print("\n".join(f"{step.path}: {step.text}" for step in left) or _nothing())
        if not args.dry_run and left:
            _write(args, place)
        elif left:
            print(say("没有写任何文件", "nothing was written"))
        for note in setting_up.notes(place, known.mqtt) if known else ():
            print(note, file=sys.stderr)
        _say_next(args, place, known.store.kind if known else args.store)
    except (PkiError, AccountError, TextFileError) as error:
        raise RefusedError(str(error)) from error
    except (OSError, sqlite3.Error) as error:
        problem = say("写不了", "cannot be written")
        print(
            f"{getattr(error, 'filename', None) or place.folder}: {problem}: {error}",
            file=sys.stderr,
        )
        return FAILED
    return DONE


def _left(args: argparse.Namespace, place: Place) -> list[Step]:
    names = setting_up.names(place, args.name, args.alt)
    if not args.name and not place.server.exists():
        text = say(
            "第一次要写 --name：学校连接的主机名",
            "the first time it needs --name: the host name that the schools connect to",
        )
        raise RefusedError(text)
    store = args.known.store.kind if args.known else args.store
    url = (args.known or config.Config()).store.url
    city = City(args.city_code, args.city_name, store, args.port)
    wish = Wish(names, city, args.release_key or place.data / release.FILE)
    port = args.known.mqtt.port if args.known else args.port
    return [
        *_accounts(args, place),
        *setting_up.steps(place, wish, dt.datetime.now(dt.UTC), this_user()),
        *(compose.steps(args.compose, place, port) if args.compose else ()),
        *machine.steps(args.units, place, store, url),
    ]


def _accounts(args: argparse.Namespace, place: Place) -> list[Step]:
    return list(compose.accounts(place) if args.compose else machine.accounts(args.units))


def _write(args: argparse.Namespace, place: Place) -> None:
    """What is left is asked again under the lock: another run may have done some of it.

    Accounts come before the lock: it lies in the services' folder, and is theirs.
    """
    users = _accounts(args, place)
    for step in users:
        step.do()
    with owned.private(), held(place):
        left = _left(args, place)
        for step in left:
            step.do()
        with State(place.state, this_user()) as state:
            state.note("setup", " ".join(str(step.path) for step in (*users, *left)))
    written = len(users) + len(left)
    print(say(f"已写 {written} 项", f"{written} written"))


def _say_next(args: argparse.Namespace, place: Place, store: str) -> None:
    """What is installed here, and the commands that remain."""
    own_units = args.units == machine.SYSTEMD
    if not args.compose:
        host = (args.known.mqtt.host if args.known else args.name) if own_units else ""
        print(say("本机：", "This machine:"), *machine.missing(store, host), sep="\n  ")
    own = "" if place.folder == DEFAULT_FILE.parent else f" --config {place.config}"
    first = [f"schoolpulse roster import register.xlsx{own}", f"schoolpulse enrol --all{own}"]
    begin = say("接下来，按顺序：", "Next, in this order:")
    if args.compose:
        last = compose.start(args.compose)
    else:
        others = machine.beside(args.known or config.Config(), store)
        last = machine.start(args.units, place, others)
    print(begin, *first, *last, sep="\n  ")


def _nothing() -> str:
    return say("都已就绪，没有要做的", "nothing to do")
