"""Calendars as phones and offices exchange them (RFC 5545), as rows of the sheet `calendar`. Pure.

What a school's calendar needs of it: whole days, from DTSTART to before DTEND, and what the
SUMMARY or CATEGORIES call them. What repeats by a rule is refused, as a feast's days are set anew
each year.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from agent.common.calendar import CITY_TIME
from agent.common.language import say
from collector.roster.problems import Problem, UnfitError

#: The first that is found in the event's words decides. A feast alone is a holiday only where the
#: state gives the day off: 教师节 is a school day.
_KINDS = (
    ("makeup", r"调休|补班|补课|上班|[(（\[【]班[)）\]】]|make-?\s?up|work(ing)?\s?day"),
    ("holiday", r"放假|假期|寒假|暑假|假日|节假|休息|[(（\[【][休假][)）\]】]"),
    ("holiday", r"holiday|vacation|no school|day off"),
    ("term", r"学期|\bterm\b|semester"),
    ("holiday", r"元旦|春节|除夕|清明|劳动节|端午|中秋|国庆"),
    ("holiday", r"new year|spring festival|qingming|tomb|labou?r day|dragon boat|mid-?autumn"),
    ("holiday", r"national day"),
)
_LINE = re.compile(r'([A-Za-z0-9-]+)((?:;[A-Za-z0-9-]+=(?:"[^"]*"|[^";:]*))*):(.*)', re.DOTALL)
_WHEN = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?")
_DAYS = re.compile(r"P(?:(\d{1,3})W)?(?:(\d{1,4})D)?")
_ESCAPED = re.compile(r"\\([\\,;nN])")
_DAY = dt.timedelta(days=1)
_FIRST_YEAR, _LAST_YEAR = 1900, 2100


class Line(NamedTuple):
    """A content line, unfolded: where it begins in the file, from 1."""

    number: int
    name: str
    value: str


class Event(NamedTuple):
    """Days first to last of a kind; `line` is that of its BEGIN."""

    line: int
    first: dt.date
    last: dt.date
    kind: str
    note: str


def read(file: str, text: str) -> tuple[list[Event], list[Problem]]:
    """The events, and what is wrong with those that are none of a calendar's days."""
    events: list[Event] = []
    problems: list[Problem] = []
    for line, fields in _events(file, text, problems):
        if fields.get("STATUS", Line(0, "", "")).value.upper() == "CANCELLED":
            continue
        try:
            events.append(_event(line, fields))
        except _UnfitLineError as error:
            value = error.line.value if error.line else ""
            at = error.line.number if error.line else line
            problems.append(Problem(file, error.wrong, error.fix, at, value=value))
    if not events and not problems:
        wrong = say("里没有日程（VEVENT）", "holds no event (VEVENT)")
        fix = say("从日历软件导出 .ics，或用 CSV", "export it from a calendar, or use CSV")
        problems.append(Problem(file, wrong, fix))
    return events, problems


class _UnfitLineError(UnfitError):
    def __init__(self, line: Line | None, wrong: str, fix: str) -> None:
        super().__init__(wrong, fix)
        self.line = line


def _events(
    file: str, text: str, problems: list[Problem]
) -> Iterator[tuple[int, Mapping[str, Line]]]:
    """Each event's first line and its lines by name; of what lies within it, such as alarms, none.

    An event that does not end is a file that was cut off.
    """
    begun, depth = 0, 0
    fields: dict[str, Line] = {}
    for line in _lines(text):
        word = line.value.strip().upper()
        if line.name == "BEGIN" and (begun or word == "VEVENT"):
            depth += 1
            if depth == 1:
                begun, fields = line.number, {}
        elif line.name == "END" and begun:
            depth -= 1
            if depth == 0:
                yield begun, fields
                begun = 0
        elif depth == 1:
            fields.setdefault(line.name, line)
    if begun:
        wrong = say("这个日程没有结束，文件不完整", "this event does not end: the file is cut off")
        problems.append(Problem(file, wrong, say("重新导出", "export it again"), begun))


