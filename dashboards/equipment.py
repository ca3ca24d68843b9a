"""多媒体设备: what is at fault, what is missing, which rooms are affected, longest first."""

from __future__ import annotations

from agent.common.vocabulary.devices import KINDS
from agent.common.vocabulary.states import EVENTS, PRESENCES, WORKING
from agent.common.vocabulary.words import Lang, Words
from dashboards import headlines, influxql, panels, tables, thresholds, variables
from dashboards.board import Options, Row, board
from dashboards.edition import Edition
from dashboards.influxql import Beyond, Test, Where
from dashboards.panels import Json, Query, head
from dashboards.tables import DISTRICT, ROOM, SCHOOL, Column
from dashboards.words import ABSENT, NOTHING

_HERE: Where = {"district": variables.DISTRICT}
_SILENT = Words(
    "最近一周没有教室上报：采集服务在运行吗（schoolpulse doctor）？是假期吗？",
    "no room reported this week: does the collector run (schoolpulse doctor), is it a holiday?",
)
#: Below 4, Grafana marks half devices and writes the no-data text beside them.
_BARS = {"drawStyle": "bars", "fillOpacity": 70, "axisSoftMax": 4}
_SEVEN_DAYS = "time > now() - 7d"
_FAULT, _MISSING = WORKING["fault"], PRESENCES["missing"]
_WHERE = [SCHOOL, DISTRICT, ROOM, Column("kind", Words("种类", "kind"), "kind", 110)]


def build(edition: Edition) -> Json:
    """The board of one edition."""
    lang = edition.lang
    rows = [
        Row(Words("现在", "Now"), 4, _now(lang)),
        Row(Words("还没修好的故障", "Faults open"), 11, [(24, _faults(lang))]),
        Row(Words("不见了的设备", "Missing"), 10, [(24, _missing(lang))]),
        Row(Words("教室", "Rooms"), 8, [(10, _rooms(lang)), (14, _daily(lang))]),
        Row(Words("计算机教室与未绑定的电脑", "Computer rooms, and PCs not bound"), 10,
            [(12, _short_rooms(lang)), (12, _unbound(lang))]),
    ]  # fmt: skip
    rows.insert(3, Row(Words("要换的灯泡", "Lamps"), 8, [(24, _lamps(lang))]))
    chosen = [*variables.sources(lang), variables.district(lang)]
    description = Words(
        "全市或一个区县的多媒体设备：久的在上。关机的电脑不算故障，待机的投影机不算不见。",
        "The equipment of the city or a district, the longest first. A PC that is off is no "
        "fault, a projector in standby is not missing.",
    )
    title = Words("多媒体设备", "Equipment")
    return board("schoolpulse-equipment", title, description, rows, lang, Options(chosen))


def open_events(began: str, ended: str, time: str = influxql.YEAR, here: Where = _HERE) -> str:
    """The devices whose newest `began` or `ended` is `began`; time is when it began."""
    columns = ["detail", "school", "district", "room", "kind", "device"]
    either = (began, ended)
    inner = influxql.newest("event", "event", columns[:-1], either, ("device",), here, time)
    shown = ", ".join(f'"{name}"' for name in columns)
    return influxql.over(f'"event", {shown}', inner, f"\"event\" = '{began}'")


def _now(lang: Lang) -> list[tuple[int, Json]]:
    recent = Words("其中一周内的", "Of these, this week's")
    shown = (
        (Words(f"还没修好的{_FAULT.zh}", "Faults open"), ("fault", "repaired"), influxql.YEAR),
        (recent, ("fault", "repaired"), _SEVEN_DAYS),
        (Words(f"{_MISSING.zh}了的设备", "Devices missing"), ("gone", "appeared"), influxql.YEAR),
        (recent, ("gone", "appeared"), _SEVEN_DAYS),
    )
    return [(6, _number(title, open_events(*events, time), lang)) for title, events, time in shown]


def _number(title: Words, inner: str, lang: Lang) -> Json:
    about = Words(
        f"设备数。{_FAULT.zh}：设备自己说的；{_MISSING.zh}：电脑开着而看不到它，并且持续了几分钟以上。",
        f"Devices. A {_FAULT.en} is what the device says; {_MISSING.en} is what its PC, being on, "
        "has not seen for some minutes.",
    )
    said = head(lang, title, about, ABSENT)
    return headlines.how_many(said, "event", "event", inner, headlines.days_judged())


