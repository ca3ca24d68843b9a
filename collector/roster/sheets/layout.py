"""The sheets of the register: every column with its headings, type, meaning and example.

Reading, checking, writing and the template's notes all use this one table. A column's `type` is the
name of a parser in `collector.roster.sheets.values`.
"""

# ruff: noqa: E501  (a column a row reads as the table it is)
from __future__ import annotations

from dataclasses import dataclass

from agent.common.language import say
from collector.roster.sheets.words import INDICATORS_ZH


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `zh` is the Chinese heading that is written; those in `also` are read too."""

    name: str
    zh: str
    type: str
    meaning_zh: str
    meaning_en: str
    example: str = ""
    required: bool = False  # the heading must exist, and no cell may be empty
    also: tuple[str, ...] = ()
    field: str = ""  # of the row's dataclass, if it differs from `name`

    @property
    def attribute(self) -> str:
        """The field that the cell fills."""
        return self.field or self.name

    @property
    def heading(self) -> str:
        """The heading in the user's language."""
        return say(self.zh, self.name)

    @property
    def meaning(self) -> str:
        """The meaning in the user's language."""
        return say(self.meaning_zh, self.meaning_en)


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: the file `name`.csv, or `zh`.csv for one of its Chinese names."""

    name: str
    zh: tuple[str, ...]
    columns: tuple[Column, ...]
    required: bool = True  # the file must exist; if it has no rows, with headings only

    @property
    def title(self) -> str:
        """The sheet's name in the user's language."""
        return say(self.zh[0], self.name)

    @property
    def file(self) -> str:
        """The file's name when it is written."""
        return f"{self.name}.csv"

    def column(self, name: str) -> Column:
        """A column by its English name."""
        return next(column for column in self.columns if column.name == name)


def _school(field: str = "school") -> Column:
    return Column(
        field, "学校标识码", "school", "学校的 10 位标识码，须在学校表中",
        "the school's 10-digit code, listed in schools", "9963020001", True,
        ("学校代码", "标识码", "学校编码", "学校"),
    )  # fmt: skip


_CAMPUS_ZH, _CAMPUS_EN = (
    "校区名，须在校区表中；学校只有一个校区时可空",
    "the campus, listed in campuses; may be empty where the school has only one",
)
_TYPES_ZH = "小学、初中、九年一贯制、完全中学、高中、十二年一贯制、教学点、幼儿园、中职、特殊教育"
_KINDS_ZH = "计算机、投影机、交互平板（没有内置电脑的写「交互平板（无内置电脑）」）、电视、显示器、音箱、麦克风、摄像头、触摸框、打印机、实物展台"
_KINDS_EN = (
    "computer, projector, panel (or panel_without_pc), tv, monitor, sound, microphone, camera, touch, printer or "
    "document_camera"
)

