"""Who logs in to the broker, and what each may do there. Pure.

Mosquitto's dynamic-security plugin knows clients (an account each) and roles (what may be done).
Every school has a literal role of its own, which all generations of its account share; everything
that no role allows is denied, also subscribing, in a group or not.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from agent.common.language import say
from agent.wire.topics import ALL_PRESENCE, ALL_REPORTS, LINESERVER, PREFIX

#: Accounts of the city's own services.
SERVICES = ("collector", "keeper", LINESERVER, "doctor", "admin")
#: Where the plugin takes commands, and where it answers.
COMMANDS = "$CONTROL/dynamic-security/v1"
ANSWERS = f"{COMMANDS}/response"

_NAME = re.compile(r"(?P<base>[0-9]{10}|[a-z]+)(?:-[1-9][0-9]{0,8})?", re.ASCII)
_SCHOOL = re.compile(r"[0-9]{10}", re.ASCII)


class Account(NamedTuple):
    """One log-in; `school` is empty for a service of the city."""

    username: str
    password: str
    school: str = ""

    def __repr__(self) -> str:  # a password must not come into a log or a traceback
        return f"Account({self.username!r}, school={self.school!r})"


class AccountError(ValueError):
    """An account that must not be made; the message names it, never its password."""


class Rule(NamedTuple):
    """One thing that a role may do; `kind` is the plugin's word for it."""

    kind: str
    topic: str


def base(username: str) -> str:
    """The school or service that a username belongs to: what precedes its generation."""
    return username.partition("-")[0]


def role_name(account: Account) -> str:
    """The role of an account; generations of one account have the same."""
    return f"school-{account.school}" if account.school else base(account.username)


def rules(account: Account) -> tuple[Rule, ...]:
    """All that an account may do."""
    return school_rules(account.school) if account.school else _SERVICE[base(account.username)]


def school_rules(school: str) -> tuple[Rule, ...]:
    """A school speaks below its own topics and hears its own receipts and policy."""
    receipts, policy = f"{PREFIX}/{school}/+/receipt", f"{PREFIX}/{school}/policy"
    return (
        _send(f"{PREFIX}/{school}/+/report/#"),
        _send(f"{PREFIX}/{school}/+/presence"),
        *_hear(receipts),
        *_hear(policy),
    )


def check(accounts: Iterable[Account]) -> list[Account]:
    """The accounts, each name once.

    Raises:
        AccountError: a name that no role fits, one of another school, twice the same name, or a
            password that is too short to resist guessing.
    """
    found: dict[str, Account] = {}
    for account in accounts:
        problem = _problem(account)
        if account.username in found:
            problem = say("出现了两次", "named twice")
        if problem:
            name = say("账号", "account")
            raise AccountError(f"{name} {account.username!r}: {problem}")
        found[account.username] = account
    return list(found.values())


def _problem(account: Account) -> str:
    if _NAME.fullmatch(account.username) is None:
        return say(
            "名称应为学校标识码或服务名，换发后加 -2、-3…",
            "a name is a school's code or a service, with -2, -3 … for later generations",
        )
    owner = base(account.username)
    if account.school and (account.school != owner or not _SCHOOL.fullmatch(owner)):
        return say(
            f"不属于学校 {account.school!r}", f"does not belong to school {account.school!r}"
        )
    if not account.school and owner not in SERVICES:
        known = " ".join(SERVICES)
        return say(f"不是市级服务，只有 {known}", f"no service of the city; those are {known}")
    # Few rounds of hashing: only a long random password resists whoever reads the file.
    if len(account.password) < 16 or "\0" in account.password:
        return say(
            "密码少于 16 个字符，或含有零字节",
            "its password is shorter than 16 characters, or has a zero byte",
        )
    return ""


def _send(topic: str) -> Rule:
    return Rule("publishClientSend", topic)


def _hear(topic: str) -> tuple[Rule, Rule]:
    """Subscribe to it and be sent it: the plugin asks for each apart."""
    return Rule("subscribePattern", topic), Rule("publishClientReceive", topic)


def _group(topic: str) -> Rule:
    """Join any group that shares `topic`."""
    return Rule("subscribePattern", f"$share/+/{topic}")


_POLICIES = f"{PREFIX}/+/policy"
_SYSTEM = "$SYS/#"
_COLLECTOR = (
    *_hear(ALL_REPORTS),
    *_hear(ALL_PRESENCE),
    *_hear(_SYSTEM),
    _group(ALL_REPORTS),
    _group(ALL_PRESENCE),
    _send(f"{PREFIX}/+/+/receipt"),
    _send(_POLICIES),
    # To clear what a school had the broker retain.
    _send(ALL_REPORTS),
    _send(ALL_PRESENCE),
)
_SERVICE: dict[str, tuple[Rule, ...]] = {
    "collector": _COLLECTOR,
    # Where it runs apart it works on the store alone: what it must tell goes by policy.
    "keeper": (_send(_POLICIES), *_hear(_SYSTEM)),
    # ... and the published policies: the lines that are registered, where register.db is elsewhere.
    LINESERVER: (*school_rules(LINESERVER), *_hear(_POLICIES)),
    "doctor": (*_hear(_SYSTEM), *_hear(ALL_PRESENCE), *_hear(_POLICIES)),
    "admin": (_send(COMMANDS), *_hear(ANSWERS)),
}
