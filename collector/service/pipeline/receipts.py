"""Receipts: what was stored and what is held, merged for each machine. Pure."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator

import msgspec

from agent import wire
from agent.wire.topics import receipt_topic
from collector.ingest import Held, Source

#: When an agent tries a held report again, s; its school's policy makes it try at once.
RETRY_S = 3600
#: The same where an hour is too long, or too short: these end by a person's act or not at all.
_RETRY_S = {"too_many_reports": 120, "time_out_of_bounds": 21_600, "simulated": 86_400}
#: Agents of before 0.3 know these alone and read no receipt that has another reason.
_FIRST_REASONS = ("unknown_school", "future_version", "quarantine_full")
#: Runs, and holds, of one receipt: with as many of both it has 8 kB, which every broker takes.
_MOST = 60


class Entry(msgspec.Struct, frozen=True, gc=False):
    """A report to be receipted: stored, answered or quarantined."""

    source: Source
    echo: int | None = None


def merge(
    entries: Iterable[Entry],
    held: Iterable[Held],
    now_ms: int,
    again_since: int | None = None,
    renewal: wire.Renewal | None = None,
) -> Iterator[tuple[str, bytes]]:
    """A receipt for each machine, as (topic, payload); several where it would be too large.

    Holds that older agents do not know come in one of their own. `echo` is that of the machine's
    last report that had one; `again_since` (ms) requests receipted evidence since then once more.
    A `renewal` goes to one machine: give it alone.
    """
    stored: dict[tuple[str, str], list[Source]] = defaultdict(list)
    kept: dict[tuple[str, str], list[wire.Held]] = defaultdict(list)
    later: dict[tuple[str, str], list[wire.Held]] = defaultdict(list)
    echo: dict[tuple[str, str], int] = {}
    items: list[Entry | Held] = [*held, *entries]
    for item in items:
        who = item.source.school, item.source.machine
        if item.echo is not None:
            echo[who] = item.echo
        if isinstance(item, Held):
            retry = _RETRY_S.get(item.reason, RETRY_S)
            one = wire.Held(item.source.boot, item.source.number, item.reason, retry)
            (kept if item.reason in _FIRST_REASONS else later)[who].append(one)
        else:
            stored[who].append(item.source)
    for holds in (kept, later):
        for who in holds.keys() | (stored.keys() if holds is kept else set()):
            whole = wire.Receipt(
                v=1,
                now=now_ms,
                echo=echo.get(who),
                stored=tuple(ranges(stored[who])) if holds is kept else (),
                held=tuple(holds[who]),
                again_since=again_since,
                renewal=renewal if holds is kept else None,
            )
            yield from ((receipt_topic(*who), wire.encode(one)) for one in _parts(whole))


def _parts(whole: wire.Receipt) -> Iterator[wire.Receipt]:
    """The first one says the echo and the renewal."""
    count = max(len(whole.stored), len(whole.held))
    if count <= _MOST:
        yield whole
        return
    for at in range(0, count, _MOST):
        yield msgspec.structs.replace(
            whole,
            echo=None if at else whole.echo,
            stored=whole.stored[at : at + _MOST],
            held=whole.held[at : at + _MOST],
            renewal=None if at else whole.renewal,
        )


def ranges(sources: Iterable[Source]) -> Iterator[wire.StoredRange]:
    """Runs of neighbouring numbers of each boot, in order."""
    numbers = [(source.boot, source.number) for source in sources]
    if len(numbers) > 1:  # one, as nearly always in a city, needs no order
        numbers = sorted(set(numbers))
    first = 0
    for at, (boot, number) in enumerate(numbers):
        follows = numbers[at + 1] if at + 1 < len(numbers) else None
        if follows != (boot, number + 1):
            yield wire.StoredRange(boot, numbers[first][1], number)
            first = at + 1