SCHOOLS = Sheet("schools", ("学校",), (
    Column("code", "学校标识码", "code", "10 位学校标识码，唯一",
           "the 10-digit code of the school, unique", "9963020001", True,
           ("学校代码", "标识码", "学校编码", "school")),
    Column("name", "学校名称", "text", "学校全称", "full name", "城东区示例小学一", True, ("名称", "校名")),
    Column("district", "所在区县", "text", "所在地：区县名或 6 位行政区划代码；西宁以外写「代码 名称」",
           "the place: a district's name or 6-digit code; outside Xining write 'code name'",
           "城东区", True, ("区县", "区县代码", "行政区划", "区划代码")),
    Column("type", "学校类型", "school_type", _TYPES_ZH,
           "primary, junior, nine_year, complete, senior, twelve_year, teaching_point, "
           "kindergarten, vocational or special", "小学", True, ("类型", "办学类型", "学段")),
    Column("responsible", "责任单位", "text", "负责的区县或「市直属」；空：所在区县",
           "the district that answers for it, or city_direct; empty: the place", "城东区",
           also=("责任主体", "隶属", "主管单位", "举办单位", "管理单位")),
    Column("opened", "开办日期", "date", "这一天起计入；空：一直", "counts from this day", "2012-09-01",
           also=("建校日期", "成立日期")),
    Column("closed", "撤并日期", "date", "最后一天；空：仍在办", "its last day; empty: still open", "",
           also=("撤销日期", "停办日期")),
    Column("successor", "并入学校标识码", "school", "撤并后并入的学校", "the school it became part of", "",
           also=("并入学校", "接续学校标识码", "接续学校")),
    Column("resource_package", "教学点资源包", "yes_no", "教学点是否配备资源包，填「是」或「否」；空：不知道",
           "whether a teaching point has the resource package, yes or no; empty: not known", "",
           also=("资源包", "数字教育资源")),
    Column("teachers", "专任教师数", "count", "在编在岗的专任教师人数；空：不知道",
           "how many full-time teachers it has; empty: not known", "", also=("专任教师", "教师数")),
    Column("teacher_spaces", "开通空间教师数", "count", "其中开通网络学习空间的人数；空：不知道",
           "how many of them have a network space; empty: not known", "",
           also=("开通空间人数", "网络空间数", "教师空间数")),
))  # fmt: skip
CAMPUSES = Sheet("campuses", ("校区",), (
    _school(),
    Column("campus", "校区", "name", "校区名，校内唯一；只有一个时写「本部」",
           "the campus's name, unique in the school", "本部", True, ("校区名称", "校区名")),
    Column("address", "地址", "text", "门牌地址", "street address", "示例路 1 号", also=("校区地址",)),
    Column("latitude", "纬度", "latitude", "十进制度，西宁约 36.6", "decimal degrees, Xining 36.6",
           "36.6102"),
    Column("longitude", "经度", "longitude", "十进制度，西宁约 101.8",
           "decimal degrees, Xining 101.8", "101.8123"),
))  # fmt: skip
LINES = Sheet("lines", ("线路", "宽带线路", "宽带"), (
    _school(),
    Column("line", "线路", "name", "线路名，校内唯一", "the line's name, unique in the school", "line1",
           True, ("线路名称", "线路编号", "线路名")),
    Column("campus", "校区", "name", _CAMPUS_ZH, _CAMPUS_EN, "本部", also=("校区名称", "校区名")),
    Column("contract_mbps", "合同带宽", "bandwidth", "合同上的下行带宽，兆（Mbit/s）；不知道则空；没有宽带写 0",
           "contracted rate down in Mbit/s; empty: not known; 0: no broadband", "100",
           also=("带宽", "签约带宽", "接入带宽", "登记带宽")),
    Column("provider", "运营商", "text", "运营商", "the provider", "示例运营商", also=("服务商", "提供商")),
    Column("network", "出口网段", "networks", "这条线路对外的地址或网段；填了，别处来的测试不作数；可空",
           "addresses that its tests come from, as 192.0.2.0/24; tests from elsewhere do not count",
           "", also=("出口地址", "公网地址", "网段", "公网 IP")),
))  # fmt: skip
ROOMS = Sheet("rooms", ("教室", "房间", "场所"), (
    _school(),
    Column("campus", "校区", "name", _CAMPUS_ZH, _CAMPUS_EN, "本部", also=("校区名称", "校区名")),
    Column("room", "教室编号", "room", "编号，校内唯一，前导零保留", "its id, unique in the school", "101", True,
           ("房间编号", "房间号", "教室号", "房间", "教室")),
    Column("name", "教室名称", "text", "门牌上的名称；空：同编号", "name on the door; empty: the id",
           "一（1）班教室", also=("房间名称", "名称")),
    Column("type", "教室类型", "room_type", "普通教室、计算机教室、录播教室、实验室、功能教室、办公室、其他",
           "classroom, computer_room, recording_room, laboratory, special_room, office or other",
           "普通教室", True, ("房间类型", "类型", "用途")),
    Column("seats", "座位数", "seats", "学生座位数；计算机教室必填才能核实", "seats for pupils", "45",
           also=("座位", "机位数", "机位", "学生机位数")),
    Column("line", "线路", "name", "教室用的线路；空：校区唯一的线路", "empty: the campus's only line", "",
           also=("线路名称", "线路编号", "线路名")),
))  # fmt: skip
CLASSES = Sheet("classes", ("班级", "教学班"), (
    _school(),
    Column("class", "班级", "name", "班级名，校内唯一", "the class's name, unique in the school",
           "一（1）班", True, ("班级名称", "班级名", "教学班"), "name"),
    Column("rooms", "教室编号", "rooms", "上课的教室；走班用「、」隔开几个；没有则空",
           "where it is taught; several parted by ; or empty", "101",
           also=("教室", "上课教室", "房间编号", "room")),
    Column("from", "开班日期", "date", "第一天；空：一直", "its first day", "", also=("开始日期", "起始日期"),
           field="start"),
    Column("to", "结束日期", "date", "最后一天；空：仍在", "its last day", "", also=("毕业日期", "截止日期"),
           field="end"),
))  # fmt: skip
EQUIPMENT = Sheet("equipment", ("设备",), (
    _school(),
    Column("room", "教室编号", "name", "设备所在教室", "the room that owns it", "101", True,
           ("房间编号", "房间号", "教室号", "房间", "教室")),
    Column("kind", "设备种类", "kind", _KINDS_ZH, _KINDS_EN, "投影机", True, ("种类", "设备", "设备名称", "类型")),
    Column("count", "数量", "count", "台数；0 表示确认没有", "how many; 0 says that it owns none", "1", True,
           ("台数", "件数")),
    Column("serial", "序列号", "serial", "只有一台时可写", "where the row is one device", "",
           also=("出厂编号", "SN")),
), required=False)  # fmt: skip
MACHINES = Sheet("machines", ("计算机绑定", "绑定", "计算机"), (
    _school(),
    Column("room", "教室编号", "name", "计算机所在教室", "the room it stands in", "101", True,
           ("房间编号", "房间号", "教室号", "房间", "教室")),
    Column("pattern", "主机名或机器号", "pattern", "主机名，可用 * 和 ?；或 32 位机器号",
           "hostname, with * and ?; or the 32-digit machine id", "SL1-101-*", True,
           ("主机名", "机器号", "计算机名", "hostname", "id", "machine")),
), required=False)  # fmt: skip
CALENDAR = Sheet("calendar", ("校历", "日历"), (
    Column("date", "日期", "dates", "一天，或「开始~结束」", "a day, or first~last", "2026-02-15~2026-02-23",
           True, ("开始日期", "起始日期", "first", "from"), "first"),
    Column("last", "结束日期", "date", "最后一天；只有一天则空", "the last day; empty: one day", "",
           also=("截止日期", "to")),
    Column("kind", "类别", "day_kind", "学期、放假、调休上课", "term, holiday or makeup", "放假", True,
           ("类型", "种类")),
    Column("note", "说明", "text", "如节日名", "such as the feast's name", "春节", also=("备注", "名称")),
), required=False)  # fmt: skip

