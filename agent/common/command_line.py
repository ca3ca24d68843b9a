"""A command line made from a table of commands, each imported on first use.

A command is a module with `add_arguments(parser)` and `run(args) -> int`. Exit codes: 0 done,
1 the job failed or a check has findings, 2 wrong usage or settings, or refused.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.common import language as lang
from agent.common import log, output
from agent.common.language import say
from agent.common.parser import Parser, plain
from agent.common.settings import SettingsError, peek

DONE, FAILED, REFUSED = 0, 1, 2
_LANG = "SCHOOLPULSE_LANG"


class RefusedError(Exception):
    """What was asked is refused or cannot be done; the message says why, and the fix."""


class Command(NamedTuple):
    """Where a command lives, and what it does in a line."""

    module: str
    zh: str
    en: str
    unattended: bool = False  # started by the system, with nobody to read a refusal


def main(
    program: str,
    commands: Mapping[str, Command],
    argv: Sequence[str] | None = None,
    *,
    version: str = "",
    settings: Path | None = None,
) -> int:
    """Parse the arguments, run one command, and return its exit code.

    `settings` is the file that is read where no `--config` is given.
    """
    output.prepare()
    log.configure()
    words = list(sys.argv[1:] if argv is None else argv)
    _choose_language(words, settings)
    code = DONE
    try:
        named = _named(words, commands)
        parser = _parser(program, commands, named)
        text = say("显示版本后退出", "show the version and exit")
        parser.add_argument(
            "--version", action="version", version=f"{program} {version}", help=text
        )
        args = parser.parse_args(words)
        _check_language(unattended=commands[named].unattended)
        code = args.run(args)
        _flush()
    except ModuleNotFoundError as error:
        print(f"{program}: {_not_installed(error)}", file=sys.stderr)
        return REFUSED
    except (RefusedError, SettingsError) as error:
        print(f"{program}: {error}", file=sys.stderr)
        return REFUSED
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        # The reader has gone (| head): nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return code


def _flush() -> None:
    """A short text fails here, where it is handled, not at exit. A service may have no output."""
    if sys.stdout:
        sys.stdout.flush()


def config_argument(parser: argparse.ArgumentParser) -> None:
    """Add `--config`: the settings file."""
    text = say("配置文件（TOML）", "settings file (TOML)")
    parser.add_argument("--config", metavar="FILE", help=text)


def json_argument(parser: argparse._ActionsContainer) -> None:
    """Add `--json`: for programs."""
    parser.add_argument("--json", action="store_true", help=say("输出 JSON", "print JSON"))


def _not_installed(error: ModuleNotFoundError) -> str:
    """The fix for a library that an extra would have brought; our own faults stay faults."""
    if error.name is None or error.name.split(".")[0] in ("agent", "collector", "dashboards"):
        raise error
    return say(
        f"缺少 {error.name}：在源码目录运行 pip install '.[all]'，或用安装包完整安装",
        f"{error.name} is not installed: run pip install '.[all]' in the source folder, "
        "or install the full bundle",
    )


def _choose_language(words: Sequence[str], settings: Path | None) -> None:
    """Before parsing, for the help texts; so whatever is wrong is left to those who report it."""
    early = argparse.ArgumentParser(
        prog="", add_help=False, exit_on_error=False, formatter_class=plain
    )
    early.add_argument("--lang")
    early.add_argument("--config", type=Path, default=settings)
    try:
        given, _ = early.parse_known_args(words)
    except argparse.ArgumentError:
        given = argparse.Namespace(lang=None, config=settings)
    asked = given.lang, os.environ.get(_LANG), peek(given.config, "lang")
    lang.choose(*lang.decide(*asked, system=lang.system_language(os.environ)))


def _check_language(*, unattended: bool) -> None:
    """Raise SettingsError where the environment names a language that we do not speak.

    What runs unattended says so in its log and goes on: reports matter more than words.
    """
    word = os.environ.get(_LANG, "")
    if word in ("", *lang.LANGS):
        return
    text = say(
        f"{_LANG}={word}: 没有这种语言；请设为 zh 或 en，或取消这个变量",
        f"{_LANG}={word}: no such language; set it to zh or en, or unset it",
    )
    if not unattended:
        raise SettingsError(text)
    log.warning("language_unknown", reason=text)
    del os.environ[_LANG]  # the settings would refuse it


def _named(words: Sequence[str], commands: Mapping[str, Command]) -> str:
    return next((word for word in words if word in commands), "")


def _parser(program: str, commands: Mapping[str, Command], named: str) -> Parser:
    parser = Parser(prog=program)
    # With no `prog` argparse would format one, and import shutil and its compressors for it.
    choices = parser.add_subparsers(required=True, metavar=say("命令", "COMMAND"), prog=program)
    for name, command in commands.items():
        text = say(command.zh, command.en)
        sub = choices.add_parser(name, help=text)
        if name == named:  # the others' modules are not worth their import
            module = importlib.import_module(command.module)
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser
