"""Changes to a running broker's accounts, by commands to its dynamic-security plugin.

A broker that does not run is changed by its file: `collector.broker.dynsec.write`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from agent.common.language import say
from agent.common.settings import Broker
from collector.broker import dynsec
from collector.broker.accounts import Account, Rule, check, role_name
from collector.broker.session import Command, ControlError, Session

__all__ = ["Changes", "Control", "ControlError"]

_PAGE = 200  # accounts or roles asked for at once
#: Kinds of commands that make and end accounts; the others only prepare.
_ADD, _CHANGE, _REMOVE = "createClient", "modifyClient", "deleteClient"


class Changes(NamedTuple):
    """Usernames, in order, of what `apply` changed; all empty: the broker was up to date."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()


class State(NamedTuple):
    """What the broker holds: username, role or group -> as the plugin shows it."""

    clients: Mapping[str, Mapping[str, Any]]
    roles: Mapping[str, Mapping[str, Any]]
    groups: tuple[str, ...]
    denies_all: bool


class Control:
    """Reconciles a running broker with the accounts that there should be.

    Each call is a connection of its own, so it may be used by any thread.
    """

    def __init__(self, settings: Broker) -> None:
        """`settings`: the broker, and the account `admin`."""
        self._settings = settings

    def apply(self, accounts: Iterable[Account]) -> Changes:
        """Add, change and remove until the broker holds exactly `accounts`.

        What is right already is not touched: its connections stay. Ended halfway, or told twice,
        it only does what is left. The account that it works by is never removed.

        Raises:
            AccountError: see `accounts.check`; nothing is changed.
            ControlError: the broker cannot be reached, or refused a command, which it names.
        """
        checked = sorted(check(accounts))
        with Session(self._settings) as session:
            commands = list(_commands(_state(session), checked, self._settings.username))
            mine = [one for one in commands if one.get("username") == self._settings.username]
            session.run([one for one in commands if one not in mine])
            for command in mine:  # it ends our own connection
                session.run_last(command)
        return _changes(commands)

    def usernames(self) -> list[str]:
        """Every account that the broker knows.

        Raises:
            ControlError: see `apply`.
        """
        with Session(self._settings) as session:
            return sorted(_listed(session, "listClients", "clients", "username"))

    def revoke(self, username: str) -> bool:
        """End an account: whoever uses it is disconnected at once. False where there was none.

        Raises:
            ControlError: see `apply`; or it is the account that this works by.
        """
        if username == self._settings.username:
            fix = say("不能撤销自己正在使用的账号", "cannot revoke the account this works by")
            raise ControlError(f"{username}: {fix}")
        with Session(self._settings) as session:
            answer = session.ask({"command": _REMOVE, "username": username})
        if answer.get("error") not in (None, "Client not found"):
            raise ControlError(f"{username}: {answer['error']}")
        return "error" not in answer


def _state(session: Session) -> State:
    default = session.data({"command": "getDefaultACLAccess"}).get("acls", ())
    groups = session.data({"command": "listGroups"}).get("groups", ())
    return State(
        _listed(session, "listClients", "clients", "username"),
        _listed(session, "listRoles", "roles", "rolename"),
        tuple(str(name) for name in groups),
        not any(one.get("allow") for one in default),
    )


def _listed(session: Session, command: str, key: str, name: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    while True:
        page = {"command": command, "verbose": True, "count": _PAGE, "offset": len(found)}
        data = session.data(page)
        found |= {str(one[name]): one for one in data.get(key, ())}
        if not data.get(key) or len(found) >= data.get("totalCount", 0):
            return found


def _commands(state: State, accounts: list[Account], own: str) -> Iterator[Command]:
    """What makes `state` right: roles before who has them, and what goes away last."""
    wanted = {account.username for account in accounts}
    roles = dynsec.roles(accounts)
    kept = {*roles, *dynsec.roles_of(state.clients.get(own, {}))}
    yield from _default(state)
    yield from _roles(state, roles)
    for account in accounts:
        yield from _account(state.clients.get(account.username), account)
    for name in state.clients:
        if name not in wanted and name != own:
            yield {"command": _REMOVE, "username": name}
    for name in state.groups:
        yield {"command": "deleteGroup", "groupname": name}
    for name in state.roles:
        if name not in kept:
            yield {"command": "deleteRole", "rolename": name}


def _default(state: State) -> Iterator[Command]:
    if not state.denies_all:
        access = [{"acltype": kind, "allow": False} for kind in dynsec.DENY_ALL]
        yield {"command": "setDefaultACLAccess", "acls": access}


def _roles(state: State, roles: Mapping[str, tuple[Rule, ...]]) -> Iterator[Command]:
    for name, granted in roles.items():
        wanted = dynsec.role(name, granted)
        if name not in state.roles:
            yield {"command": "createRole", **wanted}
        elif dynsec.rules_of(state.roles[name]) != dynsec.rules_of(wanted):
            yield {"command": "modifyRole", **wanted}


def _account(found: Mapping[str, Any] | None, account: Account) -> Iterator[Command]:
    """The account's command, none where it is right. A command with a password ends connections."""
    name = account.username
    having: Command = {"username": name, "roles": [{"rolename": role_name(account)}]}
    secret = {"password": account.password, "textdescription": dynsec.note(account.password)}
    if found is None:
        yield {"command": _ADD, **having, **secret}
        return
    if not dynsec.noted(found.get("textdescription", ""), account.password):
        yield {"command": _CHANGE, **having, **secret}
    elif dynsec.roles_of(found) != {role_name(account)} or found.get("clientid"):
        yield {"command": _CHANGE, **having, "clientid": ""}
    if found.get("disabled"):
        yield {"command": "enableClient", "username": name}


def _changes(commands: Iterable[Command]) -> Changes:
    by: dict[str, list[str]] = {}
    for command in commands:
        by.setdefault(command["command"], []).append(str(command.get("username", "")))
    changed = sorted({*by.get(_CHANGE, ()), *by.get("enableClient", ())})
    return Changes(tuple(by.get(_ADD, ())), tuple(changed), tuple(by.get(_REMOVE, ())))
