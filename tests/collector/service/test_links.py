"""The connections: in a group its share of the reports, and every machine's presence beside."""

from __future__ import annotations

import pytest

from agent.common.settings import Broker
from collector.config import Mqtt
from collector.service.links import Links, group_of, share_of, topics

REPORTS, PRESENCES = "schoolpulse/v1/+/+/report/#", "schoolpulse/v1/+/+/presence"


def ignore(*_: object) -> None:
    return None


def links(broker: Broker) -> Links:
    return Links(broker, ignore, ignore, lambda: None)


@pytest.mark.parametrize("broker", [Broker(), Mqtt()])
def test_alone_one_connection_receives_reports_and_presences(broker: Broker) -> None:
    assert group_of(broker) == ""
    assert topics(broker)[:2] == (REPORTS, PRESENCES)
    made = links(broker)
    assert made.presences is made.reports
    assert made.outgoing is not made.reports


def test_in_a_group_reports_are_shared_and_presences_received_by_all() -> None:
    broker = Mqtt(group="city")
    assert topics(broker)[:2] == (f"$share/city/{REPORTS}", f"$share/city/{PRESENCES}")
    assert all(topic.startswith("$SYS/") for topic in topics(broker)[2:])
    made = links(broker)
    assert made.presences is not made.reports
    assert made.presences._topics == (PRESENCES,)


def test_who_shares_our_log_in_finds_the_group_and_nobody_guesses_it() -> None:
    ours, also = (Mqtt(group="city", username="collector", password="a" * 20) for _ in range(2))
    others = Mqtt(group="city", username="collector", password="b" * 20)
    assert topics(ours) == topics(also) != topics(others)
    name = share_of(ours)
    assert name.startswith("city-")
    assert len(name) == len("city-") + 16
    assert ours.password not in name
    assert topics(ours)[0] == f"$share/{name}/{REPORTS}"


def test_none_is_up_before_it_is_started() -> None:
    assert not links(Mqtt(group="city")).wait_up(0)


@pytest.mark.parametrize("group", ["", "city"])
def test_whoever_may_have_missed_presences_asks_for_them(group: str) -> None:
    """While its reports were away, they went to nobody, or what was for this member did."""
    told: list[str] = []
    made = Links(
        Mqtt(group=group), ignore, ignore, lambda: told.append("up"), lambda: told.append("missed")
    )
    made.reports._ready()
    assert told == ["up", "missed"]
    made.resend_presences()
    assert told == ["up", "missed", "missed"]
    made.outgoing._ready()
    assert told[3:] == ["up"], "nothing comes by that one"
    if group:
        made.presences._ready()
        assert told[4:] == ["missed"]


@pytest.mark.parametrize("group", ["", "city"])
def test_presences_are_asked_for_by_school(group: str, monkeypatch: pytest.MonkeyPatch) -> None:
    made, done = links(Mqtt(group=group)), list[tuple[str, ...]]()
    monkeypatch.setattr(made.presences, "resubscribe", lambda *topics: done.append(topics))
    monkeypatch.setattr(made.presences, "unsubscribe", lambda *topics: done.append(topics))
    of = [f"schoolpulse/v1/990000000{n}/+/presence" for n in (1, 2, 3)]
    made.ask_presences(["9900000001", "9900000002"])
    made.ask_presences(["9900000003"])
    made.ask_presences([])
    assert done == [(), (of[0], of[1]), (of[0], of[1]), (of[2],), (of[2],), ()]