#: The folder's sheets, in the order in which they refer to each other.
SHEETS = {
    sheet.name: sheet
    for sheet in (SCHOOLS, CAMPUSES, LINES, ROOMS, CLASSES, EQUIPMENT, MACHINES, CALENDAR)
}

#: The template's file of notes, which is never read: its name in Chinese and English.
NOTES = ("填表说明", "notes")

_INDICATORS_EN = " or ".join(", ".join(INDICATORS_ZH).rsplit(", ", 1))

#: Read by `schoolpulse inspect add --csv`; not part of the folder.
INSPECTIONS = Sheet("inspections", ("现场核查",), (
    _school(),
    Column("indicator", "指标", "indicator", "、".join(INDICATORS_ZH.values()), _INDICATORS_EN, "多媒体", True,
           ("核查指标",)),
    Column("class", "班级", "name", "多媒体指标必填，其余为空", "for multimedia only", "一（1）班",
           also=("班级名称", "unit"), field="unit"),
    Column("date", "核查日期", "date", "到现场的日期", "the day on site", "2026-10-12", True, ("日期", "day"), "day"),
    Column("inspector", "核查人", "text", "谁看的", "who saw it", "核查组", True, ("检查人", "who")),
    Column("found", "是否符合", "found", "是、否", "yes or no", "是", True, ("结果", "核查结果")),
    Column("note", "备注", "text", "所见", "what was seen", "", also=("说明",)),
    Column("threshold", "带宽门槛", "bandwidth", "只用于带宽：按多少兆判断；空：设置里的门槛",
           "for line only: the Mbit/s it was judged by; empty: that of the settings", "", also=("门槛",)),
))  # fmt: skip

#: Read by `schoolpulse machines apply`; not part of the folder.
DECISIONS = Sheet("decisions", ("计算机处理",), (
    _school(),
    Column("machine", "机器号", "pattern", "32 位机器号", "the 32-digit machine id", "", True, ("id",)),
    Column("act", "操作", "act", "绑定、报废、合并、撤销", "bind, retire, merge or forget", "绑定", True,
           ("处理", "动作")),
    Column("target", "目标", "name", "绑定的教室，或合并到的机器号", "the room, or the id merged into", "101",
           also=("教室", "教室编号", "room", "合并到")),
))  # fmt: skip
