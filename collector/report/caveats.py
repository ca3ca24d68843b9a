"""What must be read with the figure: it is never shown without these sentences. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from fractions import Fraction

from agent.common.language import say
from agent.common.vocabulary.indicators import SHARES
from agent.common.vocabulary.lines import CONGESTED
from agent.common.vocabulary.schools import TYPES
from agent.common.vocabulary.thresholds import label
from agent.common.vocabulary.words import word
from collector.compliance.computer_room import FEW_SEATS, with_few_seats
from collector.compliance.model import Figure, Tally, Verdict
from collector.compliance.shares import exact, shown
from collector.compliance.targets import goal, target
from collector.report import doubts

_NAMED = 20  # small computer rooms that the sentence lists


def sentences(figure: Figure) -> Iterator[str]:
    """Contract against measured, the tolerance, what was counted apart, and schools not counted."""
    if "line" in figure.indicators:
        yield _contract(figure)
        measured = figure.tallies[figure.areas[0].code, "line"]
        yield _tolerance(figure, measured, goal(target(figure, "line")))
    yield _measured(figure)
    yield from _rooms(figure)
    yield from doubts.sentences(figure)
    if figure.apart:
        apart = (f"{word(TYPES, kind)} {count}" for kind, count in sorted(figure.apart.items()))
        listed = say("、", ", ").join(apart)
        yield say(f"另列、不计入的学校：{listed}", f"Listed apart, not counted: {listed}")


def _contract(figure: Figure) -> str:
    contract = figure.contract.get(figure.areas[0].code, Tally(Counter()))
    measured = figure.tallies[figure.areas[0].code, "line"]
    asked = goal(target(figure, "line"))
    named = label(figure.settings.threshold_mbps)
    paper = shown(contract.reported, asked)
    counts = f"{contract.counts[Verdict.DECLARED]}/{contract.all}"
    real = shown(measured.verified, asked)
    return say(
        f"登记接入带宽（合同 ≥ {named}）：{paper}（{counts}）；"
        f"实测（学校到市测速服务器，不是到互联网）：{real}",
        f"By contract (≥ {named}): {paper} ({counts}); "
        f"measured (school to the city's server, not to the Internet): {real}",
    )


def _rooms(figure: Figure) -> Iterator[str]:
    """Classes and computer rooms whose verdict needs a second look; none, no sentence."""
    kinds = figure.notes.get("classes_kind_from_register", 0)
    moved = figure.notes.get("classes_display_elsewhere", 0)
    small = figure.notes.get("computer_rooms_few_seats", 0)
    if kinds:
        yield say(
            f"实测达标的班级中，显示设备的种类取自台账的：{kinds} 个",
            f"Classes verified with the display's kind taken from the register: {kinds}",
        )
    if moved:
        yield say(
            f"所见显示设备计在别的教室、因而未核实的班级：{moved} 个",
            f"Classes not verified that saw a display which counts for another room: {moved}",
        )
    if small:
        yield say(
            f"座位不足 {FEW_SEATS} 个的计算机教室：{small} 间{_small_rooms(figure)}",
            f"Computer rooms under {FEW_SEATS} seats: {small}{_small_rooms(figure)}",
        )


def _tolerance(figure: Figure, measured: Tally, asked: Fraction | None) -> str:
    rules, notes = figure.settings, figure.notes
    top = exact(rules.threshold_mbps)
    low = float(exact(rules.tolerance) * top)
    between = notes.get("lines_between", 0)
    counted = say(
        f"介于 {low:g} 与 {float(top):g} Mbit/s 之间的线路：{between} 条",
        f"Lines between {low:g} and {float(top):g} Mbit/s: {between}",
    )
    if "schools_lost_without_tolerance" not in notes:  # an area by itself
        return counted
    good = measured.counts[Verdict.VERIFIED] + measured.counts[Verdict.INSPECTED]
    strict = good - notes["schools_lost_without_tolerance"]
    share = Fraction(strict, measured.all) if measured.all else None
    verified = SHARES["verified_share"]
    return counted + say(
        f"；不计容差的{verified.zh}：{shown(share, asked)}（{strict}/{measured.all}）",
        f"; {verified.en} without tolerance: {shown(share, asked)} ({strict}/{measured.all})",
    )


def _measured(figure: Figure) -> str:
    notes = figure.notes
    lines, measured = notes.get("lines", 0), notes.get("lines_measured", 0)
    congested = notes.get("lines_congested", 0)
    return say(
        f"登记线路 {lines} 条，窗口内有有效测试的 {measured} 条；{CONGESTED.zh} {congested} 条",
        f"Lines registered: {lines}, with valid tests in the window: {measured}; "
        f"{CONGESTED.en}: {congested}",
    )


def _small_rooms(figure: Figure) -> str:
    """The computer rooms into which hardly a class fits, by name, in brackets."""
    codes = [unit.school for unit in figure.units if unit.indicator == "computer_room"]
    schools = figure.register.schools
    rooms = with_few_seats(figure.register, (schools[code] for code in dict.fromkeys(codes)))
    named = [f"{schools[room.school].name} {room.name or room.room}" for room in rooms]
    if not named:
        return ""
    listed = say("、", ", ").join(named[:_NAMED])
    if len(named) > _NAMED:
        listed += say("等", ", …")
    return say(f"（{listed}）", f" ({listed})")
