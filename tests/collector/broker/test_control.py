"""A running broker's accounts, on a real Mosquitto."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import paho.mqtt.client as mqtt
import pytest

import city_broker
import services
from agent.common import tls
from agent.common.settings import Broker
from city_broker import CityBroker, account, accounts
from collector.broker import dynsec
from collector.broker.accounts import Account, AccountError
from collector.broker.control import Changes, Control, ControlError
from collector.broker.mosquitto import conf
from collector.broker.session import stop_loop

A, B, C = "9901020001", "9901030001", "9901040001"
NOTHING = Changes()

pytestmark = pytest.mark.mosquitto


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[CityBroker]:
    with city_broker.running(tmp_path, [A, B]) as running:
        yield running


class Client:
    """A client that notes whether it was let in, and when it was put out."""

    def __init__(self, settings: Broker, transport: Literal["tcp", "websockets"] = "tcp") -> None:
        self.let_in: bool | None = None
        self.out = threading.Event()
        self.answered = threading.Event()
        self._client = mqtt.Client(
            mqtt.CallbackAPIVersion.VERSION2,
            protocol=mqtt.MQTTv5,
            reconnect_on_failure=False,
            transport=transport,
        )
        context = tls.context(settings, check_dates=True)
        assert context is not None
        self._client.tls_set_context(context)
        self._client.username_pw_set(settings.username, settings.password)
        self._client.on_connect = self._connected
        self._client.on_disconnect = lambda *_: self.out.set()
        self._client.connect(settings.host, settings.port)
        self._client.loop_start()
        assert self.answered.wait(services.PATIENCE_S)

    def _connected(self, _c: object, _d: object, _f: object, why: object, _p: object) -> None:
        self.let_in = not why.is_failure  # type: ignore[attr-defined]
        self.answered.set()

    def close(self) -> None:
        self._client.disconnect()
        stop_loop(self._client)


def lets_in(settings: Broker) -> bool:
    client = Client(settings)
    client.close()
    return client.let_in is True


def meaning(broker: CityBroker) -> dict[str, object]:
    found = dynsec.meaning(dynsec.read(broker.file) or {})
    # Salts are drawn: whether the passwords are right is asked of the broker.
    clients = {name: held[1:] for name, held in found["clients"].items()}
    return found | {"clients": clients}


def test_log_ins_of_a_written_file_work(broker: CityBroker) -> None:
    assert lets_in(broker.settings(A))
    assert not lets_in(Broker(**_fields(broker.settings(A)) | {"password": "guessed"}))
    assert not lets_in(Broker(**_fields(broker.settings(C))))
    assert not lets_in(Broker(**_fields(broker.settings(A)) | {"username": "", "password": ""}))


def _fields(settings: Broker) -> dict[str, object]:
    return {name: getattr(settings, name) for name in settings.__struct_fields__}


def test_websockets_are_served_with_tls_too(tmp_path: Path) -> None:
    broker, port = city_broker.prepared(tmp_path, [A]), services.free_port()
    text = conf(
        city_broker.files(tmp_path), port=broker.port, address="127.0.0.1", websocket_port=port
    )
    broker.config.write_text(f"{text}\nuser root\n", "utf-8")
    broker.start()
    services.wait_port(port, broker.processes[-1])
    try:
        settings = Broker(**_fields(broker.settings(A)) | {"port": port})
        assert Client(settings, transport="websockets").let_in
        assert Client(broker.settings(A)).let_in
    finally:
        broker.stop()


def test_a_broker_that_is_up_to_date_is_left_alone(broker: CityBroker) -> None:
    before = broker.file.read_bytes()
    assert Control(broker.settings("admin")).apply(accounts(A, B)) == NOTHING
    assert broker.file.read_bytes() == before


def test_what_is_applied_means_the_same_as_the_document(broker: CityBroker) -> None:
    wanted = [Account(A, "another-password-of-a", A), *accounts(f"{A}-2", C)]
    changes = Control(broker.settings("admin")).apply(wanted)
    assert changes == Changes((f"{A}-2", C), (A,), (B,))
    expected = dynsec.meaning(dynsec.document(wanted))
    expected["clients"] = {name: held[1:] for name, held in expected["clients"].items()}
    assert meaning(broker) == expected
    assert Control(broker.settings("admin")).apply(wanted) == NOTHING
    for name in (f"{A}-2", C):
        assert lets_in(broker.settings(name))
    assert not lets_in(broker.settings(A))  # its former password
    assert not lets_in(broker.settings(B))


def test_what_the_broker_wrote_serves_while_it_is_stopped_and_after(broker: CityBroker) -> None:
    Control(broker.settings("admin")).apply(accounts(A, B, C))
    broker.stop()
    assert [client["username"] for client in (dynsec.read(broker.file) or {})["clients"]]
    dynsec.write(broker.file, accounts(A, B, C))
    assert not dynsec.write(broker.file, accounts(A, B, C))
    dynsec.write(broker.file, accounts(A, C))
    broker.start()
    assert Control(broker.settings("admin")).apply(accounts(A, C)) == NOTHING
    assert lets_in(broker.settings(C))
    assert not lets_in(broker.settings(B))


def test_who_is_up_to_date_stays_connected_while_others_change(broker: CityBroker) -> None:
    kept, changed = Client(broker.settings(A)), Client(broker.settings(B))
    wanted = [*accounts(A, C), Account(B, "another-password-of-b", B)]
    Control(broker.settings("admin")).apply(wanted)
    assert changed.out.wait(services.PATIENCE_S)
    # The broker handles commands in order, so A would be out by now too.
    Control(broker.settings("admin")).revoke(C)
    assert not kept.out.is_set()
    kept.close()
    changed.close()


def test_who_is_revoked_is_out_and_stays_out(broker: CityBroker) -> None:
    control = Control(broker.settings("admin"))
    client, other = Client(broker.settings(A)), Client(broker.settings(B))
    assert control.revoke(A)
    assert client.out.wait(services.PATIENCE_S)
    assert not lets_in(broker.settings(A))
    assert not other.out.is_set()
    assert not control.revoke(A)
    assert A not in control.usernames()
    other.close()


def test_what_others_changed_is_put_right(broker: CityBroker) -> None:
    """Groups, defaults, disabled accounts, foreign roles and accounts, by another's hand."""
    from collector.broker.session import Session

    allow = [{"acltype": "subscribe", "allow": True}]
    with Session(broker.settings("admin")) as session:
        session.run(
            [
                {"command": "setDefaultACLAccess", "acls": allow},
                {"command": "createGroup", "groupname": "others"},
                {"command": "createClient", "username": "visitor", "password": "visitor"},
                {"command": "disableClient", "username": A},
                {"command": "deleteRole", "rolename": f"school-{B}"},
                {"command": "createRole", "rolename": "everything"},
                {
                    "command": "addRoleACL",
                    "rolename": f"school-{A}",
                    "acltype": "subscribePattern",
                    "topic": "#",
                    "allow": True,
                },
            ]
        )
    changes = Control(broker.settings("admin")).apply(accounts(A, B))
    assert changes == Changes((), (A, B), ("visitor",))
    expected = dynsec.meaning(dynsec.document(accounts(A, B)))
    expected["clients"] = {name: held[1:] for name, held in expected["clients"].items()}
    assert meaning(broker) == expected
    assert lets_in(broker.settings(A))


