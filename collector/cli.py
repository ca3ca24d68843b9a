"""`schoolpulse`: the commands of the city side."""

from __future__ import annotations

import sys

from agent.common.command_line import Command
from agent.common.command_line import main as run
from agent.version import VERSION

COMMANDS = {
    "demo": Command("collector.commands.demo", "完整演示一次", "run the main job once"),
    "collect": Command("collector.commands.collect", "采集服务", "run the collector"),
    "lineserver": Command("collector.commands.lineserver", "测速服务", "the measurement server"),
    "roster": Command("collector.commands.roster", "台账：模板、检查、导入", "the register"),
    "policy": Command("collector.commands.policy", "测试与上报的策略", "how lines are tested"),
    "figure": Command("collector.commands.figure", "年度指标", "the yearly figure"),
    "report": Command("collector.commands.report", "年度报告", "the yearly report"),
    "simulate": Command("collector.commands.simulate", "模拟一座城市", "a fleet of known truth"),
    "inspect": Command("collector.commands.inspect", "现场核查记录", "on-site records"),
    "equipment": Command("collector.commands.equipment", "设备现状", "devices as they stand"),
    "faults": Command("collector.commands.faults", "故障与缺失", "what is broken or gone"),
    "machines": Command("collector.commands.machines", "电脑与教室", "PCs and their rooms"),
    "mute": Command("collector.commands.mute", "某校暂不通知", "tell nobody of a school"),
    "dashboards": Command("collector.commands.dashboards", "Grafana 看板", "Grafana boards"),
    "quarantine": Command("collector.commands.quarantine", "隔离区", "messages set aside"),
    "doctor": Command("collector.commands.doctor", "逐项检查并给出办法", "check all, name mends"),
}


def main() -> int:
    """The console command."""
    return run("schoolpulse", COMMANDS, version=VERSION)


if __name__ == "__main__":
    sys.exit(main())
