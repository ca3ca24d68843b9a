"""`schoolpulse-agent`: the commands on a school PC."""

from __future__ import annotations

import sys

from agent.common.command_line import Command
from agent.common.command_line import main as run
from agent.version import VERSION

COMMANDS = {
    "run": Command("agent.commands.run", "常驻运行", "run for ever"),
    "once": Command("agent.commands.once", "输出一份报告", "print one report"),
    "line": Command("agent.commands.line", "测一次线路", "test the line once"),
    "equipment": Command("agent.commands.equipment", "列出所接设备", "list what is attached"),
    "outbox": Command("agent.commands.outbox", "列出待确认的报告", "list what waits"),
    "status": Command("agent.commands.status", "当前状态", "where the agent stands"),
    "install": Command("agent.commands.install", "装成服务", "install as a service"),
    "uninstall": Command("agent.commands.uninstall", "卸载服务", "remove the service"),
    "prepare-image": Command(
        "agent.commands.prepare_image", "做克隆镜像前清空", "forget this PC before it is cloned"
    ),
    "service": Command("agent.commands.service", "由 Windows 启动", "started by Windows"),
    "doctor": Command("agent.commands.doctor", "逐项检查并给出办法", "check all, name the mend"),
}


def main() -> int:
    """The console command."""
    return run("schoolpulse-agent", COMMANDS, version=VERSION)


if __name__ == "__main__":
    sys.exit(main())
