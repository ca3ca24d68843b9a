"""The indicators that the register alone decides: declared is the best that can come out. Pure.

Each counts something that no PC can report, in schools that the settings need not count for others.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping

from collector.compliance.model import Indicator, Step, Unit
from collector.compliance.verdicts import Declared, Finding, decide
from collector.roster.register import TEACHING_POINT, Register, School


def packages(indicator: Indicator, register: Register, schools: Iterable[School]) -> Iterator[Unit]:
    """教学点资源包: one unit a teaching point, by its column in the register."""
    for school in schools:
        if school.type == TEACHING_POINT:
            yield _package(indicator, register, school)


def _package(indicator: Indicator, register: Register, school: School) -> Unit:
    says = school.resource_package
    zh = {True: "有", False: "没有", None: "没有填"}[says]
    en = {True: "yes", False: "no", None: "not filled in"}[says]
    step = Step("register", f"台账：资源包 {zh}", f"Register: package: {en}", {"says": says})
    return _unit(indicator, register, school, school.name, Declared(says, (step,)))


def spaces(indicator: Indicator, register: Register, schools: Iterable[School]) -> Iterator[Unit]:
    """专任教师网络空间: the teachers of each school, in two units, with a space and without one.

    A school whose teachers are not counted has none; where only their spaces are not, they are
    unknown.
    """
    for school in schools:
        yield from _spaces(indicator, register, school)


def _spaces(indicator: Indicator, register: Register, school: School) -> Iterator[Unit]:
    teachers, given = school.teachers or 0, school.teacher_spaces
    told = "?" if given is None else given
    step = Step(
        "register",
        f"台账：专任教师 {teachers} 人，开通空间 {told} 人",
        f"Register: {teachers} teachers, {told} with a space",
        {"teachers": teachers, "spaces": given},
    )
    have = min(given or 0, teachers)
    without = None if given is None else False
    for name, says, count in (("已开通", True, have), ("未开通", without, teachers - have)):
        if count:
            yield _unit(indicator, register, school, name, Declared(says, (step,)), count)


def _unit(
    indicator: Indicator,
    register: Register,
    school: School,
    name: str,
    declared: Declared,
    count: int = 1,
) -> Unit:
    # Without evidence and inspections neither the day nor how long they last matters.
    verdict, steps = decide(Finding(), (), declared, dt.date.max, 0)
    district = register.district_of(school.code)
    return Unit(indicator, school.code, district, name, verdict, steps, count=count)


#: By rule: the units of all schools that exist at the cut-off, of a type that counts or not.
RULES: Mapping[str, Callable[[Indicator, Register, Iterable[School]], Iterator[Unit]]] = {
    "resource_package": packages,
    "teacher_space": spaces,
}
