"""Which accounts are made, and what each may do."""

from __future__ import annotations

import pytest

import city_broker
from collector.broker.accounts import (
    SERVICES,
    Account,
    AccountError,
    base,
    check,
    role_name,
    rules,
)

SCHOOL = "9963020001"
LONG = "x" * 16


def test_generations_of_a_school_have_its_role() -> None:
    first = Account(SCHOOL, LONG, SCHOOL)
    third = Account(f"{SCHOOL}-3", LONG, SCHOOL)
    assert role_name(first) == role_name(third)
    assert rules(first) == rules(third)
    assert base(third.username) == SCHOOL


@pytest.mark.parametrize("name", [*SERVICES, "collector-2"])
def test_no_service_but_admin_may_command_the_broker(name: str) -> None:
    topics = [rule.topic for rule in rules(Account(name, LONG))]
    assert any("$CONTROL" in topic for topic in topics) == (name == "admin")


def test_what_a_school_may_do_names_itself_everywhere() -> None:
    granted = rules(Account(SCHOOL, LONG, SCHOOL))
    assert {rule.kind for rule in granted} == {
        "publishClientSend",
        "publishClientReceive",
        "subscribePattern",
    }
    assert all(rule.topic.split("/")[2] == SCHOOL for rule in granted)


@pytest.mark.parametrize(
    "account",
    [
        Account("9963020001", LONG, "9963020002"),
        Account("9963020001", LONG),
        Account("collector", LONG, "9963020001"),
        Account("9963020001-1x", LONG, SCHOOL),
        Account("9963020001-0", LONG, SCHOOL),
        Account("99630200+1", LONG, SCHOOL),
        Account("9963020001\n", LONG, SCHOOL),
        Account("９９６３０２０００１", LONG, "９９６３０２０００１"),
        Account("root", LONG),
        Account("", LONG),
        Account(SCHOOL, "short", SCHOOL),
        Account(SCHOOL, f"{LONG}\0{LONG}", SCHOOL),
    ],
)
def test_an_account_that_makes_no_sense_is_refused_by_name(account: Account) -> None:
    with pytest.raises(AccountError) as caught:
        check([account])
    assert repr(account.username) in str(caught.value)
    assert account.password not in str(caught.value) + repr(account)


def test_a_name_twice_is_refused() -> None:
    with pytest.raises(AccountError, match=SCHOOL):
        check([city_broker.account(SCHOOL), Account(SCHOOL, LONG, SCHOOL)])
