"""Any group, any order of deliveries: the store comes to what the broker retains."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.service.pipeline.presences import Presences
from collector.service.presence_check import EVERY_S, WAIT_S, PresenceCheck
from collector.store.base import Point
from said import said

S_NS = 10**9
State = tuple[str, bool]  # boot, online


def boot(n: int) -> str:
    return f"{n:016x}"


def pc(n: int) -> str:
    return f"{n:032x}"


#: One connection: what the broker has sent and the member has not received, in order.
Line = deque[tuple[str, State, bool]]


class City:
    """A broker, a store, and members with two connections each. One clock, in ns."""

    def __init__(self, members: int) -> None:
        self.now = 100 * S_NS
        self.retained: dict[str, State] = {}
        self.rows: list[Point] = []
        self.members = [Member(self, n) for n in range(members)]
        self.turn = 0

    def say(self, machine: str, state: State) -> None:
        """Live to every member, and to one of them to be stored."""
        self.retained[machine] = state
        for member in self.members:
            member.presences.append((machine, state, False))
        self.turn = (self.turn + 1) % len(self.members)
        self.members[self.turn].reports.append((machine, state, False))

    def pass_s(self, seconds: float) -> None:
        """Time passes, and each sorter looks round twice: after half of it, and after all."""
        for _ in range(2):
            self.now += int(seconds * S_NS / 2)
            for member in self.members:
                member.look()

    def settle(self) -> None:
        """Nothing is on its way any more."""
        for member in self.members:
            member.receive(10**6)
            member.hear(10**6)
            member.write()

    def newest(self) -> dict[str, State]:
        rows = sorted(self.rows, key=lambda point: point.time)
        return {
            p.tags["machine"]: (str(p.fields["boot"]), p.fields["online"] is True) for p in rows
        }


class Member:
    """A collector as far as presences go; what it has judged is written some time later."""

    def __init__(self, city: City, n: int) -> None:
        self.city = city
        self.reports, self.presences = Line(), Line()
        self.unwritten: list[Point] = []
        self.known = Presences(self._stored, shared=True)
        self.check = PresenceCheck(
            self.known,
            list,
            lambda _: self.ask(),
            lambda *_: True,
            clock=lambda: city.now / S_NS,
            draw=lambda: n / 10,
        )

    def _stored(self) -> Iterable[Point]:
        return sorted(self.city.rows, key=lambda point: point.time)

    def ask(self) -> None:
        self.presences += [(pc, state, True) for pc, state in self.city.retained.items()]

    def receive(self, most: int) -> None:
        """Its share: to be stored."""
        for _ in range(min(most, len(self.reports))):
            machine, state, _ = self.reports.popleft()
            noted = said(*state, at=self._arrived(), machine=machine)
            if self.known.is_new(noted, retained=False):
                self.unwritten += noted.points

    def hear(self, most: int) -> None:
        for _ in range(min(most, len(self.presences))):
            machine, state, retained = self.presences.popleft()
            noted = said(*state, at=self._arrived(), machine=machine)
            self.check.heard(noted, retained=retained)

    def _arrived(self) -> int:
        self.city.now += 1
        return self.city.now

    def look(self) -> None:
        self.unwritten += self.check.due()

    def write(self) -> None:
        self.city.rows += self.unwritten
        self.unwritten = []

    def lose_reports(self) -> None:
        """The connection drops with what is on its way, and comes up again."""
        self.reports.clear()
        self.ask()

    def lose_presences(self) -> None:
        self.presences.clear()
        self.ask()


_MEMBERS, _PCS = 3, 3
_member = st.integers(0, _MEMBERS - 1)
_some = st.integers(1, 4)
_deeds = st.lists(
    st.one_of(
        st.tuples(st.just("say"), st.integers(1, _PCS), st.booleans()),
        st.tuples(st.sampled_from(["receive", "hear"]), _member, _some),
        st.tuples(
            st.sampled_from(["write", "ask", "lose_reports", "lose_presences"]), _member, st.just(0)
        ),
        st.tuples(st.just("pass"), st.sampled_from([0.1, 2.0, 6.0, 20.0, 3600.0]), st.just(0)),
    ),
    max_size=60,
)


def do(city: City, deed: str, which: float, more: int) -> None:
    if deed == "say":
        city.say(pc(int(which)), (boot(int(which)), bool(more)))
    elif deed == "pass":
        city.pass_s(which)
    elif deed in ("receive", "hear"):
        getattr(city.members[int(which)], deed)(more)
    else:
        getattr(city.members[int(which)], deed)()


@settings(deadline=None, max_examples=400)
@given(_deeds)
def test_in_the_end_the_store_has_what_the_broker_retains(
    deeds: list[tuple[str, int, int]],
) -> None:
    """Whatever was late, overtook another or was lost with its connection."""
    city = City(_MEMBERS)
    for deed in deeds:
        do(city, *deed)
    city.settle()
    city.pass_s(2 * EVERY_S)  # each has asked
    city.settle()
    city.pass_s(4 * WAIT_S)
    city.settle()
    assert city.newest() == city.retained
    rows = len(city.rows)
    city.pass_s(2 * EVERY_S)
    city.settle()
    city.pass_s(4 * WAIT_S)
    city.settle()
    assert len(city.rows) == rows, "once it agrees, asking stores nothing"


_prompt = st.lists(
    st.tuples(
        st.integers(1, _PCS), st.sampled_from(["on", "off", "boot"]), st.integers(-1, _MEMBERS - 1)
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=200)
@given(_prompt, st.permutations(range(2 * _MEMBERS)))
def test_where_nothing_is_lost_or_very_late_each_is_stored_once(
    deeds: list[tuple[int, str, int]], order: list[int]
) -> None:
    """Though members ask for what is retained at any moment."""
    city, boots = City(_MEMBERS), dict.fromkeys(range(_PCS + 1), 0)
    told: list[tuple[str, State]] = []
    for n, what, asking in deeds:
        if asking >= 0:
            city.members[asking].ask()
        if what == "boot":  # which takes a PC longer than any message
            city.settle()
            boots[n] += 1
        state = boot(100 * n + boots[n]), what != "off"
        told.append((pc(n), state))
        city.say(*told[-1])
        city.pass_s(0.2)  # fast enough that all are on their way together
        for at in order:
            member = city.members[at // 2]
            (member.receive if at % 2 else member.hear)(1)
            member.write()
    city.settle()
    city.pass_s(4 * WAIT_S)
    city.settle()
    found = [
        (p.tags["machine"], (str(p.fields["boot"]), p.fields["online"] is True)) for p in city.rows
    ]
    assert sorted(found) == sorted(told)
