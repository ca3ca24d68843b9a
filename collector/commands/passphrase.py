"""The passphrase of a backup: from a file, or typed where somebody sits at a terminal."""

from __future__ import annotations

import argparse
import getpass
import sys
from pathlib import Path

from agent.common import textfile
from agent.common.command_line import RefusedError
from agent.common.language import say

_SHORTEST = 12


def passphrase_argument(parser: argparse.ArgumentParser) -> None:
    """Where it is read from, as `passphrase_file`."""
    text = say("口令所在的文件（否则询问）", "file with the passphrase (else it is asked for)")
    parser.add_argument("--passphrase-file", metavar="FILE", type=Path, help=text)


def chosen(file: Path | None) -> str:
    """A passphrase for a new backup, typed twice.

    Raises:
        RefusedError: it is too short, the two differ, or nobody can be asked.
    """
    found = _read(file) if file else _typed()
    if len(found) < _SHORTEST:
        text = f"至少 {_SHORTEST} 个字符", f"at least {_SHORTEST} characters are needed"
        raise RefusedError(say("口令太短：", "the passphrase is too short: ") + say(*text))
    if not file and found != getpass.getpass(say("再输入一次：", "once more: ")):
        raise RefusedError(say("两次不一样，没有备份", "the two differ, nothing was saved"))
    return found


def known(file: Path | None) -> str:
    """The passphrase of a backup that is there. Raises RefusedError: nobody can be asked."""
    return _read(file) if file else _typed()


def _typed() -> str:
    if not sys.stdin.isatty():
        raise RefusedError(
            say(
                "没有终端可输入口令：加 --passphrase-file 文件，或 --without-secrets",
                "nobody to type the passphrase: add --passphrase-file FILE, or --without-secrets",
            )
        )
    return getpass.getpass(say("备份的口令：", "passphrase of the backup: "))


def _read(file: Path) -> str:
    try:
        return textfile.secret(file)
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    except textfile.TextFileError as error:
        raise RefusedError(f"{file} {error}") from error
