"""The rule of a device's state, and what must hold for any observations."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from collector.keeper.state import RULE, USED_MS, Observation, State, advance, rule_for, shown

T0 = 1_790_000_000_000
MINUTE = 60_000


def observations(
    *rows: tuple[float, bool] | tuple[float, bool, str] | tuple[float, bool, str, str],
):
    return [Observation(int(T0 + row[0] * MINUTE), *row[1:]) for row in rows]


def events(changes) -> list[tuple[str, float]]:
    return [(change.event, (change.time - T0) / MINUTE) for change in changes]


def test_a_change_counts_once_it_has_held_and_from_when_it_began():
    state, changes = advance(State(), observations((0, True), (5, True), (10, False)))
    assert events(changes) == [("appeared", 0)]
    assert state.presence.value == "present"
    state, changes = advance(state, observations((13, False)))
    assert events(changes) == [("gone", 10)]
    assert shown(state, state.last, state.last).presence == "missing"
    assert shown(state, state.last, state.last).presence_since == T0 + 10 * MINUTE


def test_a_loose_cable_makes_no_event_however_often_it_is_seen():
    flapping = [(5 + n * 1.5, n % 2 == 1) for n in range(400)]
    state, changes = advance(State(), observations((0, True), (3, True), *flapping))
    assert events(changes) == [("appeared", 0)]
    assert state.presence.value == "present"


def test_a_pc_that_is_off_makes_its_devices_unknown_not_missing():
    state, _ = advance(State(), observations((0, True, "on"), (5, True, "on")))
    later = state.last + RULE.silent + 1
    found = shown(state, later, state.last)
    assert (found.presence, found.power, found.working) == ("unknown", "unknown", "unknown")
    assert found.presence_since == state.last


def test_an_absence_seen_before_the_pc_was_off_must_be_confirmed_again():
    state, changes = advance(State(), observations((0, True), (5, True), (6, False), (900, False)))
    assert events(changes) == [("appeared", 0)]
    _, changes = advance(state, observations((903, False)))
    assert events(changes) == [("gone", 900)]


def test_a_fault_and_its_repair():
    observed = observations((0, True, "on"), (5, True, "on"), (10, True, "on", "lamp"))
    state, changes = advance(State(), observed)
    assert events(changes) == [("appeared", 0)]
    state, changes = advance(state, observations((15, True, "on", "lamp")))
    assert [(c.event, c.detail) for c in changes] == [("fault", "lamp")]
    found = shown(state, state.last, state.last)
    assert (found.working, found.fault, found.presence) == ("fault", "lamp", "present")
    state, changes = advance(state, observations((20, False), (25, False)))
    assert events(changes) == [("gone", 20)]  # absent, it says nothing of its health
    state, changes = advance(state, observations((30, True, "on"), (35, True, "on")))
    assert events(changes) == [("appeared", 30), ("repaired", 30)]


def test_in_standby_nothing_is_repaired():
    observed = observations((0, True, "on", "lamp"), (5, True, "on", "lamp"))
    state, _ = advance(State(), observed)
    state, changes = advance(state, observations(*((10 + n, True, "standby") for n in range(30))))
    assert changes == []
    assert shown(state, state.last, state.last).working == "fault"
    state, changes = advance(state, observations((41, True, "on"), (44, True, "on")))
    assert events(changes) == [("repaired", 41)]


def test_a_moment_in_which_it_could_not_be_asked_repairs_nothing():
    """Many projectors refuse a second connection; in standby they do not tell their faults."""
    observed = observations((0, True, "on", "lamp"), (5, True, "on", "lamp"))
    state, _ = advance(State(), observed)
    observed = observations(
        (6, True, "unknown", "pjlink_closed"), (7, True, "standby"), (17, True, "standby")
    )
    state, changes = advance(state, observed)
    assert changes == []
    assert shown(state, state.last, state.last).fault == "lamp"


def test_where_only_the_asking_was_at_fault_any_answer_is_the_repair():
    observed = observations(*((n, True, "unknown", "password_refused") for n in (0, 5)))
    state, _ = advance(State(), observed)
    _, changes = advance(state, observations((10, True, "standby"), (15, True, "standby")))
    assert [(c.event, c.detail) for c in changes] == [("repaired", "password_refused")]


def test_working_is_in_use_within_the_last_days():
    state, _ = advance(State(), observations((0, True, "on"), (5, True, "standby")))
    found = shown(state, state.last, state.last)
    assert (found.power, found.working) == ("standby", "used")
    later = T0 + USED_MS + 10 * MINUTE
    state, _ = advance(state, [Observation(later, True, "standby")])
    assert shown(state, later, later).working == "idle"
    never, _ = advance(State(), observations((0, True), (5, True)))
    assert shown(never, never.last, never.last).working == "unknown"  # its power is never reported


def test_a_listed_device_that_was_never_there_is_missing_and_has_not_gone():
    state, changes = advance(State(), observations((0, False), (5, False)))
    assert changes == []
    assert state.presence.value == "missing"


_OBSERVATION = st.builds(
    Observation,
    time=st.integers(0, 3 * 3600).map(lambda s: T0 + s * 1000),
    present=st.booleans(),
    power=st.sampled_from(["on", "standby", "off", "unknown"]),
    fault=st.sampled_from(["", "lamp", "fan"]),
)
_OBSERVATIONS = st.lists(_OBSERVATION, max_size=40, unique_by=lambda one: one.time)


def _shows_health(one: Observation, observed: list[Observation]) -> bool:
    """A fault, or a device that is on; one whose power was never reported may be on."""
    earlier = [two for two in observed if two.time < one.time and two.present]
    unreported = all(two.power == "unknown" for two in [*earlier, one])
    return bool(one.fault) or one.power == "on" or unreported


@given(_OBSERVATIONS)
def test_an_event_is_held_by_observations_that_agree_from_its_time_until_confirmed(observed):
    observed = sorted(observed)
    state, had = State(), 0
    for at, one in enumerate(observed):
        state, changes = advance(state, [one])
        for change in changes:
            had += 1
            assert one.time - change.time >= RULE.confirm
            within = [one for one in observed[: at + 1] if one.time >= change.time]
            assert within[0].time == change.time
            if change.event in ("appeared", "gone"):
                assert {one.present for one in within} == {change.event == "appeared"}
            else:
                shown_by = [o for o in within if o.present and _shows_health(o, observed)]
                assert {bool(one.fault) for one in shown_by} == {change.event == "fault"}
    assert had == len(advance(State(), observed)[1])


@given(_OBSERVATIONS, st.integers(0, 40))
def test_a_day_cut_anywhere_gives_what_it_gives_whole(observed, cut):
    observed = sorted(observed)
    whole = advance(State(), observed)
    state, first = advance(State(), observed[:cut])
    state, second = advance(state, observed[cut:])
    assert (state, first + second) == whole


@given(_OBSERVATIONS, st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(observed, shuffled):
    mixed = [*observed, *observed]
    shuffled.shuffle(mixed)
    assert advance(State(), mixed) == advance(State(), observed)


@given(_OBSERVATIONS)
def test_events_of_a_kind_take_turns(observed):
    _, changes = advance(State(), observed)
    for pair in (("appeared", "gone"), ("fault", "repaired")):
        names = [change.event for change in changes if change.event in pair]
        assert all(one != other for one, other in pairwise(names))
        assert not names or names[0] == pair[0]


@given(_OBSERVATIONS, st.booleans(), st.sampled_from(["", "lamp"]))
def test_what_holds_is_believed(observed, present, fault):
    state, _ = advance(State(), observed)
    start = T0 + 4 * 3_600_000
    steady = [Observation(start + n * MINUTE, present, "on", fault) for n in range(4)]
    state, _ = advance(state, steady)
    assert state.presence.value == ("present" if present else "missing")
    if present:
        assert state.health.value == ("fault" if fault else "well")


@given(st.lists(st.integers(1, RULE.confirm - 1), min_size=2, max_size=60), st.booleans())
def test_no_run_shorter_than_the_time_to_confirm_changes_anything(gaps, first):
    state, _ = advance(State(), observations((0, True), (5, True)))
    time, present = state.last, first
    observed = []
    for gap in gaps:
        time += gap
        present = not present
        observed.append(Observation(time, present))
    before = state.presence.value
    state, changes = advance(state, observed)
    assert (changes, state.presence.value) == ([], before)


def test_where_reports_are_rare_silence_is_longer():
    assert rule_for(300) == rule_for(60) == RULE
    assert rule_for(3600).silent == 3 * 3600 * 1000
    hourly = observations((0, True), (60, True), (120, False), (180, False))
    assert events(advance(State(), hourly)[1]) == []
    assert events(advance(State(), hourly, rule_for(3600))[1]) == [("appeared", 0), ("gone", 120)]


DAY = 24 * 60
MORNING = 12 * 60  # T0 is half past nine in the evening


def lesson(day: int, *, on: bool, hours: int = 8, every: int = 10):
    """A day's observations of a TV, ten minutes apart."""
    start = MORNING + day * DAY
    return [(start + minute, on) for minute in range(0, hours * 60, every)]