def test_many_changes_leave_the_broker_its_memory(broker: CityBroker) -> None:
    """With memory_limit the broker refused everybody after some ten changes."""
    control = Control(broker.settings("admin"))
    for schools in ([A, B, C], [A, B]) * 5:
        control.apply(accounts(*schools))
    assert lets_in(broker.settings(A))


def test_a_bad_account_changes_nothing(broker: CityBroker) -> None:
    with pytest.raises(AccountError, match="root"):
        Control(broker.settings("admin")).apply([account("root"), *accounts(C)])
    assert lets_in(broker.settings(A))


def test_the_own_account_is_never_removed(broker: CityBroker) -> None:
    control = Control(broker.settings("admin"))
    control.apply([])
    assert control.usernames() == ["admin"]
    with pytest.raises(ControlError, match="admin"):
        control.revoke("admin")


def test_the_own_password_is_changed_last_and_the_new_one_works(broker: CityBroker) -> None:
    wanted = [one for one in accounts(A, C) if one.username != "admin"]
    wanted.append(Account("admin", "another-password-of-admin"))
    changes = Control(broker.settings("admin")).apply(wanted)
    assert changes == Changes((C,), ("admin",), (B,))
    assert not lets_in(broker.settings("admin"))
    settings = Broker(**_fields(broker.settings("admin")) | {"password": wanted[-1].password})
    assert Control(settings).apply(wanted) == NOTHING
    assert lets_in(broker.settings(C))


@pytest.mark.parametrize("name", ["collector", A])
def test_only_admin_may_command(broker: CityBroker, name: str) -> None:
    with pytest.raises(ControlError):
        Control(broker.settings(name)).apply(accounts())
    assert lets_in(broker.settings(B))


def test_a_broker_that_is_down_is_named(tmp_path: Path) -> None:
    city_broker.certificates(tmp_path)
    port = services.free_port()
    nowhere = Broker(
        port=port, tls=True, ca=str(tmp_path / "ca.pem"), username="admin", password="x"
    )
    with pytest.raises(ControlError, match=str(port)):
        Control(nowhere).revoke(A)
