"""One receipt a machine: runs of numbers stored, and what is held."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.common.vocabulary.held import REASONS
from agent.wire.topics import receipt_topic
from collector.ingest import Held, Source
from collector.service.pipeline.receipts import RETRY_S, Entry, merge, ranges

SCHOOL, BOOT = "9900000001", "0123456789abcdef"


def source(number: int, boot: str = BOOT, machine: str = "ab" * 16) -> Source:
    return Source(SCHOOL, machine, boot, number)


@given(st.lists(st.tuples(st.sampled_from("ab"), st.integers(1, 30))))
def test_ranges_name_exactly_the_numbers(numbers: list[tuple[str, int]]) -> None:
    """One that is sent twice has one place."""
    runs = list(ranges(source(number, boot * 16) for boot, number in numbers))
    named = [(run.boot[0], n) for run in runs for n in range(run.first, run.last + 1)]
    assert sorted(named) == sorted(set(numbers))
    gaps = {(run.boot, run.last + 1) for run in runs} & {(run.boot, run.first) for run in runs}
    assert not gaps, "neighbouring runs are one run"


def test_one_receipt_a_machine_with_stored_and_held() -> None:
    other = "cd" * 16
    made = dict(
        merge(
            [Entry(source(2), 5), Entry(source(3)), Entry(source(1, machine=other), -7)],
            [Held(source(9), "unknown_school")],
            1000,
        )
    )
    assert set(made) == {receipt_topic(SCHOOL, "ab" * 16), receipt_topic(SCHOOL, other)}
    receipt = wire.decode_receipt(made[receipt_topic(SCHOOL, "ab" * 16)])
    assert (receipt.now, receipt.echo) == (1000, 5)
    assert receipt.stored == (wire.StoredRange(BOOT, 2, 3),)
    assert receipt.held == (wire.Held(BOOT, 9, "unknown_school", RETRY_S),)
    assert wire.decode_receipt(made[receipt_topic(SCHOOL, other)]).echo == -7


class OlderHeld(msgspec.Struct, array_like=True, frozen=True):
    """As agents of before 0.3 read it."""

    boot: Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{16}$")]
    number: int
    reason: Literal["unknown_school", "future_version", "quarantine_full"]
    retry_s: int


class OlderReceipt(msgspec.Struct, omit_defaults=True, frozen=True):
    """As agents of before 0.3 read it: an answer that does not fit is ignored as a whole."""

    v: Literal[1]
    now: int
    echo: int | None = None
    stored: tuple[wire.StoredRange, ...] = ()
    held: tuple[OlderHeld, ...] = ()
    again_since: int | None = None


RENEWAL = wire.Renewal(
    2,
    username=f"{SCHOOL}-2",
    password="p" * 64,
    line_key="1" * 64,
    source_key="2" * 64,
    ca="-----BEGIN CERTIFICATE-----\n",
)


@pytest.mark.parametrize("reason", REASONS)
def test_an_older_agent_loses_nothing_where_a_hold_and_a_renewal_come_at_once(reason: str) -> None:
    """What it can read tells it all that is stored; a hold it cannot read is no loss: it waits."""
    both = [Held(source(8), "unknown_school"), Held(source(9), reason)]
    made = [data for _, data in merge([Entry(source(2), 5)], both, 1000, 3, RENEWAL)]
    understood = []
    for data in made:
        try:
            understood.append(msgspec.json.decode(data, type=OlderReceipt))
        except msgspec.ValidationError:
            understood.append(None)
    first, *others = understood
    assert first is not None
    assert (first.stored, first.echo, first.again_since) == ((wire.StoredRange(BOOT, 2, 2),), 5, 3)
    assert [one.number for one in first.held][:1] == [8]
    assert not any(one is not None and one.stored for one in others)
    # Today's reads all of it, and is told the credential once.
    today = [wire.decode_receipt(data) for data in made]
    assert sorted(one.number for receipt in today for one in receipt.held) == [8, 9]
    assert [one.renewal for one in today if one.renewal is not None] == [RENEWAL]


@pytest.mark.parametrize("reason", REASONS)
def test_whatever_a_batch_holds_each_receipt_is_small_and_together_they_say_all(
    reason: str,
) -> None:
    """A machine that was away for long sends what it has, of which every other one is held."""
    first = 2**53 - 4001
    entries = [Entry(source(number), 7) for number in range(first, 2**53, 4)]
    holds = [Held(source(number), reason) for number in range(first + 2, 2**53, 4)]
    made = [data for _, data in merge(entries, holds, 4_102_444_800_000, 3, RENEWAL)]
    assert max(map(len, made)) <= 10_000
    read = [wire.decode_receipt(data) for data in made]
    stored = [n for one in read for run in one.stored for n in range(run.first, run.last + 1)]
    assert stored == [one.source.number for one in entries], "each once, in order"
    assert [one.number for receipt in read for one in receipt.held] == [
        one.source.number for one in holds
    ]
    assert [one.renewal for one in read if one.renewal is not None] == [RENEWAL]
    assert read[0].echo == 7
    assert {one.again_since for one in read} == {3}
