"""`schoolpulse backup`: all of the city in one file, made while it runs; or such a file checked."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent.common import settings
from agent.common.command_line import DONE, FAILED, RefusedError, config_argument
from agent.common.language import counted, say
from collector.commands import passphrase
from collector.commands.config_file import load_config
from collector.commands.dashboards import token_of
from collector.commands.progress import Bar
from collector.config import DEFAULT_FILE
from collector.store.base import StoreError

if TYPE_CHECKING:
    from collector.grafana.client import Grafana


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    text = say("备份写成的文件", "the backup file")
    parser.add_argument("file", metavar="FILE", type=Path, help=text)
    text = say("只核对这个备份文件", "only check this backup file")
    parser.add_argument("--verify", action="store_true", help=text)
    passphrase.passphrase_argument(parser)
    text = say("不含密码、密钥、CA 私钥", "leave passwords, keys and the CA's key out")
    parser.add_argument("--without-secrets", action="store_true", help=text)
    text = say(
        "另外备份的文件夹，如 /etc/mosquitto、/var/lib/mosquitto（可多次写；加密）",
        "a further folder, such as /etc/mosquitto or /var/lib/mosquitto (repeatable; encrypted)",
    )
    parser.add_argument("--also", metavar="DIR", type=Path, action="append", default=[], help=text)
    grafana_arguments(parser)
    config_argument(parser)


def grafana_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose boards, as `grafana` and `token`."""
    text = say("连同这个 Grafana 的看板", "also the boards of this Grafana")
    parser.add_argument("--grafana", metavar="http://…:3000", help=text)
    text = say("它的服务账号令牌", "token of a Grafana service account")
    parser.add_argument("--token", help=text)


def run(args: argparse.Namespace) -> int:
    """Make it, or check it: 1 where the file is damaged or the store failed."""
    with refusals():
        return _verify(args) if args.verify else _make(args)


def _make(args: argparse.Namespace) -> int:
    from collector.backup.making import make
    from collector.backup.sealing import Sealer
    from collector.backup.sources import City

    config = load_config(args)
    file = Path(args.config) if args.config else settings.present(DEFAULT_FILE.name, DEFAULT_FILE)
    lacking = [str(path) for path in args.also if not path.is_dir()]
    if lacking:
        text = say("没有这个文件夹", "no such folder")
        raise RefusedError(f"--also {', '.join(lacking)}: {text}")
    sealer = None if args.without_secrets else Sealer(passphrase.chosen(args.passphrase_file))
    city = City(config, file, tuple(args.also))
    with Bar() as shown:
        made = make(city, args.file, sealer, shown, grafana_of(args))
    size, count = args.file.stat().st_size, sum(made.rows.values())
    print(
        say(
            f"{args.file}: {len(made.parts)} 项，数据库 {count} 行，{_size(size)}",
            f"{args.file}: {counted(len(made.parts), 'part')}, {counted(count, 'row')} of the "
            f"store, {_size(size)}",
        )
    )
    for name in made.left_out:
        print(say(f"  未含：{name}", f"  left out: {name}"))
    return DONE


def _verify(args: argparse.Namespace) -> int:
    from collector.backup.container import Reader

    with closing(Reader(args.file)) as reader:
        if args.passphrase_file and reader.manifest.key:
            reader.unlock(passphrase.known(args.passphrase_file))
        return told_faults(reader.faults(), args.file)


def told_faults(faults: Iterator[str], file: Path) -> int:
    """Print each; 1 where there is one."""
    found = list(faults)
    for fault in found:
        print(f"✗ {fault}")
    if found:
        print(say(f"{file}: 不完整，用另一份", f"{file}: is not whole, take another one"))
        return FAILED
    print(say(f"{file}: 完整", f"{file}: whole"))
    return DONE


@contextmanager
def refusals() -> Iterator[None]:
    """What goes wrong, as a refusal that says that nothing is half done."""
    try:
        yield
    except StoreError as error:
        text = say("数据库出错，再运行一次", "the store failed, run it again")
        raise RefusedError(f"{text}: {error}") from error
    except PermissionError as error:
        fix = say("没有权限；以 root 运行", "no permission; run it as root")
        raise RefusedError(f"{error.filename}: {fix}") from error
    except OSError as error:
        raise RefusedError(f"{error.filename or ''}: {error.strerror or error}") from error


def grafana_of(args: argparse.Namespace) -> Grafana | None:
    """The Grafana of `--grafana`, None without. Raises RefusedError, which names the fix."""
    if not args.grafana:
        return None
    from collector.grafana.client import Grafana  # requests: only where it is wanted

    grafana = Grafana(args.grafana, token_of(args))
    grafana.check()
    return grafana


def _size(size: int) -> str:
    return f"{size / 2**20:.1f} MB"
