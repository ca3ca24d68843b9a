"""New credentials over a real Mosquitto with TLS: a school moves, and no PC is locked out."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from accounts_broker import CITY, AccountsBroker
from agent import renewed
from agent.common.broker_settings import AgentBroker
from agent.config import Config
from agent.mqtt import accounts as accounts_module
from agent.mqtt import hello, reconnect
from agent.mqtt.link import State
from agent.mqtt.loop import Loop
from agent.wire import Renewal, ca_digest
from pki import Ca
from renewing_school import SCHOOL, Agent, City


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hours and minutes become parts of a second."""
    monkeypatch.setattr(hello, "AGAIN", 0.4)
    monkeypatch.setattr(hello, "SPREAD", 0.2)
    monkeypatch.setattr(reconnect, "SPREAD_S", 0.3)
    monkeypatch.setattr(reconnect, "CAP_S", 0.5)


@pytest.fixture
def ca(tmp_path: Path) -> Ca:
    return Ca(tmp_path / "ca")


@pytest.fixture
def broker(tmp_path: Path, ca: Ca) -> Iterator[AccountsBroker]:
    with AccountsBroker(tmp_path / "broker", ca.sign()).running({SCHOOL: "first"}) as running:
        yield running


@pytest.fixture
def city(broker: AccountsBroker) -> Iterator[City]:
    made = City(broker)
    yield made
    made.fake.close()


@pytest.fixture
def pc(tmp_path: Path, broker: AccountsBroker, ca: Ca) -> Iterator[Callable[..., Agent]]:
    """Makes PCs with the installed account, and ends them."""
    made: list[Agent] = []
    loop = Loop()
    loop.start()

    def make(number: int = 1) -> Agent:
        settings = AgentBroker(
            host="localhost", port=broker.port, tls=True, ca=str(ca.path), generation=1,
            username=SCHOOL, password="first", protocol="5",
        )  # fmt: skip
        config = Config(school=SCHOOL, data=str(tmp_path / f"pc{number}"), broker=settings)
        made.append(Agent(config, number, loop))
        return made[-1]

    yield make
    for one in made:
        if one.link.state is not State.STOPPED:
            one.link.begin_stop()
    for one in made:
        one.stop()
    loop.stop()


def second(city_ca: Ca, generation: int = 2, **change: Any) -> Renewal:
    given = Renewal(
        generation=generation, username=f"{SCHOOL}-{generation}", password="second",
        line_key=secrets.token_hex(16), ca=city_ca.pem,
    )  # fmt: skip
    return msgspec.structs.replace(given, **change)


BOTH = {SCHOOL: "first", f"{SCHOOL}-2": "second"}


@pytest.mark.slow
def test_a_school_of_forty_moves_and_one_that_was_off_follows(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca
) -> None:
    pcs = [pc(number) for number in range(1, 41)]
    *running, off = pcs
    for one in running:
        one.start()
    city.wait(lambda: city.all_say(1, 39))

    broker.accounts(BOTH)
    city.renewal = second(ca)
    city.wait(lambda: city.all_say(2, 39))  # connected all the while: told by the hourly hello
    off.start()  # by the account that was installed
    city.wait(lambda: city.all_say(2, 40))

    broker.accounts({f"{SCHOOL}-2": "second"})
    city.reports.clear()
    for one in pcs:
        one.reports()
    city.wait(lambda: city.all_reported(40))
    assert f"{SCHOOL}-2" in broker.log

    running[0].stop()  # and after a restart of the PC, with the old account ended
    city.reports.clear()
    running[0].start()
    running[0].reports()
    city.wait(lambda: city.all_reported(1))
    assert running[0].accounts.current.broker.generation == 2