def _lines(text: str) -> Iterator[Line]:
    """Lines with what is folded onto the next ones; those of another form are passed over."""
    begun, held = 0, ""
    for number, line in enumerate(re.split(r"\r\n|\n|\r", text), start=1):
        if line[:1] in (" ", "\t") and begun:
            held += line[1:]
            continue
        yield from _line(begun, held)
        begun, held = number, line
    yield from _line(begun, held)


def _line(number: int, text: str) -> Iterator[Line]:
    found = _LINE.fullmatch(text)
    if found:
        value = _ESCAPED.sub(lambda m: "\n" if m[1] in "nN" else m[1], found[3])
        yield Line(number, found[1].upper(), value)


def _event(line: int, fields: Mapping[str, Line]) -> Event:
    if "DTSTART" not in fields:
        wrong = say("这个日程没有 DTSTART", "this event has no DTSTART")
        raise _UnfitLineError(None, wrong, say("删去，或补上日期", "remove it, or give its day"))
    for name in ("RRULE", "RDATE"):
        if name in fields:
            wrong = say("按规则重复", "repeats by a rule")
            fix = say("每年的日子各写一条", "write the days of each year")
            raise _UnfitLineError(fields[name], wrong, fix)
    first = _moment(fields["DTSTART"]).date()
    last = _last(fields, first)
    said = fields.get("SUMMARY", Line(line, "", ""))
    return Event(line, first, last, _kind(fields, said), " ".join(said.value.split()))


def _last(fields: Mapping[str, Line], first: dt.date) -> dt.date:
    """The day before DTEND, or of DTEND where that has a time of day."""
    if "DTEND" in fields:
        end = _moment(fields["DTEND"])
        last = end.date() if end.time() != dt.time() else end.date() - _DAY
        last = max(last, first) if end.date() == first else last
    elif "DURATION" in fields:
        found = _DAYS.fullmatch(fields["DURATION"].value.strip())
        if not found or not any(found.groups()):
            wrong = say("不是整天数", "is no number of whole days")
            raise _UnfitLineError(fields["DURATION"], wrong, say("改用 DTEND", "use DTEND"))
        last = first + dt.timedelta(weeks=int(found[1] or 0), days=int(found[2] or 0)) - _DAY
    else:
        return first
    if last < first:
        wrong = say("结束早于开始", "ends before it begins")
        raise _UnfitLineError(fields.get("DTEND"), wrong, say("改正日期", "correct the days"))
    return last


def _moment(line: Line) -> dt.datetime:
    """The city's day and time; a time without a zone is the city's."""
    found = _WHEN.fullmatch(line.value.strip())
    try:
        if not found:
            raise ValueError
        made = dt.datetime(*(int(part or 0) for part in found.groups()[:6]))  # type: ignore[arg-type]
        if not _FIRST_YEAR <= made.year <= _LAST_YEAR:
            raise ValueError
        if found[7]:
            made = made.replace(tzinfo=dt.UTC).astimezone(CITY_TIME).replace(tzinfo=None)
    except (ValueError, OverflowError) as error:
        wrong = say("不是日期", "is not a date")
        fix = say("写成 20260215", "write it like 20260215")
        raise _UnfitLineError(line, wrong, fix) from error
    return made


def _kind(fields: Mapping[str, Line], said: Line) -> str:
    for line in (fields.get("CATEGORIES"), said):
        for kind, words in _KINDS if line else ():
            if line and re.search(words, line.value, re.IGNORECASE):
                return kind
    wrong = say("看不出是学期、放假还是调休", "does not say whether it is term, holiday or make-up")
    fix = say(
        "标题里写明「学期」「放假」或「调休」；不相干的日程删去",
        "name it so in its title (term, holiday, make-up); remove what is none of them",
    )
    raise _UnfitLineError(said, wrong, fix)
