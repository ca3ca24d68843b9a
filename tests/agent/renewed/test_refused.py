"""Renewed credentials that no agent can use change nothing."""

from __future__ import annotations

import math
from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import renewed
from agent.config import Config
from agent.mqtt import accounts as module
from agent.mqtt.accounts import Account
from agent.wire import Renewal
from pki import Ca

from .conftest import SCHOOL, generations, renewal


def test_a_refused_renewal_is_tried_again_only_later(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    given = renewal(ca)
    accounts.take(given)
    accounts.refused()
    assert 0 < accounts.take(given) <= 60
    assert accounts.take(msgspec.structs.replace(given, password="another")) == 0


class Hand:
    """A clock by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def hand(monkeypatch: pytest.MonkeyPatch) -> Hand:
    made = Hand()
    monkeypatch.setattr(module, "time", made)
    return made


def test_each_time_it_is_tried_again_after_twice_as_long_and_at_least_hourly(
    config: Config, ca: Ca, hand: Hand
) -> None:
    accounts, given = renewed.accounts(config), renewal(ca)
    waits = []
    for _ in range(9):
        assert accounts.take(given) == 0
        accounts.refused()
        waits.append(accounts.take(given))
        hand.now += waits[-1]
    assert waits == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


def test_a_refusal_of_yesterday_is_forgotten(config: Config, ca: Ca, hand: Hand) -> None:
    accounts, given = renewed.accounts(config), renewal(ca)
    for _ in range(5):
        assert accounts.take(given) == 0
        accounts.refused()
        assert accounts.take(given) == 60
        hand.now += 86_400


def test_while_none_works_each_is_tried_in_turn_and_that_counts_once(
    config: Config, ca: Ca, hand: Hand
) -> None:
    """A balancer closes connections for ten minutes, whoever logs in."""
    accounts, given = renewed.accounts(config), renewal(ca)
    accounts.take(given)
    for _ in range(21):
        accounts.refused()
        hand.now += 0.5
    assert accounts.current.broker.generation == 1
    assert 0 < accounts.take(given) <= 60


def leaf(ca: Ca) -> str:
    return ca.sign().certificate.read_text()


@pytest.mark.parametrize(
    "change",
    [
        {"username": "9963020002-2"},
        {"username": ""},
        {"username": "collector"},
        {"password": ""},
        {"password": "two\nlines"},
        {"line_key": "short"},
        {"line_key": "钥" * 40},
        {"source_key": "ab" * 31},
        {"source_key": "zz" * 32},
        {"ca": ""},
        {"ca": "no certificate"},
        {"ca": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"},
    ],
    ids=str,
)
def test_what_no_agent_can_use_is_refused(config: Config, ca: Ca, change: Any) -> None:
    accounts = renewed.accounts(config)
    assert accounts.take(renewal(ca, **change)) == math.inf
    assert generations(config) == [1]


def test_a_ca_file_that_is_cut_or_holds_no_ca_is_refused(config: Config, ca: Ca) -> None:
    accounts = renewed.accounts(config)
    for pem in (ca.pem[:-40], leaf(ca), ca.pem + ca.pem[:200], ca.pem.replace("M", "N", 3)):
        assert accounts.take(renewal(ca, ca=pem)) == math.inf, pem
    assert accounts.current.broker.generation == 1


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    given=st.builds(
        Renewal,
        generation=st.integers(1, 2**31 - 1),
        username=st.just(f"{SCHOOL}-9") | TEXT,
        password=TEXT,
        line_key=st.just("k" * 32) | TEXT,
        ca=TEXT | st.binary(max_size=90).map(lambda data: f"-----BEGIN {data!r}"),
        source_key=TEXT,
    )
)
def test_garbage_changes_no_account(config: Config, given: Renewal) -> None:
    accounts = renewed.accounts(config)
    assert accounts.take(given) == math.inf
    assert accounts.current == Account(config.broker)
    assert not (config.folder / renewed.FOLDER).exists()
