"""What IT staff decide about single PCs: bound to a room, retired, merged. Pure.

Decisions are kept apart from the sheets and outlive an import: the sheets are written once a
year, a PC may move on any day.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from agent.common.language import say
from collector.roster.problems import Problem
from collector.roster.register import Decision, Register
from collector.roster.sheets.records import Table

_MACHINE = re.compile("[0-9a-f]{32}", re.ASCII)


def check(table: Table, register: Register) -> Iterator[Problem]:
    """Check every decision against the register in force."""
    for record in table.records:
        school, machine = record.get("school"), record.get("machine")
        if school and school not in register.schools:
            wrong = say("台账里没有这所学校", "is not a school in the register")
            yield record.problem("school", wrong, say("核对学校标识码", "check the code"))
        if machine and not _MACHINE.fullmatch(machine):
            wrong = say("不是 32 位机器号", "is not a 32-digit machine id")
            fix = say("schoolpulse machines list 列出机器号", "see schoolpulse machines list")
            yield record.problem("machine", wrong, fix)
        fault = _wrong_target(register, record.get("act"), school, record.get("target") or "")
        if fault and record.bad.isdisjoint({"school", "act", "target"}):
            yield record.problem("target", *fault)


def _wrong_target(
    register: Register, act: str | None, school: str | None, target: str
) -> tuple[str, str] | None:
    if act == "bind" and (school or "", target) not in register.room:
        known = [room.room for room in register.rooms_of.get(school or "", [])]
        named = say("教室有：", "rooms: ") + say("、", ", ").join(known[:20])
        return say("这所学校没有这间教室", "is not a room of this school"), named
    if act == "merge" and not _MACHINE.fullmatch(target):
        return (
            say("合并要填另一台的 32 位机器号", "must be the other PC's id"),
            say("保留的那台的机器号", "of the one that stays"),
        )
    if act in ("retire", "forget") and target:
        return say("这一项不填目标", "must be empty here"), say("清空", "leave it empty")
    return None


def decisions_of(table: Table) -> list[Decision]:
    """The decisions of a table without errors."""
    return [
        Decision(
            record.values["school"],
            record.values["machine"],
            record.values["act"],
            record.get("target") or "",
        )
        for record in table.records
    ]


def circles(decisions: Iterable[Decision]) -> list[str]:
    """Machine ids that are merged into themselves, directly or through other PCs.

    `decisions` are in the order in which they were made: the last one on a PC counts.
    """
    last = {(row.school, row.machine): row for row in decisions}
    into = {key: (key[0], row.target) for key, row in last.items() if row.act == "merge"}
    found = []
    for key in into:
        seen, at = {key}, into[key]
        while at in into and at not in seen:
            seen.add(at)
            at = into[at]
        if at == key:
            found.append(key[1])
    return found
