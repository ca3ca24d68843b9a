"""`schoolpulse-agent`: the commands on a school PC."""

from __future__ import annotations

import sys

from agent.common.command_line import Command
from agent.common.command_line import main as run
from agent.config import present
from agent.version import VERSION

COMMANDS = {
    "run": Command(
        "agent.commands.run",
        "常驻运行，直到停止",
        "run in the foreground until stopped",
        unattended=True,
    ),
    "once": Command(
        "agent.commands.once", "显示一份报告，不上报", "print one report; sends nothing"
    ),
    "line": Command("agent.commands.line", "测一次线路", "run one line test"),
    "equipment": Command(
        "agent.commands.equipment", "列出这台电脑的设备", "list this PC's devices"
    ),
    "outbox": Command(
        "agent.commands.outbox", "清点还没有回执的报告", "count reports without a receipt"
    ),
    "status": Command(
        "agent.commands.status", "显示代理当前的状态", "show the running agent's state"
    ),
    "install": Command("agent.commands.install", "装成服务并启动", "install and start the service"),
    "uninstall": Command(
        "agent.commands.uninstall", "停止并卸载服务", "stop and remove the service"
    ),
    "prepare-image": Command(
        "agent.commands.prepare_image",
        "做镜像之前清除本机标识和报告",
        "clear this PC's identity before imaging",
    ),
    "service": Command(
        "agent.commands.service", "只由 Windows 启动", "started by Windows only", unattended=True
    ),
    "doctor": Command(
        "agent.commands.doctor", "逐项检查，给出办法", "run checks and suggest fixes"
    ),
}


def main() -> int:
    """The console command."""
    return run("schoolpulse-agent", COMMANDS, version=VERSION, settings=present())


if __name__ == "__main__":
    sys.exit(main())
