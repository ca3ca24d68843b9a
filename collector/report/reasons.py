"""Why a unit does not count as met, from the numbers of its steps. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from typing import NamedTuple

from agent.common.vocabulary.devices import KINDS
from agent.common.vocabulary.reasons import REASONS as FAULTS
from agent.common.vocabulary.words import Words, listed
from collector.compliance.line_text import mbps
from collector.compliance.model import Step, Unit, Verdict
from collector.report import kinds


class Reason(NamedTuple):
    """A code of `agent.common.vocabulary.actions`, and its numbers in words (may be empty)."""

    code: str
    detail: Words = Words("", "")


def reason(unit: Unit) -> Reason:
    """What stands between the unit and a yes from evidence; one reason, the cheapest to end."""
    because = unit.steps[-1].numbers.get("because") if unit.steps else None
    if because == "inspection":
        return Reason("inspected", _inspection(unit.steps))
    if because == "telemetry":
        return _denied(unit)
    if unit.verdict is Verdict.SHORT:
        return _lacking(unit)
    return _OPEN.get(kinds.rule(unit.indicator), _by_register)(unit)


def _steps(unit: Unit, rule: str) -> list[Mapping[str, object]]:
    return [step.numbers for step in unit.steps if step.rule == rule]


def _inspection(steps: Iterable[Step]) -> Words:
    """Of the last one that says no."""
    visits = [step.numbers for step in steps if step.rule == "inspection"]
    denied = [row for row in visits if row.get("found") is False and not row.get("void")]
    numbers = (denied or visits or [{}])[-1]
    day, who, note = (str(numbers.get(key) or "") for key in ("day", "inspector", "note"))
    return Words(
        "，".join(filter(None, (day, who, note))), ", ".join(filter(None, (day, who, note)))
    )


def _denied(unit: Unit) -> Reason:
    """Telemetry said no: in the window, or before it and nothing cleared it since."""
    rooms = [numbers for numbers in _steps(unit, "room") if _names(numbers)]
    if rooms:
        code = "missing" if unit.verdict is Verdict.CONTRADICTED else "lacking"
        return Reason(code, _pieces(piece for room in rooms for piece in _names(room)))
    if kinds.rule(unit.indicator) == "line" and any(
        row.get("statistic_mbps") for row in _steps(unit, "line")
    ):
        # Without a contract in the register nobody knows that it is the contract which is low.
        low = unit.verdict is Verdict.SHORT and any(rate is not None for rate in _contracted(unit))
        return Reason("low_contract" if low else "slow", _rates(unit))
    days = [str(row["day"]) for row in _steps(unit, "earlier") if not row.get("yes")]
    if days:
        return Reason("standing", Words(f"{max(days)} 起", f"since {max(days)}"))
    return Reason("missing" if unit.verdict is Verdict.CONTRADICTED else "lacking")


def _names(room: Mapping[str, object]) -> Sequence[str]:
    """The pieces that a room lacks on as many days as make a no."""
    days = room.get("days_lacking")
    if days is not None and _number(days) < _number(room.get("days_needed")):
        return []
    pieces = room.get("lacking", room.get("never_seen"))
    return [str(piece) for piece in pieces] if isinstance(pieces, list | tuple) else []


def _pieces(pieces: Iterable[str]) -> Words:
    words = listed([KINDS.get(piece, Words(piece, piece)) for piece in dict.fromkeys(pieces)])
    return Words(f"缺{words.zh}", f"lacks {words.en}")


def _rates(unit: Unit) -> Words:
    """Every line's measured rate beside what it must reach."""
    zh, en = [], []
    for row in _steps(unit, "line"):
        rate, limit = _float(row.get("statistic_mbps")), _float(row.get("limit_mbps")) or 0.0
        zh.append(f"{row.get('line')}：实测 {mbps(rate)}，门限 {limit:g}")
        en.append(f"{row.get('line')}: measured {mbps(rate)}, limit {limit:g}")
    contract = _contracts(unit)
    return Words("；".join([*zh, contract.zh]), "; ".join([*en, contract.en]))


def _contracts(unit: Unit) -> Words:
    rates = _contracted(unit)
    if all(rate is None for rate in rates):
        return Words("合同带宽没有登记", "no contract registered")
    listed = ["?" if rate is None else f"{rate:g}" for rate in rates]
    return Words(f"合同 {'、'.join(listed)} Mbit/s", f"contract {', '.join(listed)} Mbit/s")


def _contracted(unit: Unit) -> list[float | None]:
    return [
        rate
        for row in _steps(unit, "register")
        for campus in _mapping(row.get("contracts_mbps")).values()
        for rate in _rates_of(campus)
    ]


def _rates_of(campus: object) -> Sequence[float | None]:
    return campus if isinstance(campus, list) else []


def _lacking(unit: Unit) -> Reason:
    if kinds.rule(unit.indicator) == "line":
        return Reason("low_contract", _contracts(unit))
    if kinds.rule(unit.indicator) == "multimedia":
        absent = [piece for row in _steps(unit, "register") for piece in row if row[piece] is False]
        return Reason("lacking", _pieces(absent) if absent else _NOTHING)
    return Reason("lacking")


