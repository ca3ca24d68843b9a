"""`schoolpulse`: the commands of the city side."""

from __future__ import annotations

import gc
import sys

from agent.common.command_line import Command
from agent.common.command_line import main as run
from agent.version import VERSION
from collector.config import DEFAULT_FILE

COMMANDS = {
    "demo": Command(
        "collector.commands.demo",
        "在本机完整演示一次，城市是模拟的",
        "run everything once on this machine, with a simulated city",
    ),
    "up": Command(
        "collector.commands.up",
        "在本机运行全部服务和页面，直到 Ctrl-C",
        "run everything and the pages on this machine, until Ctrl-C",
    ),
    "web": Command(
        "collector.commands.web",
        "全市数据的网页（只读）",
        "the city's pages in a browser (read only)",
        unattended=True,
    ),
    "collect": Command(
        "collector.commands.collect", "运行采集服务", "run the collector service", unattended=True
    ),
    "lineserver": Command(
        "collector.commands.lineserver",
        "运行测速服务器",
        "run the line measurement server",
        unattended=True,
    ),
    "roster": Command(
        "collector.commands.roster",
        "台账：模板、检查、导入、导出",
        "school register: templates, check, import, export",
    ),
    "policy": Command(
        "collector.commands.policy",
        "查看或修改测速与上报的策略",
        "show or change how lines are tested and PCs report",
    ),
    "setup": Command(
        "collector.commands.setup",
        "准备本市：CA、消息服务器的文件、各服务的凭据",
        "prepare the city: CA, the broker's files, the services' credentials",
    ),
    "enrol": Command(
        "collector.commands.enrol",
        "注册学校：凭据、安装包；换发、停用、检查",
        "schools' credentials and bundles: make, list, check, rotate, revoke",
    ),
    "ca": Command("collector.commands.ca", "查看或更换 CA", "show or renew the city's CA"),
    "figure": Command(
        "collector.commands.figure", "计算年度指标", "print the yearly compliance figure"
    ),
    "report": Command("collector.commands.report", "写出年度报告", "write the yearly report files"),
    "freeze": Command(
        "collector.commands.freeze",
        "冻结一个年度，写成存档",
        "freeze a year's figure as an archive",
    ),
    "verify": Command(
        "collector.commands.verify",
        "核对存档，重新计算",
        "check an archive and make its figure again",
    ),
    "rollup": Command(
        "collector.commands.rollup",
        "把几个市县的存档合计成一个指标",
        "add the archives of several cities or counties up",
    ),
    "simulate": Command(
        "collector.commands.simulate", "模拟一座城市", "generate simulated data for a city"
    ),
    "inspect": Command(
        "collector.commands.inspect", "登记或列出现场核查", "add or list on-site inspections"
    ),
    "equipment": Command(
        "collector.commands.equipment", "列出设备和现状", "list devices and their current state"
    ),
    "faults": Command(
        "collector.commands.faults", "列出故障和不见的设备", "list faulty or missing devices"
    ),
    "machines": Command(
        "collector.commands.machines", "列出电脑，绑定到教室", "list PCs, bind them to rooms"
    ),
    "calendar": Command(
        "collector.commands.calendar",
        "校历：导入节假日、调休、学期，列出，检查",
        "holidays, make-up days and terms: import, list, check",
    ),
    "mute": Command("collector.commands.mute", "暂停一所学校的告警", "silence alerts for a school"),
    "dashboards": Command(
        "collector.commands.dashboards",
        "生成或推送 Grafana 看板",
        "build or push Grafana dashboards",
    ),
    "quarantine": Command(
        "collector.commands.quarantine",
        "列出或重放读不了、存不了的报文",
        "list or replay messages that could not be stored",
    ),
    "held": Command(
        "collector.commands.held",
        "列出暂不入库的上报：学校、原因、办法",
        "list reports that are held: school, reason, fix",
    ),
    "release": Command(
        "collector.commands.release",
        "代理的新版本：登记、分批下发、撤回",
        "new versions of the agent: add, hand out in stages, withdraw",
    ),
    "evidence": Command(
        "collector.commands.evidence",
        "移除伪造或误报的数据，留副本和记录",
        "remove forged or mistaken rows, with a copy and a record",
    ),
    "status": Command(
        "collector.commands.status",
        "每所学校的状态：静默、暂存、测速被拒，和办法",
        "each school's state: silent, held, tests refused, and what to do",
    ),
    "backup": Command(
        "collector.commands.backup",
        "把全部数据和设置备份成一个文件，运行中也可以",
        "save all data and settings in one file, while running",
    ),
    "restore": Command(
        "collector.commands.restore",
        "恢复备份，并列出恢复不了的",
        "restore a backup, and list what does not come back",
    ),
    "ask-again": Command(
        "collector.commands.ask_again",
        "向各校电脑要回近几天的线路测试",
        "ask the PCs for the last days' line tests again",
    ),
    "doctor": Command(
        "collector.commands.doctor", "逐项检查，给出办法", "run checks and suggest fixes"
    ),
}


#: Objects made before Python looks for cycles among them, 700 by default: a year's rows come by
#: the hundred thousand and hold none, so looking costs a quarter of a figure's time for nothing.
_OBJECTS_BETWEEN_LOOKS = 50_000


def main() -> int:
    """The console command."""
    gc.set_threshold(_OBJECTS_BETWEEN_LOOKS)
    return run("schoolpulse", COMMANDS, version=VERSION, settings=DEFAULT_FILE)


if __name__ == "__main__":
    sys.exit(main())
