"""`schoolpulse`: the commands of the city side."""

from __future__ import annotations

import sys

from agent.common.command_line import Command
from agent.common.command_line import main as run
from agent.version import VERSION
from collector.config import DEFAULT_FILE

COMMANDS = {
    "demo": Command(
        "collector.commands.demo",
        "完整演示一次",
        "run everything once on this machine, with a simulated city",
    ),
    "collect": Command(
        "collector.commands.collect", "采集服务", "run the collector service", unattended=True
    ),
    "lineserver": Command(
        "collector.commands.lineserver",
        "测速服务",
        "run the line measurement server",
        unattended=True,
    ),
    "roster": Command(
        "collector.commands.roster",
        "台账：模板、检查、导入",
        "school register: templates, check, import, export",
    ),
    "policy": Command(
        "collector.commands.policy",
        "测试与上报的策略",
        "show or change how lines are tested and PCs report",
    ),
    "figure": Command(
        "collector.commands.figure", "年度指标", "print the yearly compliance figure"
    ),
    "report": Command("collector.commands.report", "年度报告", "write the yearly report files"),
    "simulate": Command(
        "collector.commands.simulate", "模拟一座城市", "generate simulated data for a city"
    ),
    "inspect": Command(
        "collector.commands.inspect", "现场核查记录", "add or list on-site inspections"
    ),
    "equipment": Command(
        "collector.commands.equipment", "设备现状", "list devices and their current state"
    ),
    "faults": Command("collector.commands.faults", "故障与缺失", "list faulty or missing devices"),
    "machines": Command(
        "collector.commands.machines", "电脑与教室", "list PCs, bind them to rooms"
    ),
    "mute": Command("collector.commands.mute", "某校暂停告警", "silence alerts for a school"),
    "dashboards": Command(
        "collector.commands.dashboards", "Grafana 看板", "build or push Grafana dashboards"
    ),
    "quarantine": Command(
        "collector.commands.quarantine",
        "隔离区：读不了或存不了的报文",
        "list or replay messages that could not be stored",
    ),
    "doctor": Command(
        "collector.commands.doctor", "逐项检查并给出办法", "run checks and suggest fixes"
    ),
}


def main() -> int:
    """The console command."""
    return run("schoolpulse", COMMANDS, version=VERSION, settings=DEFAULT_FILE)


if __name__ == "__main__":
    sys.exit(main())
