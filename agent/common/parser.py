"""The parser of both programs' command lines: argparse's, with `--lang` and our words."""

from __future__ import annotations

import argparse
import sys
from typing import Any, Never

from agent.common.language import LANGS, say


class _Commands(argparse._SubParsersAction):  # type: ignore[type-arg]
    """Sub-commands whose own help begins with what the list says of them."""

    def add_parser(self, name: str, **given: Any) -> argparse.ArgumentParser:
        """As argparse's."""
        made: argparse.ArgumentParser
        made = super().add_parser(name, **{"description": given.get("help"), **given})
        return made


def plain(prog: str) -> argparse.HelpFormatter:
    """A formatter that asks nobody how wide the terminal is.

    argparse makes one for each argument that is added; the width that it looks for by itself
    brings shutil and its compressors into an agent at rest.
    """
    return argparse.HelpFormatter(prog, width=80)


class Parser(argparse.ArgumentParser):
    """A parser that takes `--lang` at every level: before the command and after it."""

    def __init__(self, **given: Any) -> None:
        """As argparse's; sub-parsers are of this class too."""
        super().__init__(**{"formatter_class": plain, **given, "add_help": False})
        self.register("action", "parsers", _Commands)
        self._positionals.title = say("参数", "arguments")
        self._optionals.title = say("选项", "options")
        text = say("显示帮助后退出", "show this help and exit")
        self.add_argument("-h", "--help", action="help", help=text)
        text = say("界面语言", "language of the output")
        self.add_argument("--lang", choices=LANGS, default=argparse.SUPPRESS, help=text)

    def format_usage(self) -> str:
        """The usage in our language."""
        self._use_our_formatter()
        return super().format_usage()

    def format_help(self) -> str:
        """The help in our language, wrapped to the terminal."""
        self._use_our_formatter()
        return super().format_help()

    def _use_our_formatter(self) -> None:
        from agent.common.help_text import Formatter

        self.formatter_class = Formatter

    def error(self, message: str) -> Never:
        """Print the usage and what is wrong to standard error; exit with 2."""
        from agent.common.help_text import translated

        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {say('错误', 'error')}: {translated(message)}\n")
