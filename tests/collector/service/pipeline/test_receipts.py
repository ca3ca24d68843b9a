"""One receipt a machine: runs of numbers stored, and what is held."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent import wire
from agent.wire.topics import receipt_topic
from collector.ingest import Held, Source
from collector.service.pipeline.receipts import RETRY_S, Entry, merge, ranges

SCHOOL, BOOT = "9900000001", "0123456789abcdef"


def source(number: int, boot: str = BOOT, machine: str = "ab" * 16) -> Source:
    return Source(SCHOOL, machine, boot, number)


@given(st.sets(st.tuples(st.sampled_from("ab"), st.integers(1, 30))))
def test_ranges_name_exactly_the_numbers(numbers: set[tuple[str, int]]) -> None:
    runs = list(ranges(source(number, boot * 16) for boot, number in numbers))
    named = [(run.boot[0], n) for run in runs for n in range(run.first, run.last + 1)]
    assert sorted(named) == sorted(numbers)
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
