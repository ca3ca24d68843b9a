"""Why a report is held, and what to do about it. Pure.

The agent keeps a held report, sends others meanwhile, and tries again after a while.
"""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

#: Codes of the receipts, with their words.
REASONS: Mapping[str, Words] = {
    "unknown_school": Words("台账没有这所学校", "the register has no such school"),
    "future_version": Words("报文版本比采集服务新", "of a later version than the collector"),
    "quarantine_full": Words(
        "隔离区或本校份额已满", "the quarantine, or the school's part of it, is full"
    ),
    "time_out_of_bounds": Words(
        "时间早于 60 天前，或晚于此刻 1 小时", "dated more than 60 days ago, or over an hour ahead"
    ),
    "simulated": Words("模拟数据", "simulated"),
    "unknown_line": Words("台账没有这条线路", "the register has no such line"),
    "too_many_machines": Words("电脑多于学校的上限", "more PCs than the school's limit"),
    "too_many_devices": Words("设备多于学校的上限", "more devices than the school's limit"),
    "too_many_reports": Words("上报超过学校的上限", "more reports than the school's limit"),
}

#: What ends it; {school} is the school code.
FIXES: Mapping[str, Words] = {
    "unknown_school": Words("导入该校台账", "import the school's register"),
    "future_version": Words("升级采集服务", "upgrade the collector"),
    "quarantine_full": Words(
        "schoolpulse quarantine list，处理后移出", "see schoolpulse quarantine list"
    ),
    "time_out_of_bounds": Words(
        "很多学校都有：校对采集服务的时钟；只有一校：查这所学校的凭据",
        "at many schools: set the collector's clock; at one: look into that school's credential",
    ),
    "simulated": Words(
        "演示用的采集服务才收：accept_simulated = true",
        "only a collector for demos takes them: accept_simulated = true",
    ),
    "unknown_line": Words(
        "在台账登记这条线路，或改正电脑上的 [line] name",
        "register the line, or correct [line] name on the PC",
    ),
    "too_many_machines": Words(
        "登记教室座位，schoolpulse machines retire 报废的，或"
        " schoolpulse policy set school:{school} max_machines=N",
        "register the seats of rooms, schoolpulse machines retire what is gone, or"
        " schoolpulse policy set school:{school} max_machines=N",
    ),
    "too_many_devices": Words(
        "查这所学校的凭据；确有这么多：schoolpulse policy set school:{school} max_machines=N",
        "look into the school's credential; if there are so many:"
        " schoolpulse policy set school:{school} max_machines=N",
    ),
    "too_many_reports": Words(
        "查这所学校的凭据；确有需要：schoolpulse policy set school:{school} max_reports=N",
        "look into the school's credential; if they are wanted:"
        " schoolpulse policy set school:{school} max_reports=N",
    ),
}
