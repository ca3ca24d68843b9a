"""The accounts and roles as the file of HiveMQ's extension "File RBAC", another broker's. Pure.

HiveMQ reads it again by itself once it has changed. What is connected stays connected with what it
was allowed until then.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from collections.abc import Iterable, Iterator
from xml.etree import ElementTree as Xml

from collector.broker import dynsec
from collector.broker.accounts import Account, Rule, check, role_name

#: Rounds of PBKDF2: as few as a start of all PCs at once allows; the passwords are long and drawn.
_ROOT = "file-rbac"
_ROUNDS = 1000
_SALT_BYTES = 24
_GROUP = "$share/+/"
#: Commands of Mosquitto's plugin, and what only it publishes.
_ELSEWHERE = ("$CONTROL/", "$SYS/")


def document(accounts: Iterable[Account], former: bytes = b"") -> bytes:
    """The whole file; unchanged passwords keep the salts that they have in `former`.

    An account that may do nothing at this broker, such as Mosquitto's administrator, is left out.

    Raises:
        AccountError: see `accounts.check`.
    """
    checked = sorted(check(accounts))
    known = _passwords(former)
    granted = {
        name: found
        for name, rules in dynsec.roles(checked).items()
        if (found := list(_permissions(rules)))
    }
    root = Xml.Element(_ROOT)
    users, roles = Xml.SubElement(root, "users"), Xml.SubElement(root, "roles")
    for account in checked:
        if role_name(account) in granted:
            users.append(_user(account, known.get(account.username, "")))
    for name, permissions in granted.items():
        role = Xml.SubElement(roles, "role")
        Xml.SubElement(role, "id").text = name
        Xml.SubElement(role, "permissions").extend(permissions)
    Xml.indent(root)
    return bytes(Xml.tostring(root, encoding="UTF-8", xml_declaration=True)) + b"\n"


def others(former: bytes) -> bool:
    """Whether it is another file of XML, such as HiveMQ's settings, and not one of accounts."""
    try:
        return bool(former) and Xml.fromstring(former.decode()).tag != _ROOT  # noqa: S314
    except (Xml.ParseError, UnicodeDecodeError):
        return False


def usernames(made: bytes) -> set[str]:
    """Whom a file lets in; nobody where it cannot be read."""
    return set(_passwords(made))


def _permissions(rules: Iterable[Rule]) -> Iterator[Xml.Element]:
    """Receiving needs none of its own here: who may subscribe is sent it."""
    for rule in rules:
        if rule.topic.startswith(_ELSEWHERE) or rule.kind == "publishClientReceive":
            continue
        if rule.kind == "publishClientSend":
            yield _permission(rule.topic, "PUBLISH")
        else:
            shared = rule.topic.startswith(_GROUP)
            wanted = {"shared-subscription": "SHARED" if shared else "NOT_SHARED"}
            yield _permission(rule.topic.removeprefix(_GROUP), "SUBSCRIBE", wanted)


def _permission(topic: str, activity: str, more: dict[str, str] | None = None) -> Xml.Element:
    made = Xml.Element("permission")
    for name, text in {"topic": topic, "activity": activity, **(more or {})}.items():
        Xml.SubElement(made, name).text = text
    return made


def _user(account: Account, former: str) -> Xml.Element:
    made = Xml.Element("user")
    Xml.SubElement(made, "name").text = account.username
    same = hmac.compare_digest(former, _hashed(account.password, former))
    salt = _encoded(secrets.token_bytes(_SALT_BYTES))
    wanted = former if same else _hashed(account.password, f"{salt}:{_ROUNDS}:")
    Xml.SubElement(made, "password").text = wanted
    Xml.SubElement(Xml.SubElement(made, "roles"), "id").text = role_name(account)
    return made


def _hashed(password: str, like: str) -> str:
    """salt:rounds:hash, with the salt and rounds of `like`; "-" if that has none."""
    try:
        salt, rounds, _ = like.split(":")
        raw = base64.b64decode(salt, validate=True)
        made = hashlib.pbkdf2_hmac("sha512", password.encode(), raw, int(rounds))
    except (ValueError, OverflowError):
        return "-"
    return f"{salt}:{rounds}:{_encoded(made)}"


def _encoded(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def _passwords(former: bytes) -> dict[str, str]:
    """By user name, what an earlier file holds; nothing where it cannot be read."""
    try:
        root = Xml.fromstring(former.decode()) if former else None  # noqa: S314  # we wrote it
    except (Xml.ParseError, UnicodeDecodeError):
        return {}
    users = [] if root is None else root.iter("user")
    found = {str(one.findtext("name")): one.findtext("password", "") for one in users}
    return {name: password for name, password in found.items() if password.isascii()}
