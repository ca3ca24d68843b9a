"""What a restore does not bring back, in words, each with what to do. Pure."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from agent.common.calendar import local_time
from agent.common.language import say
from collector.backup.manifest import Manifest
from collector.backup.planning import Plan
from collector.backup.sources import ALSO, SETTINGS

_WEEK = dt.timedelta(days=7)


def losses(
    manifest: Manifest, plan: Plan, now: dt.datetime, *, unlocked: bool, boards: bool
) -> Iterator[str]:
    """One sentence a loss. `boards`: Grafana's were put back."""
    yield from _since(manifest, now)
    yield from _settings(manifest, plan, unlocked=unlocked)
    if manifest.kind("board") and not boards:
        count = len(manifest.kind("board"))
        yield say(
            f"Grafana 的 {count} 个看板没有恢复：加 --grafana 地址",
            f"Grafana's {count} boards were not restored: add --grafana URL",
        )
    yield say(
        "Grafana 的告警规则和静默不在备份里：schoolpulse dashboards push --alerts、"
        "schoolpulse mute list --url",
        "Grafana's alert rules and silences are not in a backup: schoolpulse dashboards push "
        "--alerts, schoolpulse mute list --url",
    )


def _since(manifest: Manifest, now: dt.datetime) -> Iterator[str]:
    made = local_time(manifest.made / 1000)
    at, until = f"{made:%Y-%m-%d %H:%M}", f"{now:%Y-%m-%d %H:%M}"
    yield say(
        f"{at} 至 {until} 收到的设备、主机上报（遥测）没有了；这期间的线路测试向各校电脑要回，"
        "没有回执的上报会自己再来",
        f"reports of devices and hosts (telemetry) received from {at} to {until} are gone; line "
        "tests of that time are asked for again, and reports without a receipt come by themselves",
    )
    if now - made > _WEEK:
        lost = f"{now - _WEEK:%Y-%m-%d %H:%M}"
        yield say(
            f"{at} 至 {lost} 的线路测试要不回来：电脑只保留 7 天",
            f"line tests from {at} to {lost} cannot come back: PCs keep them for 7 days",
        )
    yield say(
        f"{at} 以后登记的核查、决定、策略、静默、台账导入没有了：再做一遍",
        f"inspections, decisions, policies, mutes and imports entered after {at} are gone: enter "
        "them again",
    )


def _settings(manifest: Manifest, plan: Plan, *, unlocked: bool) -> Iterator[str]:
    out = list(manifest.left_out)
    if not unlocked:
        out += [part.name for part in manifest.parts if part.sealed]
    if plan.kept is not None:
        yield say(
            f"{plan.settings}: 已有设置，保留；备份里的设置和密钥没有放进去（--replace 则取代）",
            f"{plan.settings}: the settings that are there stay; those of the backup, and the "
            "secrets beside them, were not restored (--replace does)",
        )
        out = [name for name in out if name.partition("/")[0] != SETTINGS]
    for name in out:
        yield say(f"{name}: 密钥未恢复，另行放好", f"{name}: a secret, not restored; put it there")
    for name, place in manifest.places.items():
        if name.startswith(ALSO) and str(plan.folders[name]) != place.path:
            yield say(
                f"{place.path} 的文件放在 {plan.folders[name]}：自行移到位",
                f"the files of {place.path} are in {plan.folders[name]}: move them yourself",
            )
