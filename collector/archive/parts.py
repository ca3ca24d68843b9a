"""Several frozen archives as one figure: what of each is added, and when they cannot be. Pure."""

from __future__ import annotations

import datetime as dt
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import msgspec

from agent.common.language import say
from collector import config
from collector.archive.errors import ArchiveError
from collector.archive.summary import FrozenYear
from collector.compliance.model import Area, Figure, Indicator, Tally, Verdict

#: Settings that change what is counted: archives that differ in them are not added.
_SAME = ("threshold_mbps", "rule", "indicators")


class Part(msgspec.Struct, frozen=True):
    """What of an archive goes into a sum."""

    summary: FrozenYear
    settings: config.Figure
    schools: dict[str, str]  # code -> name, those listed apart too
    apart: dict[str, int]
    notes: dict[str, int]

    @property
    def label(self) -> str:
        """As messages name it."""
        return f"{self.summary.city_name} {self.summary.year} ({self.summary.file})"


def added(parts: Sequence[Part], code: str, name: str) -> Figure:
    """The sum: one area over all, and one a part. It has no units and no register.

    Raises:
        ArchiveError: they cannot be added; the message names what differs, or which school is in
            two of them.
    """
    _refuse_different(parts)
    _refuse_twice(parts)
    first = parts[0]
    areas = [Area("city", code, name), *map(_area, parts)]
    if len({area.code for area in areas}) < len(areas):
        raise ArchiveError(_same_code([area.code for area in areas]))
    return Figure(
        year=first.summary.year,
        cutoff=max(part.summary.cutoff for part in parts),
        units=(),
        areas=areas,
        tallies=_tallies(parts, code),
        simulated=any(part.summary.simulated for part in parts),
        contract=_contracts(parts, code),
        apart=_sum(part.apart for part in parts),
        notes=_sum(part.notes for part in parts),
        settings=first.settings,
    )


def remarks(parts: Sequence[Part]) -> Iterator[str]:
    """Where the archives differ and are added all the same: it has to be said."""
    cutoffs = [part.summary.cutoff for part in parts]
    if len(set(cutoffs)) > 1:
        yield _differ(say("截止日", "cut-off"), parts, [day.isoformat() for day in cutoffs])
    for key in config.Figure.__struct_fields__:
        values = [getattr(part.settings, key) for part in parts]
        if key not in (*_SAME, "cutoff") and any(value != values[0] for value in values):
            yield _differ(f"[figure] {key}", parts, [str(value) for value in values])


def _differ(what: str, parts: Sequence[Part], values: Sequence[str]) -> str:
    each = (f"{part.label}: {value}" for part, value in zip(parts, values, strict=True))
    listed = say("；", "; ").join(each)
    return say(f"{what}不同：{listed}", f"{what} differs: {listed}")


def _refuse_different(parts: Sequence[Part]) -> None:
    keys: dict[str, list[Any]] = {
        say("年度", "year"): [part.summary.year for part in parts],
        say("方法", "method"): [part.summary.method for part in parts],
        say("指标", "indicators"): [[one.id for one in part.summary.indicators] for part in parts],
        **{
            f"[figure] {key}": [getattr(part.settings, key, None) for part in parts]
            for key in _SAME
        },
    }
    for what, values in keys.items():
        if any(value != values[0] for value in values):
            told = _differ(what, parts, [str(value) for value in values])
            raise ArchiveError(say(f"不能合计：{told}", f"cannot be added: {told}"))


def _refuse_twice(parts: Sequence[Part]) -> None:
    holders: dict[str, list[Part]] = defaultdict(list)
    for part in parts:
        for code in part.schools:
            holders[code].append(part)
    twice = {code: found for code, found in holders.items() if len(found) > 1}
    if not twice:
        return
    code, found = next(iter(twice.items()))
    where = say("、", ", ").join(part.label for part in found)
    name, rest = found[0].schools[code], len(twice) - 1
    more = say(f"；另有 {rest} 所", f"; {rest} more schools are, too") if rest else ""
    raise ArchiveError(
        say(
            f"不能合计：{name} {code} 在两个存档中：{where}{more}",
            f"cannot be added: {name} {code} is in two archives: {where}{more}",
        )
    )


def _same_code(codes: Sequence[str]) -> str:
    code = next(one for one, count in Counter(codes).items() if count > 1)
    return say(
        f"不能合计：代码 {code} 出现两次；合计的代码用 --code 另取",
        f"cannot be added: the code {code} is there twice; give the sum another one with --code",
    )


def _area(part: Part) -> Area:
    return Area("district", part.summary.city, part.summary.city_name, part.summary.city)


def _tallies(parts: Sequence[Part], code: str) -> Mapping[tuple[str, Indicator], Tally]:
    found: dict[tuple[str, Any], Tally] = {}
    for row in parts[0].summary.indicators:
        own = [(part.summary.city, part.summary.areas[0].tally(row.id)) for part in parts]
        total: Counter[Verdict] = sum((tally.counts for _, tally in own), Counter())
        for place, tally in ((code, Tally(total)), *own):
            found[place, row.id] = tally
    return found


def _contracts(parts: Sequence[Part], code: str) -> Mapping[str, Tally]:
    own = {part.summary.city: _verdicts(part.summary.areas[0].contract) for part in parts}
    total: Counter[Verdict] = sum(own.values(), Counter())
    return {place: Tally(counts) for place, counts in {code: total, **own}.items()}


def _verdicts(counts: Mapping[str, int]) -> Counter[Verdict]:
    return Counter({Verdict(verdict): count for verdict, count in counts.items()})


def _sum(counts: Iterable[Mapping[str, int]]) -> Mapping[str, int]:
    total: Counter[str] = Counter()
    for one in counts:
        total.update(one)
    return dict(total)


def frozen_at(parts: Sequence[Part]) -> dt.datetime:
    """When the newest of them was frozen: that of the sum, which thus depends on nothing else."""
    return max(part.summary.frozen_at for part in parts)
