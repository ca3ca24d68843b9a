"""学校: its rooms, devices and PCs, as tables."""

from __future__ import annotations

from dashboards import influxql, panels, tables
from dashboards.influxql import Where
from dashboards.panels import Head, Json, Query
from dashboards.tables import Column
from dashboards.variables import ROOM, SCHOOL
from dashboards.words import EVENTS, Lang, Words

_HERE: Where = {"school": SCHOOL}
_IN_ROOM: Where = {"school": SCHOOL, "room": ROOM}
SILENT = Words(
    "这所学校还没有上报：在一台电脑上运行 schoolpulse-agent doctor",
    "this school has not reported: run schoolpulse-agent doctor on one of its PCs",
)


def rooms(lang: Lang) -> Json:
    """Each room, its newest day."""
    about = Words(
        "每间教室最近一天。点教室名，右边只看它的设备。一列「—」：那天没有看到。",
        "Each room's newest day. Click a room to see its devices at the right. —: not seen.",
    )
    head = Head(Words("教室", "Rooms").of(lang), about.of(lang), SILENT.of(lang))
    seen = {"computer": Words("电脑", "PC"), "display": Words("显示", "display"),
            "sound": Words("声音", "sound"), "camera": Words("摄像", "camera")}  # fmt: skip
    columns = [
        tables.ROOM._replace(look="room", width=110),
        *(Column(name, words, "yes", 60) for name, words in seen.items()),
        Column("pcs", Words("电脑数", "PCs"), "count", 80),
        Column("seats", Words("座位", "seats"), "count", 70),
        Column("missing", Words("缺失", "missing"), "count", 70),
        Column("faults", Words("故障", "faults"), "count", 70),
        Column("Time", Words("日期", "day"), "day", 105),
    ]
    fields = {c.name: c.name for c in columns if c.name not in ("room", "Time")}
    text = influxql.latest("room_day", fields, _HERE, ("room",), influxql.MONTH)
    return tables.listing(head, Query("room_day", text), columns, lang, ("room", False))


def devices(lang: Lang) -> Json:
    """Each device of the room chosen."""
    about = Words(
        "所选教室里每台设备最近一天的样子。「缺失」：电脑开着却看不到它；先看线、看电源。",
        "Each device of the room chosen, its newest day. missing: its PC was on and did not see "
        "it; look at the cable and the power first.",
    )
    head = Head(Words("设备", "Devices").of(lang), about.of(lang), SILENT.of(lang))
    columns = [
        tables.ROOM, Column("kind", Words("种类", "kind"), "kind"),
        Column("maker", Words("厂商", "maker"), "text", 80),
        Column("model", Words("型号", "model")),
        Column("connector", Words("接口", "connector"), "text", 90),
        Column("missing", Words("缺失", "missing"), "yes", 80),
        Column("fault", Words("故障", "fault"), "yes", 80),
        Column("last_ms", Words("最后见到", "last seen"), "since", 120),
    ]  # fmt: skip
    names = ("maker", "model", "connector", "missing", "fault", "last_ms")
    by = ("room", "kind", "device")
    text = influxql.latest("device_day", {n: n for n in names}, _IN_ROOM, by, influxql.MONTH)
    made = tables.listing(head, Query("device_day", text), columns, lang, ("room", False))
    return tables.hide(made, "device")


def events(lang: Lang) -> Json:
    """What appeared, went, failed and was repaired."""
    about = Words(
        "设备的变化，新的在上：出现、不见、故障、修复。反复的不见与出现：多半是松动的线。",
        "Changes of devices, newest first. Gone and appeared again and again: a loose cable.",
    )
    empty = Words("这段时间没有变化", "nothing changed in this time")
    head = Head(Words("故障与变化", "Faults and changes").of(lang), about.of(lang), empty.of(lang))
    columns = [
        Column("Time", Words("时间", "time"), "text", 180), tables.ROOM,
        Column("kind", Words("种类", "kind"), "kind"), Column("event", Words("变化", "change")),
        Column("detail", Words("说明", "detail")),
    ]  # fmt: skip
    names = ["event", "detail", "room", "kind"]
    text = influxql.rows("event", names, _IN_ROOM, tail="ORDER BY time DESC LIMIT 200")
    made = tables.listing(head, Query("event", text), columns, lang)
    mapped = panels.words({name: (words.of(lang), colour) for name, words, colour in EVENTS})
    properties = [{"id": "mappings", "value": mapped}]
    made["fieldConfig"]["overrides"].append(panels.override(columns[3].title.of(lang), properties))
    return made


def machines(lang: Lang) -> Json:
    """Each PC, its newest day."""
    about = Words(
        "每台电脑最近一天。教室为空：没有绑定，去台账里补上。一天多次启动：电源不稳。",
        "Each PC's newest day. No room: not bound, add it to the register. Many starts a day: "
        "unsteady power.",
    )
    head = Head(Words("电脑", "PCs").of(lang), about.of(lang), SILENT.of(lang))
    columns = [
        tables.ROOM, Column("hostname", Words("名称", "name")),
        Column("reports", Words("上报数", "reports"), "count"),
        Column("boots", Words("启动次数", "starts"), "count"),
        Column("first_ms", Words("最早", "first"), "moment"),
        Column("last_ms", Words("最晚", "last"), "moment"),
        Column("weak_id", Words("弱标识", "weak id"), "yes"),
        Column("machine", Words("电脑标识", "machine id")),
    ]  # fmt: skip
    names = ("hostname", "reports", "boots", "first_ms", "last_ms", "weak_id")
    by = ("room", "machine")
    text = influxql.latest("machine_day", {n: n for n in names}, _IN_ROOM, by, influxql.MONTH)
    return tables.listing(head, Query("machine_day", text), columns, lang, ("room", False))
