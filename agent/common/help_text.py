"""Help that argparse prints: in our language, and wrapped by the columns that Chinese takes.

Loaded by `agent.common.parser` when help or an error is printed: a resident agent prints none.
"""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterable
from typing import Any

from agent.common.language import say
from agent.common.tables import width

#: A word, or one Chinese character; a bracket or a comma stays with what it belongs to.
_PIECE = re.compile("[（「]*(?:[^\\s\u2e80-\uffef]+|[\u2e80-\uffef])[，。；：、）」]*")


#: argparse's own sentences, in Chinese.
_CHINESE = (
    (r"argument (.+?): ", r"参数 \1："),
    (r"the following arguments are required: ", "缺少参数："),
    (r"unrecognized arguments: ", "没有这样的参数："),
    (r"invalid choice: (.+?) \(choose from (.+)\)", r"不能是 \1，可选 \2"),
    (r"invalid \w+ value: ", "写得不对："),
    (r"expected one argument", "后面缺一个值"),
    (r"expected at least one argument", "后面至少要有一个值"),
    (r"not allowed with argument (.+)", r"不能与 \1 同时使用"),
)


def translated(message: str) -> str:
    chinese = message
    for english, instead in _CHINESE:
        chinese = re.sub(english, instead, chinese, count=1)
    return say(chinese, message)


class Formatter(argparse.HelpFormatter):
    """argparse wraps by characters, but a Chinese one takes two columns."""

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[Any],
        prefix: str | None = None,
    ) -> None:
        """The usage with our word before it."""
        ours = say("用法: ", "usage: ") if prefix is None else prefix
        super().add_usage(usage, actions, groups, ours)

    def add_argument(self, action: argparse.Action) -> None:
        """Leaves room for the longest command: argparse forgets that they are indented."""
        super().add_argument(action)
        if action.nargs == argparse.PARSER and action.choices:
            longest = max(map(len, action.choices))
            needed = longest + self._current_indent + self._indent_increment
            self._action_max_length = max(self._action_max_length, needed)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrapped(text, width - len(indent)))


def wrapped(text: str, columns: int) -> list[str]:
    """The text in lines of at most `columns`; a word that is longer stays whole."""
    lines = [""]
    for piece in _PIECE.finditer(text):
        spaced = lines[-1] and text[piece.start() - 1].isspace()
        longer = f"{lines[-1]}{' ' if spaced else ''}{piece[0]}"
        if lines[-1] and width(longer) > columns:
            lines.append(piece[0])
        else:
            lines[-1] = longer
    return lines
