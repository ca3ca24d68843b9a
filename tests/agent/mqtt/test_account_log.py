"""The log names accounts as the city does: by username, not as objects of the program."""

from __future__ import annotations

import logging

import pytest

from agent.common.broker_settings import AgentBroker
from agent.mqtt.accounts import Account, Accounts


def test_a_refused_account_is_named(caplog: pytest.LogCaptureFixture) -> None:
    names = "9963020002-2", "9963020002"
    accounts = Accounts([Account(AgentBroker(username=name)) for name in names])
    with caplog.at_level(logging.WARNING):
        accounts.refused()
    (line,) = caplog.messages
    assert line == "account_refused account=9963020002-2 following=9963020002"
