"""How a school stands with the collector, the worst first, and what to do. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from agent.common.vocabulary.words import Words

REPORTING = "reporting"
#: A school's state is its first finding in this order; `reporting` is that of one without any.
STATES: Mapping[str, Words] = {
    "held": Words("上报被暂存", "held"),
    "silent": Words("静默", "silent"),
    "not_enrolled": Words("没有凭据", "no credential"),
    "never_seen": Words("从未上报", "never seen"),
    "key_missing": Words("缺测速密钥", "line key missing"),
    "tests_refused": Words("测速被拒", "tests refused"),
    "retired_reports": Words("报废的还在上报", "retired PCs report"),
    "clock_off": Words("时钟不准", "clock off"),
    "old_version": Words("版本旧", "old version"),
    REPORTING: Words("正常上报", "reporting"),
}
#: What ends it; {school} is the school's code. Of a held report `held.FIXES` has it.
FIXES: Mapping[str, Words] = {
    "silent": Words(
        "问学校：停电、断网？在一台电脑上运行 schoolpulse-agent doctor",
        "ask the school: power, network? Run schoolpulse-agent doctor on one of its PCs",
    ),
    "not_enrolled": Words("schoolpulse enrol {school}", "schoolpulse enrol {school}"),
    "never_seen": Words(
        "在学校的电脑上安装代理；装了的，运行 schoolpulse-agent doctor",
        "install the agent on its PCs; where it is, run schoolpulse-agent doctor",
    ),
    "key_missing": Words(
        "没有 {school}.key：schoolpulse enrol {school}，或 lineserver --new-key {school}",
        "no {school}.key: schoolpulse enrol {school}, or lineserver --new-key {school}",
    ),
    "tests_refused": Words(
        "在这些电脑上运行 schoolpulse-agent line，核对密钥和线路名",
        "run schoolpulse-agent line on these PCs; check key and line name",
    ),
    "retired_reports": Words(
        "卸载代理；还在用的：schoolpulse machines forget",
        "uninstall the agent; if still in use: schoolpulse machines forget",
    ),
    "clock_off": Words("在这些电脑上打开自动对时", "turn on automatic time sync on these PCs"),
    "old_version": Words("升级这些电脑上的代理", "upgrade the agent on these PCs"),
}