def test_where_the_new_account_is_refused_the_installed_one_goes_on(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca
) -> None:
    city.renewal = second(ca)  # the broker does not have it
    one = pc()
    one.start()
    one.reports()
    city.wait(lambda: city.given >= 3)  # sent again and again
    assert one.accounts.current.broker.generation == 1
    refused = [line for line in broker.log.splitlines() if "not authorised" in line]
    assert len(refused) == 1  # and tried once: RETRY_S has not passed
    one.reports()
    city.wait(lambda: city.reports.get(one.machine, 0) == 2)


def test_both_are_tried_in_turn_until_one_works(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca
) -> None:
    broker.accounts(BOTH)
    city.renewal = second(ca)
    one = pc()
    one.start()
    city.wait(lambda: city.all_say(2, 1))
    broker.accounts({"nobody": "here"})
    for _ in range(3):  # neither works: it goes on trying
        one.wait(State.IDLE)
    for accounts in (BOTH, {"nobody": "x"}, {SCHOOL: "first"}, {f"{SCHOOL}-2": "second"}):
        broker.accounts(accounts)
        if "nobody" in accounts:
            one.wait(State.IDLE)
            continue
        city.reports.clear()
        one.reports()
        city.wait(lambda: city.all_reported(1))


def test_an_account_without_rights_counts_as_refused(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca, tmp_path: Path
) -> None:
    """The new account may log in, and neither subscribe nor publish."""
    acl = tmp_path / "acl"
    acl.write_text(f"user {CITY}\ntopic readwrite #\nuser {SCHOOL}\ntopic readwrite #\n")
    broker._more = f"acl_file {acl}\n"
    broker._write(BOTH)
    broker.certificate(ca.sign())
    city.fake.client.reconnect()
    city.renewal = second(ca)
    one = pc()
    one.start()
    city.wait(lambda: city.given >= 3)
    one.reports()
    city.wait(lambda: city.reports.get(one.machine, 0) == 1)
    assert one.accounts.current.broker.generation == 1


def test_the_next_ca_is_trusted_before_it_signs(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca, tmp_path: Path
) -> None:
    following = Ca(tmp_path / "next", "next CA")
    city.renewal = second(ca, 1, username=SCHOOL, password="first", ca=ca.pem + following.pem)
    one = pc()
    one.start()
    city.wait(lambda: city.said and next(iter(city.said.values())).ca == ca_digest(city.renewal.ca))
    broker.certificate(following.sign())
    city.renewal = None
    city.fake.client.reconnect()
    one.reports()
    city.wait(lambda: city.reports.get(one.machine, 0) == 1)


def test_a_ca_that_does_not_fit_the_broker_locks_nobody_out(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca, tmp_path: Path
) -> None:
    broker.accounts(BOTH)
    city.renewal = second(ca, ca=Ca(tmp_path / "wrong", "another CA").pem)
    one = pc()
    one.start()
    city.wait(lambda: city.given >= 3)
    one.reports()
    city.wait(lambda: city.reports.get(one.machine, 0) == 1)
    assert one.accounts.current.ca_digest == ca_digest(ca.pem)


def test_a_restore_card_costs_no_more_than_another_renewal(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca
) -> None:
    broker.accounts(BOTH)
    city.renewal = second(ca)
    one = pc()
    for given in (1, 2, 3):
        city.said.clear()
        one.start()
        city.wait(lambda: city.all_say(2, 1))
        assert city.given == given
        one.stop()
        for file in (one.config.folder / renewed.FOLDER).iterdir():
            file.unlink()


def test_a_refused_account_is_asked_for_again_and_tried(
    broker: AccountsBroker, city: City, pc: Any, ca: Ca, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The broker learnt of it a little later: no need to wait for the hourly hello."""
    monkeypatch.setattr(hello, "AGAIN", 3600.0)
    monkeypatch.setattr(accounts_module, "RETRY_S", 0.5)
    city.renewal = second(ca)
    one = pc()
    one.start()
    city.wait(lambda: "not authorised" in broker.log and city.given >= 2)
    broker.accounts(BOTH)
    city.wait(lambda: city.all_say(2, 1))
