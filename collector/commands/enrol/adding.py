"""`schoolpulse enrol --all | CODE…`: a credential and a bundle for each school."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from agent.common.command_line import DONE, RefusedError
from agent.common.language import counted, say
from collector.broker.control import ControlError
from collector.commands.enrol.places import City, broker_failed, codes, common, opened, unknown
from collector.commands.progress import Bar
from collector.enrol import outputs
from collector.enrol.state import Held
from collector.roster.register import Register


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "注册学校：凭据、密钥和安装包（add 可省略）",
        "enrol schools: credential, keys and bundle (the word add may be left out)",
    )
    parser = actions.add_parser("add", help=text)
    codes(parser, "*")
    text = say("台账里的所有学校，已停用的除外", "every school, but for those revoked")
    parser.add_argument("--all", action="store_true", help=text)
    text = say("安装包放进这个文件夹（默认 数据文件夹/bundles）",
               "folder of the bundles (default: bundles in the data folder)")  # fmt: skip
    parser.add_argument("--out", type=Path, metavar="DIR", help=text)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    with opened(args) as city:
        register = city.register()
        revoked = set(city.state.revoked()) if args.all else set()
        wanted = [code for code in _wanted(args, register) if code not in revoked]
        taken = outputs.found_line_keys(city.place, wanted)
        new = city.state.add(wanted, taken)
        held = city.state.held()
        gone = unknown(register, list(held))
        try:
            with Bar(say("密钥与账号", "keys and accounts"), len(held)) as bar:
                done = outputs.bring(city.place, city.config, city.state, bar.done)
        except ControlError as error:
            _bundles(args, city, register, [held[code] for code in wanted])
            return broker_failed(error)
        written = _bundles(args, city, register, [held[code] for code in wanted])
        if new or written or done.files or done.accounts:
            print(_said(len(new), written, done))
        else:
            print(say("都已注册，没有要做的", "nothing to do"))
        _tell_revoked([code for code in register.schools if code in revoked])
        _tell_gone(gone)
    return DONE


def _wanted(args: argparse.Namespace, register: Register) -> list[str]:
    if bool(args.schools) == args.all:
        raise RefusedError(say("写学校标识码，或 --all", "name schools, or say --all"))
    if args.all:
        return list(register.schools)
    if missing := unknown(register, args.schools):
        text = say("台账中没有学校", "no such school in the register:")
        fix = say("先导入台账", "import the register first")
        raise RefusedError(f"{text} {' '.join(missing)}; {fix}")
    return list(dict.fromkeys(args.schools))


def _bundles(args: argparse.Namespace, city: City, register: Register, held: Sequence[Held]) -> int:
    out = args.out or city.place.data / "bundles"
    with Bar(say("安装包", "bundles"), len(held)) as bar:
        return outputs.bundles(city.place, city.config, register, held, out, bar.done)


def _said(new: int, written: int, done: outputs.Outcome) -> str:
    where = {
        "running": say("消息服务器已更新", "the broker is up to date"),
        "stopped": say(
            "消息服务器没有运行，启动后生效", "the broker does not run: in force once it starts"
        ),
        "file": say("HiveMQ 会自己重读文件", "HiveMQ reads its file again by itself"),
    }[done.broker]
    return say(
        f"新注册 {new} 所学校，写出 {written} 个安装包；账号改变 {done.accounts} 处，{where}",
        f"{counted(new, 'school')} enrolled, {counted(written, 'bundle')} written; "
        f"{counted(done.accounts, 'account change')}, "
        f"{where}",
    )


def _tell_revoked(left_out: Sequence[str]) -> None:
    """Who was put out comes back by name alone: `--all` is routine, and decides nothing."""
    if left_out:
        text = say(
            f"{len(left_out)} 所学校已停用，--all 不再注册它们；要重新注册：",
            f"{len(left_out)} revoked, and not enrolled again by --all; to enrol again:",
        )
        print(f"{text}\n  schoolpulse enrol {' '.join(left_out)}", file=sys.stderr)


def _tell_gone(gone: Sequence[str]) -> None:
    """A school that left the register keeps its credential until somebody decides."""
    if gone:
        text = say(
            f"{len(gone)} 所学校已不在台账，凭据仍有效；要停用：",
            f"{len(gone)} schools have left the register but can still log in; to end that:",
        )
        listed = " ".join(gone)
        print(f"{text}\n  schoolpulse enrol revoke {listed} --why …", file=sys.stderr)