def _faults(lang: Lang) -> Json:
    about = Words(
        "还没修好的故障，最久的在上；说明是设备自己报告的。点学校看它的教室。修好后自己消失。",
        "Faults not yet repaired, the longest first, as the device reports them. A click on the "
        "school shows its rooms. A repaired one leaves by itself.",
    )
    said = head(lang, Words("还没修好的故障", "Faults open"), about, NOTHING)
    since = Column("Time", Words("从何时起", "since"), "since", 145)
    columns = [since, *_WHERE, Column("detail", Words("说明", "detail"), "fault")]
    query = Query("event", open_events("fault", "repaired"))
    made = tables.listing(said, query, columns, lang, ("Time", False))
    return tables.hide(made, "event", "device")


def _missing(lang: Lang) -> Json:
    about = Words(
        "电脑开着却看不到的设备，最久的在上。先看线和电源；真的搬走了，改台账。",
        "What a PC that is on does not see, the longest first. Cable and power first; if it was "
        "moved, correct the register.",
    )
    said = head(lang, Words("不见了的设备", "Missing"), about, NOTHING)
    columns = [Column("Time", Words("从何时起", "since"), "since", 145), *_WHERE]
    query = Query("event", open_events("gone", "appeared"))
    made = tables.listing(said, query, columns, lang, ("Time", False))
    return tables.hide(made, "event", "detail", "device")


def _lamps(lang: Lang) -> Json:
    hours = thresholds.LAMP_HOURS.value
    about = Words(
        f"灯泡点了超过 {hours} 小时的投影机（联网、会说自己小时数的），久的在上：先买好灯泡。",
        f"Projectors on the network whose lamp has burnt for more than {hours} hours, the longest "
        "first: order lamps.",
    )
    said = head(lang, Words("该换的灯泡", "Lamps to replace"), about, NOTHING)
    burnt = Column("lamp_hours", Words("灯泡小时", "lamp hours"), "count", 130)
    where: Where = {**_HERE, "kind": "projector", "lamp_hours": Beyond(">", hours)}
    by = ("school", "district", "room", "device")
    text = influxql.each("device_day", "last", {"lamp_hours": "lamp_hours"}, where, by,
                         influxql.WEEK)  # fmt: skip
    made = tables.listing(said, Query("device_day", text), [burnt, SCHOOL, DISTRICT, ROOM], lang,
                          ("lamp_hours", True))  # fmt: skip
    return tables.hide(made, "device")


_STATES: tuple[tuple[str, Test, Words], ...] = (
    ("computer", True, Words("电脑在上报", "PC reports")),
    *(
        (kind, True, Words(f"看到{KINDS[kind].zh}", f"{KINDS[kind].en} seen"))
        for kind in ("display", "sound", "microphone", "camera")
    ),
)
_TROUBLED: tuple[tuple[str, str, Words], ...] = (
    ("gone", "appeared", Words(f"有设备{_MISSING.zh}", "something missing")),
    ("fault", "repaired", Words(f"有设备{_FAULT.zh}", "something at fault")),
)


def _rooms(lang: Lang) -> Json:
    about = Words(
        "教室数：看到设备的，是最近一周里最多的一天；不见、故障的，是现在。「看到显示设备」比"
        "「电脑在上报」少很多：去看上面不见的名单。",
        "Rooms: with equipment, on the week's best day; with trouble, now. Far fewer displays than "
        "PCs: see the list of missing ones.",
    )
    said = head(lang, Words("教室，按状态", "Rooms by state"), about, _SILENT)
    asked = [Query("room_day", _in_state(*state, lang), False, "$col") for state in _STATES]
    asked += [Query("event", _in_trouble(*trouble, lang), False, "$col") for trouble in _TROUBLED]
    troubled = [panels.colour(words.of(lang), thresholds.VERMILION) for *_, words in _TROUBLED]
    made = panels.counts(said, asked, troubled)
    made["options"]["reduceOptions"]["calcs"] = ["max"]
    return made


