"""The file of Mosquitto's dynamic-security plugin, for a broker that does not run.

A running broker holds all of it in memory and writes the file anew at each change:
`collector.broker.control` changes that.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from agent.common import files
from collector.broker.accounts import Account, Rule, check, role_name, rules

#: The plugin's own number of rounds: its passwords must be long and random.
ITERATIONS = 101
_SALT_BYTES = 12
_NOTE_BYTES = 16
DENY_ALL = {
    "publishClientSend": False,
    "publishClientReceive": False,
    "subscribe": False,
    "unsubscribe": False,
}


def document(
    accounts: Iterable[Account], former: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The whole file; salts are drawn, but an unchanged password of `former` keeps its own.

    Raises:
        AccountError: see `accounts.check`.
    """
    checked = sorted(check(accounts))
    known = {str(one["username"]): one for one in _entries(former or {}, "clients")}
    return {
        "defaultACLAccess": DENY_ALL,
        "clients": [_client(one, known.get(one.username, {})) for one in checked],
        "groups": [],
        "roles": [role(name, granted) for name, granted in roles(checked).items()],
    }


def roles(accounts: Iterable[Account]) -> dict[str, tuple[Rule, ...]]:
    """Name -> rules, of every role that the accounts have."""
    return {role_name(account): rules(account) for account in accounts}


def role(name: str, granted: Iterable[Rule]) -> dict[str, Any]:
    """A role as the plugin writes it."""
    return {"rolename": name, "acls": acls(granted)}


def acls(granted: Iterable[Rule]) -> list[dict[str, Any]]:
    """The rules of a role as the plugin writes them."""
    return [{"acltype": r.kind, "topic": r.topic, "priority": 0, "allow": True} for r in granted]


def write(path: Path, accounts: Iterable[Account]) -> bool:
    """Bring the file of a stopped broker up to date; whether it changed.

    It is readable by its owner alone, who must be the user that the broker runs as.

    Raises:
        AccountError: see `accounts.check`.
        OSError: the file cannot be read or written.
    """
    former = read(path)
    wanted = document(accounts, former)
    if former is not None and meaning(former) == meaning(wanted):
        return False
    files.replace(path, json.dumps(wanted, indent=1).encode(), mode=0o600)
    return True


def meaning(found: Mapping[str, Any]) -> dict[str, Any]:
    """What a document says, whatever the order in which the broker writes it."""
    return {
        "default": found.get("defaultACLAccess"),
        "clients": {
            str(one["username"]): (
                tuple(str(one.get(key, "")) for key in ("password", "salt", "iterations")),
                frozenset(roles_of(one)),
                bool(one.get("disabled")),
                str(one.get("clientid", "")),
            )
            for one in _entries(found, "clients")
        },
        "roles": {str(one["rolename"]): rules_of(one) for one in _entries(found, "roles")},
        "groups": frozenset(str(one["groupname"]) for one in _entries(found, "groups")),
    }


def roles_of(client: Mapping[str, Any]) -> set[str]:
    """The names of the roles that the plugin shows of a client."""
    return {str(one["rolename"]) for one in _entries(client, "roles")}


def rules_of(shown: Mapping[str, Any]) -> frozenset[tuple[str, str, bool]]:
    """Kind, topic and allowed, of each rule that the plugin shows of a role."""
    return frozenset(
        (str(one["acltype"]), str(one.get("topic")), one.get("allow") is True)
        for one in _entries(shown, "acls")
    )


#: What names an entry of each list of the plugin's.
_NAMES = {"clients": "username", "roles": "rolename", "groups": "groupname", "acls": "acltype"}


def _entries(found: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    """A list of the plugin's; what has no name is none of its own."""
    entries = found.get(key)
    if not isinstance(entries, list):
        return []
    return [one for one in entries if isinstance(one, dict) and _NAMES[key] in one]


def read(path: Path) -> dict[str, Any] | None:
    """What the file holds; None where there is none, or nothing that can be used."""
    try:
        found = json.loads(path.read_bytes())
    except (FileNotFoundError, ValueError):
        return None
    return found if isinstance(found, dict) else None


def note(password: str) -> str:
    """What is kept beside an account to see later whether its password is still this one.

    The plugin shows nobody its hashes, not even the administrator.
    """
    salt = secrets.token_bytes(_SALT_BYTES)
    return f"{_text(salt)}.{_text(_hash(password, salt)[:_NOTE_BYTES])}"


def noted(text: object, password: str) -> bool:
    """Whether `text` is a note of `password`."""
    salt, dot, kept = str(text).partition(".")
    wanted = _text(_hash(password, _bytes(salt))[:_NOTE_BYTES])
    return bool(dot) and hmac.compare_digest(kept, wanted)


def _client(account: Account, former: Mapping[str, Any]) -> dict[str, Any]:
    same = _has_password(former, account.password)
    salt = _bytes(former["salt"]) if same else secrets.token_bytes(_SALT_BYTES)
    kept = former.get("textdescription", "")
    return {
        "username": account.username,
        "textdescription": kept if noted(kept, account.password) else note(account.password),
        "roles": [{"rolename": role_name(account)}],
        "password": _text(_hash(account.password, salt)),
        "salt": _text(salt),
        "iterations": ITERATIONS,
    }


def _has_password(client: Mapping[str, Any], password: str) -> bool:
    if client.get("iterations") != ITERATIONS:
        return False
    salt = _bytes(str(client.get("salt", "")))
    wanted = _text(_hash(password, salt))
    return len(salt) == _SALT_BYTES and hmac.compare_digest(str(client.get("password")), wanted)


def _hash(password: str, salt: bytes) -> bytes:
    return hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ITERATIONS)


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _bytes(text: str) -> bytes:
    try:
        return base64.b64decode(text, validate=True)
    except ValueError:  # another's text
        return b""
