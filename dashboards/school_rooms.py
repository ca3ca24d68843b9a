"""学校: its rooms, devices and PCs, as tables."""

from __future__ import annotations

from collections.abc import Sequence

from agent.common.vocabulary.devices import KINDS
from agent.common.vocabulary.states import EVENTS, PRESENCES, WORKING
from agent.common.vocabulary.words import Lang, Words
from dashboards import influxql, tables
from dashboards.influxql import Where
from dashboards.panels import Head, Json, Query, head
from dashboards.tables import Column
from dashboards.variables import ROOM, SCHOOL

_HERE: Where = {"school": SCHOOL}
_IN_ROOM: Where = {"school": SCHOOL, "room": ROOM}
SILENT = Words(
    "这所学校还没有上报：在一台电脑上运行 schoolpulse-agent doctor",
    "this school has not reported: run schoolpulse-agent doctor on one of its PCs",
)


MISSING, FAULT = PRESENCES["missing"], WORKING["fault"]
_DAY = Column("Time", Words("日期", "day"), "day", 105)
_KIND = Column("kind", Words("种类", "kind"), "kind")


def rooms(lang: Lang) -> Json:
    """Each room, its newest day."""
    about = Words(
        "每间教室最近一天。点教室名，下面只看它的设备。一列「—」：那天没有看到。",
        "Each room's newest day. Click a room to see its devices below. —: not seen.",
    )
    columns = [
        tables.ROOM._replace(format="room"),
        *(Column(name, KINDS[name], "yes", 80) for name in _SEEN),
        Column("pcs", Words("电脑数", "PCs"), "count", 80),
        Column("seats", Words("座位", "seats"), "count", 70),
        Column("missing", MISSING, "count", 70),
        Column("faults", FAULT, "count", 70),
        _DAY,
    ]
    said = head(lang, Words("教室", "Rooms"), about, SILENT)
    return _newest("room_day", said, columns, _HERE, ("room",), lang)


_SEEN = ("computer", "display", "sound", "camera")


def _newest(
    measurement: str,
    said: Head,
    columns: Sequence[Column],
    where: Where,
    by: Sequence[str],
    lang: Lang,
    also: Sequence[str] = (),
) -> Json:
    """The newest day of each series of `by`, by room; `also`: fields that are not shown."""
    fields = {c.name: c.name for c in columns if c.name not in (*by, "Time")}
    fields |= {name: name for name in also}
    text = influxql.latest(measurement, fields, where, by, influxql.MONTH)
    made = tables.listing(said, Query(measurement, text), columns, lang, ("room", False))
    return tables.hide(made, *also)


def devices(lang: Lang) -> Json:
    """Each device of the room chosen."""
    about = Words(
        f"所选教室里每台设备最近一天的样子。「{MISSING.zh}」：电脑开着却看不到它；先看线、看电源。",
        f"Each device of the room chosen, its newest day. {MISSING.en}: its PC was on and did not "
        "see it; check the cable and the power first.",
    )
    columns = [
        tables.ROOM, _KIND,
        Column("maker", Words("厂商", "maker"), "text", 80),
        Column("model", Words("型号", "model")),
        Column("connector", Words("接口", "connector"), "text", 90),
        Column("missing", MISSING, "yes", 80),
        Column("fault", FAULT, "yes", 80),
        Column("last_ms", Words("最后见到", "last seen"), "since", 145),
    ]  # fmt: skip
    said = head(lang, Words("设备", "Devices"), about, SILENT)
    by = ("room", "kind", "device")
    made = _newest("device_day", said, columns, _IN_ROOM, by, lang, also=["presence"])
    return tables.hide(made, "device")


def events(lang: Lang) -> Json:
    """What appeared, went, failed and was repaired."""
    appeared, gone, fault, repaired, _ = EVENTS.values()
    about = Words(
        f"设备的变化，新的在上：{appeared.zh}、{gone.zh}、{fault.zh}、{repaired.zh}。"
        f"反复的{gone.zh}与{appeared.zh}：多半是松动的线。",
        "Changes of devices, newest first. Gone and appeared again and again: a loose cable.",
    )
    empty = Words("这段时间没有变化", "nothing changed in this time")
    columns = [
        Column("Time", Words("时间", "time"), "text", 180), tables.ROOM, _KIND,
        Column("event", Words("变化", "change"), "event"),
        Column("detail", Words("说明", "detail"), "fault"),
    ]  # fmt: skip
    names = ["event", "detail", "room", "kind"]
    text = influxql.rows("event", names, _IN_ROOM, tail="ORDER BY time DESC LIMIT 200")
    said = head(lang, Words("故障与变化", "Faults and changes"), about, empty)
    return tables.listing(said, Query("event", text), columns, lang)


def machines(lang: Lang) -> Json:
    """Each PC, its newest day."""
    about = Words(
        "每台电脑最近一天。教室为空：没有绑定，去台账里补上。一天多次启动：电源不稳。",
        "Each PC's newest day. No room: not bound, add it to the register. Many starts a day: "
        "unsteady power.",
    )
    columns = [
        tables.ROOM, Column("hostname", Words("名称", "name")),
        Column("reports", Words("上报数", "reports"), "count"),
        Column("boots", Words("启动次数", "starts"), "count"),
        Column("first_ms", Words("最早", "first"), "moment"),
        Column("last_ms", Words("最晚", "last"), "moment"),
        Column("weak_id", Words("弱标识", "weak id"), "yes"),
        Column("machine", Words("电脑标识", "machine id")),
    ]  # fmt: skip
    said = head(lang, Words("电脑", "PCs"), about, SILENT)
    return _newest("machine_day", said, columns, _IN_ROOM, ("room", "machine"), lang)
