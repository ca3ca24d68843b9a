"""The steps of the line rules in words, with all their numbers. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.common.language import counted
from agent.common.vocabulary.lines import CONGESTED
from agent.common.vocabulary.reasons import REASONS
from agent.common.vocabulary.words import Words
from collector.compliance.line_rule import limit
from collector.compliance.model import JudgedLine, Step
from collector.compliance.standing import Opinion, Standing
from collector.compliance.verdicts import Finding
from collector.compliance.words import named
from collector.config import Figure as Settings

_RULES = {
    "p90": ("第 90 百分位（第 ⌈0.9n⌉ 小）", "90th percentile (the ⌈0.9n⌉-th smallest)"),
    "fcc80": ("第 20 百分位（至少 80% 的测试达到它）", "rate that 80% of the tests reach"),
}


def mbps(rate: float | None) -> str:
    """A rate as text with two decimals, rounded down."""
    return "—" if rate is None else f"{int(rate * 100 + 1e-6) / 100:.2f}"


def bundle_steps(
    lines: Sequence[JudgedLine], stands: Standing, ended: Opinion | None, settings: Settings
) -> list[Step]:
    """Each line's result, its tests that are not evidence or in doubt, and what stands or ended."""
    steps = []
    for line in lines:
        steps.append(_line_step(line, settings))
        if line.refused:
            steps.append(_counted_step(line, "refused", line.refused))
        if line.doubts:
            steps.append(_counted_step(line, "doubts", line.doubts))
    if lines and ended:
        steps.append(_ended_step(lines, ended, stands))
    if lines and stands.before:
        steps.append(_earlier_step(lines, stands))
    return steps


def _line_step(line: JudgedLine, settings: Settings) -> Step:
    rule_zh, rule_en = _RULES[settings.rule]
    needed = limit(settings)
    numbers = {
        "line": line.line,
        "campus": line.campus,
        "quiet_tests": line.tests,
        "quiet_days": line.days,
        "lesson_tests": line.lesson_tests,
        "min_tests": settings.min_tests,
        "min_days": settings.min_test_days,
        "rule": settings.rule,
        "statistic_mbps": line.statistic,
        "limit_mbps": float(needed),
        "median_mbps": line.median,
        "lesson_median_mbps": line.lesson_median,
        "congested": line.congested,
        "between": line.between,
    }
    zh = (
        f"{named('线路', line.line)}：窗口内有效的课外测试 {line.tests} 次、{line.days} 天"
        f"（要求至少 {settings.min_tests} 次、{settings.min_test_days} 天），"
        f"课内 {line.lesson_tests} 次"
    )
    en = (
        f"Line {line.line}: {counted(line.tests, 'valid quiet test')} on "
        f"{counted(line.days, 'day')} of the window "
        f"(at least {settings.min_tests} on {settings.min_test_days} needed), "
        f"{line.lesson_tests} in lessons"
    )
    if line.statistic is not None:
        zh += f"；{rule_zh} {mbps(line.statistic)} Mbit/s，门限 {float(needed):g}"
        en += f"; {rule_en} {mbps(line.statistic)} Mbit/s, limit {float(needed):g}"
    tail_zh, tail_en = _tail(line)
    return Step("line", zh + tail_zh, en + tail_en, numbers)


def _tail(line: JudgedLine) -> tuple[str, str]:
    zh = en = ""
    if line.lesson_median is not None:
        zh += f"；课内中位数 {mbps(line.lesson_median)}（只供参考）"
        en += f"; median in lessons {mbps(line.lesson_median)} (decides nothing)"
    if line.congested:
        zh += f"；{CONGESTED.zh}（中位数 {mbps(line.median)}）"
        en += f"; {CONGESTED.en} (median {mbps(line.median)})"
    if line.between:
        zh += "；达标有赖于容差"
        en += "; meets by the tolerance"
    return zh, en


_COUNTED = {
    "refused": Words("不作为证据的测试", "tests that are no evidence"),
    "doubts": Words("算作证据但有疑点的测试", "tests that count and are in doubt"),
}


def _counted_step(line: JudgedLine, rule: str, counts: Mapping[str, int]) -> Step:
    zh = "，".join(f"{REASONS[why].zh} {count} 次" for why, count in sorted(counts.items()))
    en = ", ".join(f"{REASONS[why].en}: {count}" for why, count in sorted(counts.items()))
    what = _COUNTED[rule]
    return Step(
        rule,
        f"{named('线路', line.line)}：{what.zh}：{zh}",
        f"Line {line.line}: {what.en}: {en}",
        {"line": line.line, **counts},
    )


def _ended_step(lines: Sequence[JudgedLine], ended: Opinion, stands: Standing) -> Step:
    name = "+".join(line.line for line in lines)
    yes = stands.yes or stands.cleared
    return Step(
        "cleared",
        f"{named('线路', name)}：{ended.day} 的不达标由 {yes} 的达标测试消除",
        f"Line {name}: the no of {ended.day} was cleared by the tests up to {yes}",
        {"line": name, "no": ended.day.isoformat(), "yes": yes.isoformat() if yes else None},
    )


def _earlier_step(lines: Sequence[JudgedLine], stands: Standing) -> Step:
    assert stands.before is not None
    name = "+".join(line.line for line in lines)
    day = stands.before.day
    if stands.before.yes:
        zh, en = f"上次实测达标 {day}，已在窗口之外", f"last met {day}, outside the window"
    else:
        zh = f"截至 {day} 的测试不达标，此后没有达标证据，仍然有效"
        en = f"did not meet by tests up to {day}; no later yes, so it stands"
    numbers = {"line": name, "day": day.isoformat(), "yes": stands.before.yes}
    return Step("earlier", f"{named('线路', name)}：{zh}", f"Line {name}: {en}", numbers)


def campus_step(campus: str, finding: Finding, settings: Settings) -> Step:
    """The result of a campus's lines together."""
    if finding.yes:
        zh, en = "有达标线路", "has a line that meets"
    elif finding.no:
        zh, en = "所有线路实测不达标", "no line meets, all were tested"
    else:
        zh, en = "证据不足，不作结论", "too little evidence for a word"
    if settings.bonded:
        zh, en = f"{zh}（各线路相加）", f"{en} (lines added up)"
    numbers = {"campus": campus, "meets": True if finding.yes else False if finding.no else None}
    return Step(
        "campus", f"{named('校区', campus)}：{zh}", f"Campus {campus or '—'}: {en}", numbers
    )


def contract_step(
    rates: Mapping[str, Sequence[float | None]], word: bool | None, settings: Settings
) -> Step:
    """The contracts' rates against the threshold; alone they make a unit at most declared."""
    said = {
        True: ("达到", "reach"),
        False: ("没有达到", "do not reach"),
        None: ("不知是否达到", "may or may not reach"),
    }[word]
    zh_rates = "；".join(f"{named('校区', name)} {_rates(row)}" for name, row in rates.items())
    en_rates = "; ".join(f"campus {name or '—'} {_rates(row)}" for name, row in rates.items())
    threshold = f"{settings.threshold_mbps:g}"
    return Step(
        "register",
        f"台账合同带宽：{zh_rates or '没有登记线路'} Mbit/s，{said[0]} {threshold} Mbit/s",
        f"Contracts: {en_rates or 'no line registered'} Mbit/s; they {said[1]} {threshold} Mbit/s",
        {"contracts_mbps": {name: list(row) for name, row in rates.items()}, "says": word},
    )


def _rates(rates: Sequence[float | None]) -> str:
    return "、".join("?" if rate is None else f"{rate:g}" for rate in rates) or "无线路"
