"""The words that sheets may use, and the value of each: school types, rooms, kinds, days."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from agent.common.vocabulary import devices, indicators
from collector.roster.register import COMPUTER_ROOM


def _words(table: Mapping[str, str]) -> Mapping[str, str]:
    """word -> value, from value -> its other words; a value is a word of its own too."""
    found = {kept.casefold(): kept for kept in table}
    for kept, others in table.items():
        found.update({word.casefold(): kept for word in others.split()})
    return MappingProxyType(found)


SCHOOL_TYPES = _words({
    "小学": "完全小学 普通小学 初小 完小 中心小学 中心完小 村小 primary",
    "初中": "初级中学 普通初中 独立初中 junior",
    "九年一贯制": "九年一贯制学校 九年制 九年一贯 九年制学校 nine_year",
    "完全中学": "完中 中学 complete",
    "高中": "高级中学 普通高中 独立高中 senior",
    "十二年一贯制": "十二年一贯制学校 twelve_year",
    "教学点": "小学教学点 村教学点 教学站 teaching_point",
    "幼儿园": "kindergarten",
    "中职": "中职学校 中等职业学校 职业高中 职高 职业学校 中专 vocational",
    "特殊教育": "特殊教育学校 特教学校 特教 special",
})  # fmt: skip

ROOM_TYPES = _words({
    "普通教室": "教室 班级教室 多媒体教室 classroom",
    COMPUTER_ROOM: "计算机室 计算机房 微机室 微机教室 机房 电脑室 电脑教室 信息技术教室 网络教室 "
    "信息科技教室 computer_room",
    "录播教室": "录播室 recording_room",
    "实验室": "科学教室 理化生实验室 laboratory",
    "功能教室": "音乐教室 美术教室 专用教室 阅览室 图书室 special_room",
    "办公室": "教师办公室 office",
    "其他": "会议室 报告厅 other",
})  # fmt: skip

KINDS = _words({
    "computer": "计算机 电脑 台式机 台式电脑 台式计算机 笔记本 笔记本电脑 笔记本计算机 主机 学生机 "
    "教师机 云终端 云桌面 瘦客户机 工作站 微机 ops ops电脑 pc",
    "projector": "投影机 投影仪 投影 激光投影 短焦投影机 短焦投影 超短焦投影 projector",
    "panel":
    "交互平板 交互式平板 智能交互平板 交互智能平板 一体机 触控一体机 触摸一体机 交互一体机 "
    "多媒体一体机 教学一体机 触摸教学一体机 智慧黑板 纳米黑板 纳米智慧黑板 班班通一体机 "
    "会议平板 触控平板 交互大屏 panel",
    "panel_without_pc": "",
    "tv": "电视 电视机 液晶电视 平板电视 智能电视 网络电视",
    "monitor": "显示器 液晶显示器 显示屏",
    "display": "显示设备 大屏 led大屏 led屏 拼接屏",
    "sound": "音箱 音响 扬声器 喇叭 功放 扩音 扩音器 音柱 广播 speaker",
    "microphone": "麦克风 话筒 无线话筒 无线麦克风 拾音器 麦",
    "camera": "摄像头 摄像机 webcam",
    "touch": "触摸框 触控框 触摸屏 电子白板 交互白板 交互式电子白板",
    "printer": "打印机 一体打印机",
    "document_camera": "实物展台 展台 视频展台 实物投影 高拍仪 实物展示台 壁挂展台",
})  # fmt: skip
#: What schools list beside it and no indicator counts: skipped and named.
UNCOUNTED = frozenset(_words({
    "空调":
    "交换机 路由器 无线ap ap 机柜 服务器 ups 稳压器 网线 插座 排插 门禁 考勤机 监控 "
    "硬盘录像机 黑板 绿板 推拉黑板 讲台 中控 中控讲台 课桌 课桌椅 电脑桌 计算机桌 桌椅 窗帘 "
    "灯 护眼灯 电扇 风扇 净化器 消毒柜 饮水机 幕布 投影幕 投影幕布 电动幕布 投影仪支架 "
    "投影机吊架 吊架 支架 遥控器 翻页笔 触控笔 点读笔 电子班牌 班牌 平板电脑 学生平板 扫描仪 "
    "复印机 传真机 键盘 鼠标 耳机 硬盘 u盘 电视机顶盒 机顶盒 录像机 照相机 相机 录音机 "
    "影碟机 dvd 电子琴 钢琴 实验箱 功放机柜 打铃器",
}))  # fmt: skip

#: How a kind is written in Chinese.
KINDS_ZH = MappingProxyType({kind: devices.KINDS_ZH[kind] for kind in KINDS.values()})

DAY_KINDS = _words({
    "term": "学期 开学 上课",
    "holiday": "放假 假期 假日 节假日 休息",
    "makeup": "调休上课 调休上班 调休 补课 补班 上班",
})  # fmt: skip
DAY_KINDS_ZH = MappingProxyType({"term": "学期", "holiday": "放假", "makeup": "调休上课"})

INDICATORS = _words({
    "multimedia": "多媒体 班级多媒体 多媒体设备 中小学班级多媒体设备配备率",
    "computer_room": "计算机教室 微机室 学校计算机教室配备率",
    "line": "带宽 宽带 网络 线路 10m以上带宽接入比例 line_10m",
})  # fmt: skip
INDICATORS_ZH = MappingProxyType({name: indicators.SHORT[name].zh for name in INDICATORS.values()})
ACTS = _words({
    "bind": "绑定 归位",
    "retire": "报废 停用 退役",
    "merge": "合并",
    "forget": "撤销 取消",
})  # fmt: skip
ACTS_ZH = MappingProxyType({
    "bind": "绑定", "retire": "报废", "merge": "合并", "forget": "撤销",
})  # fmt: skip
FOUND = _words({
    "yes": "是 有 符合 合格 达标 true 1 y √",
    "no": "否 无 没有 不符合 不合格 不达标 false 0 n ×",
})  # fmt: skip
FOUND_ZH = MappingProxyType({"yes": "是", "no": "否"})
