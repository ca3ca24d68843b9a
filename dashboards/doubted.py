"""Signs of doubt: schools whose reports somebody could have made up. They change no verdict."""

from __future__ import annotations

from agent.common.vocabulary.doubts import SHORT, SIGNS
from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql, tables
from dashboards.influxql import Where
from dashboards.panels import Json, Query, head
from dashboards.tables import DISTRICT, SCHOOL, Column

TITLE = Words("依据的疑点", "Signs of doubt")
#: Sign -> the field of a school's day.
_FIELDS = {name: "ids_late" if name == "late" else name for name in SHORT}


def signs(lang: Lang, here: Where) -> Json:
    """The schools of `here` with any sign in 45 days: the most of one day each."""
    about = Words(
        f"最近 45 天里一天最多的机器号数：{'；'.join(SIGNS[name].zh for name in SHORT)}。"
        "不改变任何结论；去学校看一看，用 schoolpulse inspect 记下。",
        f"Machine ids, the most of one day in 45: {'; '.join(SIGNS[name].en for name in SHORT)}. "
        "They change no verdict: visit the school and record it by schoolpulse inspect.",
    )
    empty = Words(
        "45 天里机器号没有疑点；测试和设备的疑点见报告",
        "no sign in machine ids in 45 days; those of tests and devices: see the report",
    )
    said = head(lang, TITLE, about, empty)
    shown = {name: name for name in _FIELDS.values()}
    by = ("school", "district")
    inner = influxql.each("school_day", "max", shown, here, by, influxql.MONTH)
    any_of = " OR ".join(f'"{name}" > 0' for name in shown)
    text = influxql.over(", ".join(f'"{name}"' for name in shown), inner, any_of, by)
    counts = [Column(field, SHORT[name], "count", 120) for name, field in _FIELDS.items()]
    query, worst_first = Query("school_day", text), ("ids_beyond", True)
    return tables.listing(said, query, [SCHOOL, DISTRICT, *counts], lang, worst_first)
