"""Ten thousand projectors that misbehave: `make fuzz-pjlink`. Their power is right, or unknown."""

from __future__ import annotations

import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor

import pjlink_fuzz

CONVERSATIONS, PARTS, TIMEOUT_S = 10_000, 16, 0.2


def main() -> None:
    """Print what came of the power; exit code 1 where one was wrong, or a projector absent."""
    started = time.monotonic()
    each = CONVERSATIONS // PARTS
    with ProcessPoolExecutor(PARTS) as pool:
        parts = pool.map(pjlink_fuzz.converse, range(PARTS), [each] * PARTS, [TIMEOUT_S] * PARTS)
        found = sum(parts, Counter[str]())
    print(f"{found.total()} conversations, {time.monotonic() - started:.0f} s: {dict(found)}")
    raise SystemExit(found["wrong"] + found["absent"] > 0)


if __name__ == "__main__":
    main()