def _in_state(field: str, test: Test, words: Words, lang: Lang) -> str:
    where: Where = {**_HERE, field: test}
    shown = {"pcs": words.of(lang)}
    return influxql.each("room_day", "count", shown, where, (), influxql.WEEK, "1d")


def _in_trouble(began: str, ended: str, words: Words, lang: Lang) -> str:
    """Rooms of which a device is in trouble now, as the numbers above count devices."""
    devices = open_events(began, ended)
    each = influxql.over('count("event") AS "devices"', devices, "", ("school", "room"))
    # Of the same measurement, so that both are one series: a bar gauge shows each as its own bar.
    ever = influxql.each("event", "last", {"event": "alive"}, {}, ("school",), influxql.YEAR)
    counted = influxql.how_many("devices", each, ever)
    return influxql.over(f'sum("n") AS "{words.of(lang)}"', counted)


def _daily(lang: Lang) -> Json:
    about = Words(
        "每天新的故障与修复。修复长期少于故障：维修跟不上。",
        "New faults and repairs each day. Repairs below faults for long: repair falls behind.",
    )
    empty = Words("这段时间没有故障", "no fault in this time")
    said = head(lang, Words("每天的故障与修复", "Faults and repairs by day"), about, empty)
    shown = {event: EVENTS[event] for event in ("fault", "repaired")}
    asked = [
        Query("event", influxql.each("event", "count", {"event": words.of(lang)},
                                     {**_HERE, "event": event}, every="1d"), False, "$col")
        for event, words in shown.items()
    ]  # fmt: skip
    colours = {"fault": thresholds.VERMILION, "repaired": thresholds.BLUE}
    overrides = [panels.colour(shown[name].of(lang), value) for name, value in colours.items()]
    made = panels.counted(said, asked, overrides)
    made["fieldConfig"]["defaults"]["custom"] |= _BARS
    return made


def _short_rooms(lang: Lang) -> Json:
    share = thresholds.SEATS_SHARE.value
    about = Words(
        f"最近三天里，上报的电脑不到座位的八成（{share:.0%}）的计算机教室。计数需要有一天够数："
        "上一节课，把电脑都打开。",
        f"Computer rooms in which, in the last three days, fewer PCs reported than {share:.0%} of "
        "the seats. One day with enough counts: hold a lesson with all of them on.",
    )
    title = Words("电脑不足的计算机教室", "Computer rooms short of PCs")
    said = head(lang, title, about, NOTHING)
    columns = [SCHOOL, DISTRICT, ROOM, Column("pcs", Words("电脑", "PCs"), "count", 70),
               Column("seats", Words("座位", "seats"), "count", 70),
               Column("Time", Words("日期", "day"), "day", 105)]  # fmt: skip
    where: Where = {
        **_HERE, "seats": Beyond(">", 0), "pcs": Beyond("<", f'{share} * "seats"')
    }  # fmt: skip
    names = ["school", "district", "room", "pcs", "seats"]
    text = influxql.rows("room_day", names, where, influxql.RECENT)
    return tables.listing(said, Query("room_day", text), columns, lang, ("Time", True))


def _unbound(lang: Lang) -> Json:
    about = Words(
        "最近一周上报过、但台账没有说在哪间教室的电脑。它们不为任何教室作证：在台账的「电脑」表里绑定。",
        "PCs that reported this week and that the register binds to no room. They are evidence "
        "for none: bind them in the sheet of machines.",
    )
    said = head(lang, Words("没有绑定教室的电脑", "PCs bound to no room"), about, NOTHING)
    columns = [SCHOOL, DISTRICT, Column("hostname", Words("名称", "name")),
               Column("reports", Words("上报数", "reports"), "count", 90),
               Column("machine", Words("电脑标识", "machine id"))]  # fmt: skip
    where: Where = {**_HERE, "room": ""}
    by = ("school", "district", "machine")
    text = influxql.latest("machine_day", {"hostname": "hostname", "reports": "reports"}, where,
                           by, influxql.WEEK)  # fmt: skip
    return tables.listing(said, Query("machine_day", text), columns, lang)
