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
    "the service is installed and starts with the PC; to start it now: sc start SchoolPulseAgent",
)
_FIXES = (
    (
        (5,),
        "没有权限：在「以管理员身份运行」的命令行里再来一次",
        "access denied: run it again from an administrator command prompt",
    ),
    (
        (1053,),
        f"没有及时应答：{_LATER[0]}。若每次如此，把程序目录加入杀毒软件的信任区，并查看 agent.log",
        f"it did not respond in time: {_LATER[1]}. If this keeps happening, add the program's"
        " folder to the antivirus exclusions, and check agent.log",
    ),
    (
        (1066, 1067),
        f"启动后又退出了，原因在数据目录的 agent.log 里；{_LATER[0]}",
        f"it stopped again after starting, see agent.log in the data folder; {_LATER[1]}",
    ),
    (
        (1058,),
        "服务被禁用（多半是优化软件或组策略）：sc config SchoolPulseAgent start= auto，再来一次",
        "the service is disabled, by a tuning tool or group policy: run sc config"
        " SchoolPulseAgent start= auto, then try again",
    ),
    (
        (1056,),
        "它已经在运行，不用再做什么；要换新的，先 schoolpulse-agent uninstall",
        "it is already running; to replace it, first run schoolpulse-agent uninstall",
    ),
    (
        (1060,),
        "没有这个服务：先 schoolpulse-agent install",
        "no such service: run schoolpulse-agent install first",
    ),
    (
        (1072,),
        "旧的服务正等着删除：关掉「服务」「任务管理器」等窗口再来一次，不行就重启电脑",
        "the old service is marked for deletion: close Services and Task Manager and try again,"
        " or restart the PC",
    ),
    (
        (1073, 1078),
        "已有同名的服务：先 schoolpulse-agent uninstall；还在就 sc delete SchoolPulseAgent",
        "a service of this name exists: run schoolpulse-agent uninstall first, or"
        " sc delete SchoolPulseAgent",
    ),
    (
        (1115, 1255),
        "电脑正在关机：开机以后再来一次",
        "the PC is shutting down: try again after it has started",
    ),
    (
        (2, 3, 193, 216),
        "服务的程序找不到或不能运行（可能被杀毒软件隔离）：重新安装，并把程序目录加入信任区",
        "the service's program is missing or cannot run (antivirus quarantine?): reinstall, and"
        " add the program's folder to the antivirus exclusions",
    ),
    (
        (225, 577, 1260, 4551),
        "被杀毒软件或组策略拦下了：请管理员放行 schoolpulse-agent.exe",
        "blocked by antivirus or group policy: have schoolpulse-agent.exe allowed",
    ),
    (
        (1063,),
        "这条命令由 Windows 启动；人用的是 schoolpulse-agent run，或 install",
        "this command is started by Windows; use schoolpulse-agent run, or install",
    ),
)
