"""A group is joined again and again, what is not shared never."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.reasoncodes import ReasonCode

import services
from agent.common.settings import Broker
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS, presence_topic
from collector.service.mqtt import rejoin
from collector.service.mqtt.link import Link
from collector.service.mqtt.packets import Publish
from collector.service.mqtt.rejoin import Rejoin
from voice import SCHOOL, Voice, until

SHARED, ALONE = f"$share/city/{ALL_REPORTS}", "$SYS/broker/clients/connected"


def test_what_is_shared_is_joined_soon_and_then_each_ten_seconds() -> None:
    joined: list[str] = []
    one = Rejoin([SHARED, ALONE], joined.append)
    counts = []
    for _ in range(31):
        one.tick()
        counts.append(len(joined))
    assert set(joined) == {SHARED}
    assert [counts[second - 1] for second in (1, 2, 9, 10, 19, 20, 30, 31)] == [
        0, 1, 1, 2, 2, 3, 4, 4,
    ]  # fmt: skip


@pytest.mark.mosquitto
def test_a_member_that_joins_again_receives_each_report_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rejoin, "_FIRST", 1)
    monkeypatch.setattr(rejoin, "_EVERY", 1)
    heard: list[Any] = []
    with services.broker("mosquitto", tmp_path) as running:
        link = Link(
            Broker(port=running.port), [SHARED], lambda *said: heard.append(said), lambda: None
        )
        answers = _answers(link, monkeypatch)
        link.start()
        with Voice(running.port) as pc:
            for n in range(2, 5):
                until(lambda n=n: len(answers) >= n, what="joined again")
                pc.say(n, b"x")
            until(lambda: f"{pc.boot}/4'" in repr(heard), what="reports")
            until(lambda: len(answers) >= 6, what="joined again after them")
        link.stop()
    assert [repr(heard).count(f"{pc.boot}/{n}'") for n in (2, 3, 4)] == [1, 1, 1]


@pytest.mark.mosquitto
def test_a_member_that_joins_again_is_sent_no_retained_presence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mosquitto would send all of them each time, beside the live ones and out of their order."""
    share = f"$share/city/{ALL_PRESENCE}"
    heard: list[str] = []
    with services.broker("mosquitto", tmp_path) as running, Voice(running.port) as pc:
        pc.publish(presence_topic(SCHOOL, "ab" * 16), b"retained", retain=True)
        link = Link(Broker(port=running.port), [share], lambda said: _note(said, heard), str)
        answers = _answers(link, monkeypatch)
        link.start()
        assert link.wait_up(60)
        link.resubscribe(share)
        until(lambda: len(answers) >= 2, what="joined again")
        pc.publish(presence_topic(SCHOOL, "ab" * 16), b"live")
        until(lambda: "live" in heard, what="its share")
        link.stop()
    assert heard == ["live"]


def _note(said: Sequence[Publish], heard: list[str]) -> None:
    heard += [one.payload.decode() for one in said]


def test_a_member_that_may_not_join_again_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    """Its right was withdrawn while it was connected: it hears nothing any more."""
    link = Link(Broker(), [SHARED], lambda *_: None, lambda: None)
    link._set(up=True)
    refused = ReasonCode(PacketTypes.SUBACK, "Not authorized")
    for _ in range(2):
        link._subscribed(link._make(), None, 1, [refused], None)
    assert link.trouble.event == "subscription_denied"
    assert caplog.text.count("subscription_denied") == 1


def _answers(link: Link, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The broker's answers to each subscription of `link`."""
    found: list[Any] = []
    told = link._subscribed
    monkeypatch.setattr(link, "_subscribed", lambda *said: (found.append(said[3]), told(*said)))
    return found
