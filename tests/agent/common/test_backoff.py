"""Full jitter: waits spread evenly below a bound that doubles up to a cap."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from agent.common.backoff import backoff


@given(st.integers(0, 10_000), st.floats(0, 1, exclude_max=True))
def test_backoff_is_full_jitter_under_a_cap(attempt: int, drawn: float) -> None:
    wait = backoff(attempt, lambda: drawn, base=5, cap=300)
    assert 0 <= wait <= min(300, 5 * 2 ** min(attempt, 40))
    assert backoff(attempt, lambda: 0.0, base=5, cap=300) == 0


def test_waits_are_spread_below_a_bound_that_doubles() -> None:
    waits = [backoff(attempt, base=1.0, cap=8.0) for attempt in range(200)]
    assert all(0 <= wait <= min(8.0, 2.0**attempt) for attempt, wait in enumerate(waits))
    assert len({round(wait, 6) for wait in waits}) > 100