def _multimedia(unit: Unit) -> Reason:
    rooms = _steps(unit, "room")
    bound = [row for row in rooms if row.get("room")]
    if not bound:
        return Reason("no_room")
    silent = [row for row in bound if not row.get("days_reported")]
    if silent:
        return _unheard(unit, silent)
    odd = next((row for row in bound if any(row.get(key) for key in _OPEN_DAYS)), None)
    if odd is not None:
        return _open_display(odd)
    some = [
        (row.get("days_complete"), row.get("days_needed"))
        for row in bound
        if _number(row.get("days_complete")) < _number(row.get("days_needed"))
    ]
    if not some and unit.verdict is Verdict.UNKNOWN:
        return Reason("unregistered")
    done, asked = min(some, key=lambda row: _number(row[0]), default=("?", "?"))
    return Reason("few_days", Words(f"{done}/{asked} 天", f"{done} of {asked} days"))


#: Days on which a display was seen that proves nothing, and why.
_OPEN_DAYS = {"days_kind_unknown": "kind_unknown", "days_elsewhere": "elsewhere"}


def _open_display(room: Mapping[str, object]) -> Reason:
    key = max(_OPEN_DAYS, key=lambda key: _number(room.get(key)))
    days = _number(room.get(key))
    return Reason(_OPEN_DAYS[key], Words(f"{days} 天", f"{days} days"))


def _computer_room(unit: Unit) -> Reason:
    rooms = _steps(unit, "computer_room")
    if not rooms:
        return Reason("unregistered")
    usable = [row for row in rooms if row.get("pcs_needed")]
    if not usable:
        return Reason("no_seats")
    near = min(usable, key=lambda row: _number(row["pcs_needed"]) - _number(row.get("most_pcs")))
    if not near.get("most_pcs"):
        return _unheard(unit, usable)
    most, asked = near["most_pcs"], near["pcs_needed"]
    return Reason("few_pcs", Words(f"最多 {most} 台，需 {asked} 台", f"{most} of {asked} PCs"))


def _line(unit: Unit) -> Reason:
    lines = _open_lines(unit)
    if not lines:
        return Reason("unregistered")
    tests = sum(_number(row.get("quiet_tests")) + _number(row.get("lesson_tests")) for row in lines)
    if tests:
        return Reason("few_tests", _tests(lines))
    refused = _refused(unit, {row.get("line") for row in lines})
    if refused:
        (code, count), *_ = refused.most_common(1)
        word = FAULTS.get(code, Words(code, code))
        return Reason("refused", Words(f"{word.zh} {count} 次", f"{word.en}: {count}"))
    heard = _earlier(unit) or any(row.get("last_day") for row in lines)
    return Reason("silent" if heard else "no_tests", _since(unit, lines))


def _open_lines(unit: Unit) -> list[Mapping[str, object]]:
    """The lines of the campuses that the verdict waits for; one that meets explains nothing."""
    met = {row.get("campus") for row in _steps(unit, "campus") if row.get("meets")}
    lines = _steps(unit, "line")
    return [row for row in lines if row.get("campus") not in met] or lines


def _tests(lines: Sequence[Mapping[str, object]]) -> Words:
    """Of the line that has most."""
    best = max(lines, key=lambda row: _number(row.get("quiet_tests")))
    tests, days = best.get("quiet_tests"), best.get("quiet_days")
    asked, on = best.get("min_tests"), best.get("min_days")
    return Words(
        f"课外 {tests} 次 {days} 天，需 {asked} 次 {on} 天",
        f"{tests} quiet tests on {days} days, needs {asked} on {on}",
    )


def _refused(unit: Unit, lines: Set[object]) -> Counter[str]:
    found: Counter[str] = Counter()
    for row in _steps(unit, "refused"):
        if row.get("line") not in lines:
            continue
        found.update({key: _number(count) for key, count in row.items() if key != "line"})
    return found


def _unheard(unit: Unit, rooms: Sequence[Mapping[str, object]]) -> Reason:
    heard = _earlier(unit) or any(row.get("last_day") for row in rooms)
    return Reason("silent" if heard else "no_agent", _since(unit, rooms))


def _earlier(unit: Unit) -> bool:
    return bool(_steps(unit, "earlier"))


def _since(unit: Unit, rows: Sequence[Mapping[str, object]]) -> Words:
    """The last day that anything was heard of."""
    days = [str(row["last_day"]) for row in rows if row.get("last_day")]
    days += [str(row["day"]) for row in _steps(unit, "earlier") if row.get("day")]
    last = max(days, default="")
    return Words(f"最后上报 {last}", f"last heard of {last}") if last else _NOTHING


def _by_register(unit: Unit) -> Reason:
    """By a rule that has no numbers of its own."""
    return Reason("unproven" if unit.verdict is Verdict.DECLARED else "unregistered")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0


def _float(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _registered_alone(unit: Unit) -> Reason:
    return Reason("register_only" if unit.verdict is Verdict.DECLARED else "unregistered")


_NOTHING = Words("", "")
_OPEN: Mapping[str, Callable[[Unit], Reason]] = {
    "multimedia": _multimedia,
    "computer_room": _computer_room,
    "line": _line,
    "resource_package": _registered_alone,
    "teacher_space": _registered_alone,
}