def switched(day: int):
    """A TV that is on in each second half hour."""
    return [(MORNING + day * DAY + minute, minute // 30 % 2 == 0) for minute in range(0, 480, 10)]


def test_a_tv_that_the_register_has_is_off_and_makes_no_event():
    state, changes = advance(State(), observations(*switched(0), *switched(1)), switch="expected")
    assert events(changes) == [("appeared", MORNING)]
    found = shown(state, state.last, state.last)
    assert (found.presence, found.power) == ("off", "off")


def test_a_habit_is_learned_from_two_returns():
    _, changes = advance(State(), observations(*switched(0), *switched(1)), switch="habit")
    kinds = [event for event, _ in events(changes)]
    assert kinds == ["appeared", "gone", "appeared", "gone", "appeared"]


def test_without_a_habit_an_absence_is_a_loss_at_once():
    rows = [
        *lesson(0, on=True),
        *lesson(1, on=True, hours=4),
        (MORNING + DAY + 240, False),
        (MORNING + DAY + 250, False),
    ]
    _, changes = advance(State(), observations(*rows), switch="habit")
    assert events(changes)[-1] == ("gone", MORNING + DAY + 240)


def test_what_is_switched_off_and_stays_away_for_days_is_lost():
    rows = [
        *switched(0),
        *switched(1),
        *(row for day in (2, 3, 4) for row in lesson(day, on=False)),
    ]
    state, changes = advance(State(), observations(*rows), switch="expected")
    # Off on day 1, it stays away on days 2 and 3, and is missed on day 4.
    assert events(changes) == [("appeared", MORNING), ("gone", MORNING + 4 * DAY)]
    found = shown(state, state.last, state.last)
    assert (found.presence, found.presence_since) == (
        "missing",
        T0 + (MORNING + DAY + 450) * MINUTE,
    )


def test_days_on_which_the_pc_is_off_too_are_no_days_away():
    rows = [*switched(0), *lesson(20, on=False), *lesson(21, on=True)]
    _, changes = advance(State(), observations(*rows), switch="expected")
    assert events(changes) == [("appeared", MORNING)]


def test_a_return_after_days_is_a_repair_and_no_habit():
    rows = [*lesson(0, on=True), *lesson(1, on=False), *lesson(2, on=False), *lesson(3, on=True)]
    state, changes = advance(State(), observations(*rows), switch="habit")
    assert [event for event, _ in events(changes)] == ["appeared", "gone", "appeared"]
    assert state.returned == 0


def test_a_habit_of_long_ago_is_none():
    rows = [
        *switched(0),
        *switched(1),
        *(row for day in range(2, 40) for row in lesson(day, on=True)),
    ]
    rows += [(MORNING + 40 * DAY, False), (MORNING + 40 * DAY + 10, False)]
    _, changes = advance(State(), observations(*rows), switch="habit")
    assert events(changes)[-1] == ("gone", MORNING + 40 * DAY)


@given(st.lists(st.tuples(st.integers(0, 20_000), st.booleans()), max_size=60), st.data())
def test_off_is_the_same_however_the_reports_are_parted(rows, data):
    seen = sorted(set(observations(*rows)))
    seen = [row for n, row in enumerate(seen) if n == 0 or row.time != seen[n - 1].time]
    whole = advance(State(), seen, switch="expected")
    cut = data.draw(st.integers(0, len(seen)))
    state, first = advance(State(), seen[:cut], switch="expected")
    state, second = advance(state, seen[cut:], switch="expected")
    assert (state, first + second) == whole
