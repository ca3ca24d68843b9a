"""What must hold for devices that change their connector or EDID, whatever is reported."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from collector.keeper.device_identity import merge_identities
from collector.keeper.observations import key_of, reduce_day
from collector.store.base import Point

T0 = 1_790_000_000_000
PCS = [{"school": "9963000001", "machine": f"{n:032x}"} for n in (1, 2)]
_WORDS = [
    ("tv", "SEC", "A", "S1"),
    ("camera", "X", "A", ""),
    ("camera", "X", "A", "7"),
    ("display", "", "", ""),
]


@st.composite
def _points(draw: st.DrawFn) -> list[Point]:
    found = []
    for minute in range(draw(st.integers(1, 6))):
        sockets = draw(st.lists(st.integers(1, 4), unique=True, max_size=4))
        for socket in sockets:
            kind, maker, model, serial = draw(st.sampled_from(_WORDS))
            words = {"maker": maker, "model": model, "serial": serial}
            fields = {name: said for name, said in words.items() if said}
            fields |= {"connector": f"c{socket}", "present": draw(st.booleans())}
            tags = {**draw(st.sampled_from(PCS)), "kind": kind, "device": f"{kind}-{socket}"}
            found.append(Point("device", tags, fields, (T0 + minute * 60_000) * 10**6))
    return found


def _present(points: list[Point]) -> Counter[tuple[str, int]]:
    here = (point for point in points if point.fields["present"])
    return Counter((point.tags["machine"], point.time) for point in here)


@given(_points())
def test_what_is_present_stays_present_and_is_reported_once(points):
    merged = merge_identities(points, {})
    assert _present(merged) == _present(points)
    times = Counter((key_of(point), point.time) for point in merged)
    assert set(times.values()) <= {1}


@given(_points(), st.randoms(use_true_random=False))
def test_order_changes_nothing(points, shuffled):
    mixed = list(points)
    shuffled.shuffle(mixed)
    assert sorted(merge_identities(mixed, {}), key=repr) == sorted(
        merge_identities(points, {}), key=repr
    )


@given(_points())
def test_merging_twice_changes_nothing_more(points):
    merged = merge_identities(points, {})
    assert sorted(merge_identities(merged, {}), key=repr) == sorted(merged, key=repr)


@given(_points(), st.integers(0, 6))
def test_a_day_cut_anywhere_names_the_same_devices(points, cut):
    """As at midnight, when the known devices come from the rows of the day before."""
    at = (T0 + cut * 60_000) * 10**6
    first, second = ([p for p in points if (p.time < at) == early] for early in (True, False))
    earlier = merge_identities(first, {})
    before = {key: day.known for key, day in reduce_day(earlier, [], {}).items()}
    whole = {(key_of(p), p.time) for p in merge_identities(points, {}) if p.fields["present"]}
    parts = {
        (key_of(p), p.time)
        for p in [*earlier, *merge_identities(second, before)]
        if p.fields["present"]
    }
    assert parts == whole


def test_which_of_two_new_ids_wins_does_not_depend_on_the_stores_order():
    def tv(minute: int, socket: int) -> Point:
        tags = {**PCS[0], "kind": "tv", "device": f"tv-{socket}"}
        fields = {"model": "A", "connector": f"c{socket}", "present": True}
        return Point("device", tags, fields, (T0 + minute * 60_000) * 10**6)

    first, one, other = tv(0, 1), tv(1, 2), tv(1, 3)
    assert set(map(repr, merge_identities([first, one, other], {}))) == set(
        map(repr, merge_identities([first, other, one], {}))
    )
