"""Kinds of equipment as schools write them: 86寸触摸一体机, 智慧黑板（不含电脑）. Pure."""

from __future__ import annotations

import difflib
import re

from agent.common.language import say
from collector.roster.problems import UnfitError
from collector.roster.sheets import words
from collector.roster.sheets.texts import plain

_WITHOUT_PC = re.compile(
    r"(?:无|不含|不带|没有|未含|未配|不配|无内置|不内置)(?:内置)?(?:的)?"
    r"(?:电脑|计算机|主机|pc|ops)|withoutapc|nopc|withoutpc"
)
_WITH_PC = re.compile(
    r"(?:含|带|有|内置|自带|配|[+＋])(?:内置)?(?:电脑|计算机|主机|pc|ops)|withapc|withpc|ops"
)
_BRACKETS = re.compile(r"\(.*?\)|\[.*?\]|【.*?】")
_SIZE = re.compile(r"\d+(?:\.\d+)?(?:英寸|寸|吋|inch|\"|台|套|个|k)|[+＋].*$")
_PANELS = frozenset({"panel", "panel_without_pc"})


class UncountedError(UnfitError):
    """Equipment of a kind that no indicator counts: the row is skipped and named."""


def parse_kind(text: str) -> str:
    """The code of a kind.

    Raises:
        UncountedError: none that is counted.
        UnfitError: nearly one that is.
    """
    whole = re.sub(r"\s", "", plain(text).casefold())
    code, name = words.KINDS.get(whole), whole
    if code is None:
        name = _SIZE.sub("", _WITHOUT_PC.sub("", _BRACKETS.sub("", whole)))
        name = re.sub(r"[-_,，、/:：]+$", "", _WITH_PC.sub("", name) or name)
        code = words.KINDS.get(name) or _by_end(name)
    if code in _PANELS:
        return "panel_without_pc" if _WITHOUT_PC.search(whole) else code
    if code:
        return code
    near = difflib.get_close_matches(name, [w for w in words.KINDS if len(w) == len(name)], 1)
    if near and name not in words.UNCOUNTED:
        raise UnfitError(
            say("不认识这个词", "is not a known word"),
            say(f"是不是「{near[0]}」？可填：", f"did you mean {near[0]!r}? one of: ") + known(),
        )
    raise UncountedError(
        say("不是统计的种类，这一行跳过", "is no kind that counts; the row is skipped"),
        say(f"若该统计，写成：{known()}", f"if it should count, write one of: {known()}"),
    )


def says_pc(text: str) -> bool:
    """Whether a panel's words say that it has a PC inside, or has none."""
    bare = re.sub(r"\s", "", plain(text).casefold())
    return bool(_WITHOUT_PC.search(bare) or _WITH_PC.search(bare))


def known() -> str:
    """The kinds that count, in the user's language."""
    kept = dict.fromkeys(words.KINDS.values())
    return say("、".join(words.KINDS_ZH[code] for code in kept), ", ".join(kept))


def _by_end(name: str) -> str:
    """希沃交互智能平板 ends in 交互智能平板; 电脑桌 in 电脑桌, which is not counted."""
    for at in range(len(name) - 1):
        if name[at:] in words.UNCOUNTED:
            return ""
        if name[at:] in words.KINDS:
            return words.KINDS[name[at:]]
    return ""
