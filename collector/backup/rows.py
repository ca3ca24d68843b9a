"""The store's rows in a backup: one JSON array a point, measurement by measurement.

The same from every store to every store; types are kept, and neither side holds more than a
batch. Raw reports come before the notes of days to derive, and derived rows behind them: a day
whose derived rows are missing is noted then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

import msgspec

from agent.common import log
from collector.schema import MEASUREMENTS
from collector.store.base import Point, RejectedError, Store

FOREVER = 2**63 - 1
_BATCH = 5000
_BYTES = 1 << 20
Counted = Callable[[int], None]
#: By the keeper, from the others.
DERIVED = (
    "machine_day", "device_day", "room_day", "event", "school_hour", "school_day", "line_day",
    "indicator",
)  # fmt: skip
_Row = tuple[str, dict[str, str], dict[str, bool | int | float | str], int]


def names() -> tuple[list[str], list[str]]:
    """All measurements: those that reports make, and those that the keeper does."""
    return [name for name in MEASUREMENTS if name not in DERIVED], list(DERIVED)


def part_name(measurement: str) -> str:
    """The part's name."""
    return f"store/{measurement}.jsonl"


def exported(store: Store, measurement: str, counted: Counted) -> Iterator[bytes]:
    """All points of a measurement as chunks of lines; `counted` is told of each batch's rows.

    Raises:
        StoreError: while iterating.
    """
    encode, held, rows = msgspec.json.Encoder().encode_into, bytearray(), 0
    for point in store.read(measurement, 0, FOREVER):
        encode(tuple(point), held, -1)
        held += b"\n"
        rows += 1
        if len(held) >= _BYTES:
            counted(rows)
            yield bytes(held)
            held.clear()
            rows = 0
    counted(rows)
    yield bytes(held)


def imported(store: Store, chunks: Iterable[bytes], counted: Counted) -> None:
    """Write the points of a part into the store; those that it never takes are logged.

    Raises:
        StoreError: some may be stored; writing all again changes nothing.
        msgspec.MsgspecError: a line is no point.
    """
    decode = msgspec.json.Decoder(_Row).decode
    batch: list[Point] = []
    for line in _lines(chunks):
        batch.append(Point(*decode(line)))
        if len(batch) >= _BATCH:
            _write(store, batch, counted)
    _write(store, batch, counted)


def _write(store: Store, batch: list[Point], counted: Counted) -> None:
    try:
        if batch:
            store.write(batch)
    except RejectedError as error:  # all others of the batch are stored
        log.warning("rows_refused", rows=len(error.points), reason=error)
    counted(len(batch))
    batch.clear()


def _lines(chunks: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for chunk in chunks:
        *lines, rest = (rest + chunk).split(b"\n")
        yield from lines
    if rest:
        yield rest
