"""What no store can hold is found before it is written."""

from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from collector.store.base import Point
from collector.store.check import fault


def lines_can_write(tag: str) -> bool:
    """As line protocol and UTF-8 have it, character by character."""
    plain = all(" " <= char != "\x7f" and not "\ud800" <= char <= "\udfff" for char in tag)
    return plain and not tag.endswith("\\")


@given(st.text(alphabet=st.characters(), max_size=6))
@example("六年级 1 班")
@example("a\\b")
@example("end\\")
@example("end\\\n")
@example("half \ud83d")
@example("\x7f")
def test_a_tag_that_lines_cannot_write_is_refused(room: str) -> None:
    tags = {"school": "9900000001", "district": "630102", "room": room}
    found = fault(Point("room_day", tags, {"pcs": 1}, 0))
    assert bool(found) is not lines_can_write(room)
    assert not found or "tag room" in found
