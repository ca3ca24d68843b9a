"""A renewal in a receipt: read, passed over by older agents, and never in a receipt's way."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.wire import Receipt, Renewal, ca_digest, certificates, decode_receipt, school_of
from agent.wire.codec import UnreadableError
from agent.wire.messages import Held, Hello, Millis, Offset, StoredRange

GOLD = Path(__file__).parents[3] / "tests/gold/wire"
GIVEN = json.loads((GOLD / "receipt-renewal.json").read_text())
ONE, TWO = (
    f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"
    for body in ("MIIBAAECAwQFBgcICQoLDA0ODw==", "MIICAAECAwQFBgcICQoLDA0ODw==")
)


class OlderReceipt(msgspec.Struct):
    """As agents knew it before renewals."""

    v: int
    now: Millis
    echo: Offset | None = None
    stored: tuple[StoredRange, ...] = ()
    held: tuple[Held, ...] = ()
    again_since: Millis | None = None


class OlderHello(msgspec.Struct, tag_field="type", tag="hello"):
    """As collectors knew it before generations."""

    v: int
    sent: int


def test_older_software_passes_over_the_new_fields() -> None:
    old = msgspec.json.decode((GOLD / "receipt-renewal.json").read_bytes(), type=OlderReceipt)
    assert old.stored == decode_receipt(json.dumps(GIVEN).encode()).stored
    hello = (GOLD / "message-hello-credential.json").read_bytes()
    assert msgspec.json.decode(hello, type=OlderHello).sent == 1262304000000
    before = (GOLD / "message-hello.json").read_bytes()
    assert msgspec.json.decode(before, type=Hello).credential == 0


def spoilt(**change: object) -> bytes:
    return json.dumps({**GIVEN, "renewal": {**GIVEN["renewal"], **change}}).encode()


@pytest.mark.parametrize(
    "payload",
    [
        spoilt(generation=0),
        spoilt(generation="2"),
        spoilt(generation=2**63),
        spoilt(username=None),
        spoilt(password="p" * 257),
        spoilt(ca="x" * 65537),
        spoilt(ca=["a", "b"]),
        json.dumps({**GIVEN, "renewal": "soon"}).encode(),
        json.dumps({**GIVEN, "renewal": [1]}).encode(),
        json.dumps({**GIVEN, "renewal": {}}).encode(),
    ],
    ids=lambda payload: payload[-60:].decode(),
)
def test_a_malformed_renewal_takes_no_stored_report_with_it(payload: bytes) -> None:
    found = decode_receipt(payload)
    assert found.renewal is None
    assert found.stored == (StoredRange("cd" * 8, 1, 1),)


def test_a_receipt_that_is_wrong_elsewhere_stays_unreadable() -> None:
    with pytest.raises(UnreadableError):
        decode_receipt(json.dumps({**GIVEN, "now": "soon"}).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.text(max_size=30),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3)
    ),
    max_leaves=8,
)


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(st.sampled_from([*GIVEN["renewal"], "colour"]), JSON) | JSON)
def test_whatever_stands_for_a_renewal_the_rest_of_the_receipt_is_read(renewal: object) -> None:
    found = decode_receipt(json.dumps({**GIVEN, "renewal": renewal}).encode())
    assert found == msgspec.structs.replace(
        msgspec.convert({**GIVEN, "renewal": None}, Receipt), renewal=found.renewal
    )


def test_a_renewal_never_prints_its_secrets() -> None:
    renewal = msgspec.convert(GIVEN["renewal"], Renewal)
    for secret in (renewal.password, renewal.line_key, renewal.source_key):
        assert secret not in f"{renewal} {renewal!r} {Receipt(v=1, now=1, renewal=renewal)!r}"


def test_the_digest_names_the_certificates_not_the_text() -> None:
    both = ca_digest(ONE + TWO)
    assert len(both) == 16
    assert ca_digest(TWO + "our next one:\n" + ONE) == both
    assert ca_digest((ONE + TWO + ONE).replace("\n", "\r\n")) == both
    assert both not in (ca_digest(ONE), ca_digest(TWO))


@pytest.mark.parametrize("text", ["", "no PEM", ONE[:40], ONE.replace("MIIB", "\u58eb\u58eb")])
def test_what_holds_no_certificate_has_no_digest(text: str) -> None:
    assert certificates(text) == ()
    assert ca_digest(text) == ""


@pytest.mark.parametrize(
    ("username", "school"),
    [("9963020001", "9963020001"), ("9963020001-12", "9963020001"), ("collector", "collector")],
)
def test_the_school_of_an_account(username: str, school: str) -> None:
    assert school_of(username) == school
