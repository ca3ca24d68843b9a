"""A command line made from a table of commands, each imported on first use.

A command is a module with `add_arguments(parser)` and `run(args) -> int`. Exit codes: 0 done,
1 the job failed or a check has findings, 2 wrong usage or settings, or refused.
"""

from __future__ import annotations

import argparse
import importlib
import io
import itertools
import os
import sys
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from agent.common import language as lang
from agent.common import log
from agent.common.settings import SettingsError

DONE, FAILED, REFUSED = 0, 1, 2


class RefusedError(Exception):
    """What was asked is refused or cannot be; the message says why, and the mend."""


class Command(NamedTuple):
    """Where a command lives, and what it does in a line."""

    module: str
    zh: str
    en: str


def main(
    program: str,
    commands: Mapping[str, Command],
    argv: Sequence[str] | None = None,
    *,
    version: str = "",
) -> int:
    """Parse the arguments, run one command, and return its exit code."""
    _speak_unicode()
    log.configure()
    words = list(sys.argv[1:] if argv is None else argv)
    lang.choose(_language(words))
    try:
        parser = _parser(program, commands, _named(words, commands))
        parser.add_argument("--version", action="version", version=f"{program} {version}")
        args = parser.parse_args(words)
        lang.choose(args.lang)
        code: int = args.run(args)
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
        return DONE
    return code


def _speak_unicode() -> None:
    """A pipe on Windows would take the code page of the PC, which may lack every word of ours."""
    for stream in (sys.stdout, sys.stderr):
        if sys.platform == "win32" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(encoding="utf-8")


def _not_installed(error: ModuleNotFoundError) -> str:
    """The mend for a library that an extra would have brought; our own faults stay faults."""
    if error.name is None or error.name.split(".")[0] in ("agent", "collector", "dashboards"):
        raise error
    return lang.say(
        f"缺少 {error.name}：请运行 pip install 'schoolpulse[all]'",
        f"{error.name} is not installed: run pip install 'schoolpulse[all]'",
    )


def _language(words: Sequence[str]) -> lang.Lang:
    """The language is needed before parsing, for the help texts."""
    english = "--lang=en" in words or ("--lang", "en") in itertools.pairwise(words)
    return "en" if english or os.environ.get("SCHOOLPULSE_LANG") == "en" else "zh"


def _named(words: Sequence[str], commands: Mapping[str, Command]) -> str:
    return next((word for word in words if word in commands), "")


def _parser(program: str, commands: Mapping[str, Command], named: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=program)
    text = lang.say("语言", "language")
    parser.add_argument("--lang", choices=("zh", "en"), default=lang.chosen(), help=text)
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--lang", choices=("zh", "en"), default=argparse.SUPPRESS, help=text)
    # With no `prog` argparse would format one, and import shutil and its compressors for it.
    choices = parser.add_subparsers(
        required=True, metavar=lang.say("命令", "COMMAND"), prog=program
    )
    for name, command in commands.items():
        text = lang.say(command.zh, command.en)
        sub = choices.add_parser(name, help=text, description=text, parents=[common])
        if name == named:  # the others' modules are not worth their import
            module = importlib.import_module(command.module)
            module.add_arguments(sub)
            sub.set_defaults(run=module.run)
    return parser
