"""Changed verdicts, units that left, and changed shares, as lines and as plain values."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from fractions import Fraction

from agent.common.calendar import CITY_TIME
from agent.common.language import say
from agent.common.vocabulary.indicators import SHARES, SHORT
from agent.common.vocabulary.verdicts import VERDICTS
from agent.common.vocabulary.words import word
from collector.archive.changes import Change, Left
from collector.archive.lookup import Since
from collector.archive.summary import FrozenYear
from collector.compliance.model import Figure, Tally, Verdict
from collector.compliance.shares import shown
from collector.roster.register import Inspection

Tree = dict[str, object]
_LISTED = 20  # more are counted, and stand in --json
_NONE = "—"


def since(found: Since, live: Figure) -> Iterator[str]:
    """How a live figure differs from what was frozen, and which units left."""
    if found.frozen:
        yield from difference(found.frozen, live, found.changes)
    yield from left(found.left)


def difference(kept: FrozenYear, live: Figure, changed: Sequence[Change]) -> Iterator[str]:
    """Today's figure against the frozen one: the city's shares, then the verdicts."""
    yield say(
        f"与冻结的第 {kept.revision} 版相比：",
        f"Compared with the frozen revision {kept.revision}:",
    )
    for row in _shares(kept, live):
        yield f"  {row['title']}  {SHARES['verified_share']} {row['frozen']} → {row['live']}"
    yield from verdicts(changed)


def _shares(kept: FrozenYear, live: Figure) -> Iterator[Tree]:
    now: dict[str, Tally] = {
        name: tally for (code, name), tally in live.tallies.items() if code == kept.city
    }
    for row in kept.indicators:
        before = kept.areas[0].tally(row.id)
        yield {
            "indicator": row.id,
            "title": say(row.zh, row.en),
            "frozen": _share(before, row.goal),
            "live": _share(now[row.id], row.goal) if row.id in now else _NONE,
        }


def _share(tally: Tally, goal: Fraction | None) -> str:
    good = tally.counts[Verdict.VERIFIED] + tally.counts[Verdict.INSPECTED]
    return f"{shown(tally.verified, goal)} ({good}/{tally.all})"


def verdicts(changed: Sequence[Change]) -> Iterator[str]:
    """The units whose verdict changed, the first ones by name."""
    if not changed:
        yield say("  没有结论不同", "  no verdict differs")
        return
    count = len(changed)
    yield say(f"  {count} 个单位的结论不同：", f"  {count} verdicts differ:")
    for row in changed[:_LISTED]:
        unit = f"{row.school_name} {row.school} {row.unit}".rstrip()
        yield f"    {unit} {row.indicator}: {_verdict(row.before)} → {_verdict(row.after)}"
    yield from _rest(count)


def left(gone: Sequence[Left]) -> Iterator[str]:
    """The units that are no more in the register, the first ones by name."""
    if not gone:
        return
    count, at = len(gone), gone[0]
    yield say(
        f"{at.year} 年第 {at.revision} 版冻结以后，{count} 个单位不在台账中了，最后的结论：",
        f"Since revision {at.revision} of {at.year}, {count} units left the register; "
        "their last verdicts:",
    )
    for row in gone[:_LISTED]:
        unit = f"{row.school_name} {row.school} {row.unit}".rstrip()
        yield f"    {unit} {row.indicator}: {_verdict(row.verdict)}"
    yield from _rest(count)


def as_tree(found: Since) -> Tree:
    """The same for programs, complete."""
    return {
        "frozen": None if found.frozen is None else _named(found.frozen),
        "last": None if found.last is None else _named(found.last),
        **rows(found.changes, found.left),
    }


def late(found: Sequence[Inspection]) -> Iterator[str]:
    """On-site records that were entered after the cut-off, the first ones by name."""
    if not found:
        return
    count = len(found)
    yield say(
        f"{count} 条现场核查在截止日以后才录入：",
        f"{count} on-site records were entered after the cut-off:",
    )
    for row in found[:_LISTED]:
        unit = f"{row.school} {row.unit}".rstrip()
        entered = "" if row.entered is None else row.entered.astimezone(CITY_TIME).date()
        yield f"    {unit} {_indicator(row)} {row.day} {row.inspector} ({entered})"
    yield from _rest(count)


def _indicator(row: Inspection) -> str:
    words = SHORT.get(row.indicator)
    return say(*words) if words else row.indicator


def rows(changed: Sequence[Change], gone: Sequence[Left]) -> Tree:
    """The changed verdicts and the units that left, complete."""
    return {"changes": [asdict(row) for row in changed], "left": [asdict(row) for row in gone]}


def _named(row: FrozenYear) -> Tree:
    return {"year": row.year, "revision": row.revision, "root": row.root, "file": row.file}


def _rest(count: int) -> Iterator[str]:
    if count > _LISTED:
        rest = count - _LISTED
        yield say(f"    ……另有 {rest} 个，见 --json", f"    ... and {rest} more, see --json")


def _verdict(code: str) -> str:
    return word(VERDICTS, code) if code else say("不在其中", "not in it")
