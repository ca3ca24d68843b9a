"""The form's labels and headings, in both languages, and those that are read too. Pure."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from agent.common.language import say


@dataclass(frozen=True, slots=True)
class Place:
    """A label with a cell beside it, or a heading with cells below."""

    name: str
    zh: str
    en: str
    also: tuple[str, ...] = ()
    width: int = 0  # of the column, in characters

    @property
    def title(self) -> str:
        """What is written, in the user's language."""
        return say(self.zh, self.en)

    @property
    def known(self) -> frozenset[str]:
        """What is read, folded."""
        return frozenset(map(folded, (self.zh, self.en, *self.also)))


SCHOOL = Place("school", "学校标识码", "School code", ("学校代码", "标识码", "学校编码", "code"))
NAME = Place("name", "学校", "School", ("学校名称",))
NUMBER = Place("number", "表号", "Form", ("表单号", "form number"))
DATE = Place("date", "核查日期", "Date on site", ("日期", "date"))
INSPECTOR = Place("inspector", "核查人", "Inspector", ("检查人", "核查人员", "who"))
#: Those that are read; the school's name is for people.
LABELS = (SCHOOL, NUMBER, DATE, INSPECTOR)

INDICATOR = Place("indicator", "指标", "Indicator", ("核查指标",), 17)
CLASS = Place("class", "班级", "Class", ("班级名称", "班级名"), 12)
ROOM = Place("room", "教室", "Room", ("教室编号",), 11)
SAYS = Place("says", "台账记载", "Register says", ("台账",), 32)
FOUND = Place(
    "found", "现场是否符合", "Found on site", ("是否符合", "符合", "核查结果", "结果", "found"), 13
)
NOTE = Place("note", "备注", "Note", ("说明", "所见"), 20)
HEADINGS = (INDICATOR, CLASS, ROOM, SAYS, FOUND, NOTE)
#: Without these a row says nothing.
NEEDED = (INDICATOR, CLASS, FOUND)

_DIRT = re.compile(r"\(.*?\)|\[.*?\]|[\s*_:\-/]")


def folded(text: str) -> str:
    """A label in comparable form: without blanks, brackets, colon and case."""
    shown = unicodedata.normalize("NFKC", text).casefold()
    return _DIRT.sub("", shown) or shown.strip()


def folded_name(text: str) -> str:
    """A class's name in comparable form: 一(1)班 as 一（1）班."""
    return re.sub(r"[\s()\[\]第号]", "", unicodedata.normalize("NFKC", text).casefold())
