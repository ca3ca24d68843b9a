"""Fixes for Windows error numbers when the service cannot be created, started or removed.

The numbers are from Microsoft's "System Error Codes" and the pages of the service functions.
"""

from __future__ import annotations

from agent.common.language import say

#: The service is installed and starts with the PC; it did not answer in time, or ended again.
LATE = (1053, 1066, 1067)


def fix(code: int) -> str:
    """What to do about error `code`; empty where we know no fix."""
    return next((say(zh, en) for codes, zh, en in _FIXES if code in codes), "")


_LATER = (
    "服务已装好，下次开机会自己启动；现在就要：sc start SchoolPulseAgent",
    "the service is there and starts with the PC; for now: sc start SchoolPulseAgent",
)
_FIXES = (
    (
        (5,),
        "没有权限：在「以管理员身份运行」的命令行里再来一次",
        "no right to: run it again from an administrator's command line",
    ),
    (
        (1053,),
        f"没有及时应答：{_LATER[0]}。若每次如此，把程序目录加入杀毒软件的信任区，并查看 agent.log",
        f"it did not answer in time: {_LATER[1]}. If it never does, let the virus scanner trust"
        " the program's folder, and look into agent.log",
    ),
    (
        (1066, 1067),
        f"启动后又退出了，原因在数据目录的 agent.log 里；{_LATER[0]}",
        f"it ended again, agent.log in the data folder says why; {_LATER[1]}",
    ),
    (
        (1058,),
        "服务被禁用（多半是优化软件或组策略）：sc config SchoolPulseAgent start= auto，再来一次",
        "it is disabled, by a tuning tool or a group policy: sc config SchoolPulseAgent start="
        " auto, then again",
    ),
    (
        (1056,),
        "它已经在运行，不用再做什么；要换新的，先 schoolpulse-agent uninstall",
        "it runs already, nothing is left to do; to replace it: schoolpulse-agent uninstall",
    ),
    (
        (1060,),
        "没有这个服务：先 schoolpulse-agent install",
        "there is no such service: schoolpulse-agent install first",
    ),
    (
        (1072,),
        "旧的服务正等着删除：关掉「服务」「任务管理器」等窗口再来一次，不行就重启电脑",
        "the old one waits to be deleted: close Services and Task Manager and try again, or"
        " restart the PC",
    ),
    (
        (1073, 1078),
        "已有同名的服务：先 schoolpulse-agent uninstall；还在就 sc delete SchoolPulseAgent",
        "a service of this name is there: schoolpulse-agent uninstall first, or"
        " sc delete SchoolPulseAgent",
    ),
    (
        (1115, 1255),
        "电脑正在关机：开机以后再来一次",
        "the PC is shutting down: again when it is up",
    ),
    (
        (2, 3, 193, 216),
        "服务的程序找不到或不能运行（可能被杀毒软件隔离）：重新安装，并把程序目录加入信任区",
        "its program is missing or cannot run, perhaps in a virus scanner's quarantine: install"
        " again, and let the scanner trust the folder",
    ),
    (
        (225, 577, 1260, 4551),
        "被杀毒软件或组策略拦下了：请管理员放行 schoolpulse-agent.exe",
        "a virus scanner or a group policy stopped it: have schoolpulse-agent.exe allowed",
    ),
    (
        (1063,),
        "这条命令由 Windows 启动；人用的是 schoolpulse-agent run，或 install",
        "Windows itself starts this command; people use schoolpulse-agent run, or install",
    ),
)
