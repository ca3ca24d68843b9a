"""The file of HiveMQ's extension: what each account may do, its passwords, and one that changes."""

from __future__ import annotations

import base64
import hashlib
import secrets
from xml.etree import ElementTree as Xml

import pytest

from collector.broker import hivemq
from collector.broker.accounts import Account, AccountError

SCHOOL, OTHER = "9963000001", "9963000002"


def account(name: str, school: str = "") -> Account:
    return Account(name, secrets.token_hex(16), school)


CITY = [
    account(SCHOOL, SCHOOL),
    account(f"{OTHER}-2", OTHER),
    account("collector"),
    account("lineserver"),
    account("keeper"),
    account("doctor"),
    account("admin"),
]


def users(made: bytes) -> dict[str, tuple[str, str]]:
    """By name: password and role."""
    return {
        one.findtext("name", ""): (one.findtext("password", ""), one.findtext("roles/id", ""))
        for one in Xml.fromstring(made).iter("user")
    }


def allowed(made: bytes) -> dict[str, set[tuple[str, ...]]]:
    """By role: topic, activity and whether in a group."""
    keys = ("topic", "activity", "shared-subscription")
    return {
        role.findtext("id", ""): {
            tuple(one.findtext(key, "") for key in keys) for one in role.iter("permission")
        }
        for role in Xml.fromstring(made).iter("role")
    }


def test_a_school_reaches_its_own_topics_alone_and_no_group() -> None:
    top = f"schoolpulse/v1/{OTHER}"
    assert allowed(hivemq.document(CITY))[f"school-{OTHER}"] == {
        (f"{top}/+/report/#", "PUBLISH", ""),
        (f"{top}/+/presence", "PUBLISH", ""),
        (f"{top}/+/receipt", "SUBSCRIBE", "NOT_SHARED"),
        (f"{top}/policy", "SUBSCRIBE", "NOT_SHARED"),
    }


def test_the_collector_may_hear_reports_alone_or_in_a_group() -> None:
    found = allowed(hivemq.document(CITY))["collector"]
    for shared in ("SHARED", "NOT_SHARED"):
        assert ("schoolpulse/v1/+/+/report/#", "SUBSCRIBE", shared) in found
    assert ("schoolpulse/v1/+/+/receipt", "PUBLISH", "") in found
    assert not any(topic.startswith("$") for topic, *_ in found)


def test_every_user_has_a_role_with_permissions_and_who_may_nothing_is_left_out() -> None:
    made = hivemq.document(CITY)
    roles = allowed(made)
    assert set(users(made)) == {one.username for one in CITY} - {"admin"}
    assert all(roles[role] for _, role in users(made).values())


def test_a_password_is_kept_as_salt_rounds_and_hash() -> None:
    stored = users(hivemq.document(CITY))
    for one in CITY[:-1]:
        salt, rounds, kept = stored[one.username][0].split(":")
        raw = base64.b64decode(salt)
        assert len(raw) >= 16
        made = hashlib.pbkdf2_hmac("sha512", one.password.encode(), raw, int(rounds))
        assert base64.b64decode(kept) == made
    assert len({password.partition(":")[0] for password, _ in stored.values()}) == len(stored)


def test_what_did_not_change_is_the_same_file_and_a_new_password_another() -> None:
    made = hivemq.document(CITY)
    assert hivemq.document(reversed(CITY), made) == made
    changed = [CITY[0]._replace(password="n" * 32), *CITY[1:]]
    before, after = users(made), users(hivemq.document(changed, made))
    assert {name for name in before if before[name] != after[name]} == {SCHOOL}
    assert SCHOOL not in users(hivemq.document(CITY[1:], made)), "revoked"


@pytest.mark.parametrize(
    "former",
    [
        b"",
        b"<no xml",
        b"\xff\xfe",
        b"<file-rbac><users><user/></users></file-rbac>",
        b"<a><user><name>9963000001</name><password>x</password></user></a>",
        b"<a><user><name>9963000001</name><password>!:1:x</password></user></a>",
        b"<a><user><name>9963000001</name><password>YQ==:0:x</password></user></a>",
        b"<a><user><name>9963000001</name><password>YQ==:99999999999:x</password></user></a>",
        "<a><user><name>9963000001</name><password>é:1:x</password></user></a>".encode(),
    ],
)
def test_an_earlier_file_that_is_none_is_written_anew(former: bytes) -> None:
    made = hivemq.document(CITY, former)
    assert set(users(made)) == {one.username for one in CITY} - {"admin"}
    assert hivemq.document(CITY, made) == made


def test_a_short_password_is_refused() -> None:
    with pytest.raises(AccountError):
        hivemq.document([Account("collector", "short")])
