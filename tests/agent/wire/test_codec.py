"""Round trips, golden payloads, and what can never be read."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent.wire import (
    MAX_PAYLOAD,
    FutureVersionError,
    Hello,
    Message,
    Policy,
    Presence,
    Receipt,
    Report,
    UnreadableError,
    decode_message,
    decode_policy,
    decode_presence,
    decode_receipt,
    encode,
)
from agent.wire.jsonschema import FILES, schema
from wire_strategies import messages_of

ROOT = Path(__file__).parents[3]
GOLD = ROOT / "tests/gold/wire"
DECODERS = {
    "message": decode_message,
    "receipt": decode_receipt,
    "presence": decode_presence,
    "policy": decode_policy,
}
TYPES = {"message": Message, "receipt": Receipt, "presence": Presence, "policy": Policy}
VALIDATORS = {name: jsonschema.Draft202012Validator(json.loads(schema(name))) for name in FILES}
SLOW = settings(max_examples=150, suppress_health_check=list(HealthCheck), deadline=None)


@pytest.mark.parametrize("name", TYPES)
@SLOW
@given(data=st.data())
def test_what_is_encoded_is_read_back(name: str, data: st.DataObject) -> None:
    message = data.draw(messages_of(TYPES[name]))
    assert DECODERS[name](encode(message)) == message


@pytest.mark.parametrize("name", TYPES)
@SLOW
@given(data=st.data())
def test_the_published_schema_holds_for_every_message(name: str, data: st.DataObject) -> None:
    message = data.draw(messages_of(TYPES[name]))
    VALIDATORS[name].validate(json.loads(encode(message)))


@settings(max_examples=500, deadline=None)
@given(st.binary(max_size=400) | st.text(max_size=400).map(str.encode))
def test_garbage_is_named_never_raised_otherwise(payload: bytes) -> None:
    for decode in DECODERS.values():
        with pytest.raises((UnreadableError, FutureVersionError)):
            decode(payload)


@SLOW
@given(messages_of(Message), st.data())
def test_a_torn_or_changed_report_is_read_or_named(
    message: Hello | Report, data: st.DataObject
) -> None:
    payload = bytearray(encode(message))
    at = data.draw(st.integers(0, len(payload) - 1))
    payload[at] ^= data.draw(st.integers(1, 255))
    for damaged in (bytes(payload), bytes(payload[:at])):
        try:
            decode_message(damaged)
        except (UnreadableError, FutureVersionError):
            continue


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"null",
        b"[]",
        b'{"v":1}',
        b'{"v":0,"type":"report","time":1,"readings":[]}',
        b'{"v":1,"type":"report","time":"soon","readings":[]}',
        b'{"v":1,"type":"report","time":1,"readings":[{"reading":"host","cpu_percent":101}]}',
        b'{"v":1,"type":"report","time":1,"readings":[{"reading":"weather"}]}',
        b"[" * 100_000,
        b'{"a":' * 100_000,
        b'"' + b"x" * MAX_PAYLOAD + b'"',
        "{'v': 1}".encode("utf-16"),
        '{"v":1,"type":"报告"}'.encode("gbk"),
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_unreadable(payload: bytes) -> None:
    with pytest.raises(UnreadableError):
        decode_message(payload)


@pytest.mark.parametrize("name", DECODERS)
def test_a_future_version_is_told_apart(name: str) -> None:
    with pytest.raises(FutureVersionError, match="version 2"):
        DECODERS[name](b'{"v":2,"type":"telegram","news":[]}')


def test_a_field_of_a_later_minor_version_is_passed_over() -> None:
    payload = b'{"v":1,"type":"report","time":5,"readings":[],"colour":"red"}'
    assert decode_message(payload) == Report(v=1, time=5, readings=())


@pytest.mark.parametrize("path", sorted(GOLD.glob("*.json")), ids=lambda path: path.name)
def test_golden_payloads_of_version_1_are_read_and_written_alike(path: Path) -> None:
    payload = path.read_bytes().strip()
    decode = DECODERS[path.name.split("-")[0]]
    assert encode(decode(payload)) == payload


def test_golden_payloads_are_never_edited() -> None:
    """A new case is a new file and a new line in SHA256SUMS; old lines stand for ever."""
    lines = (GOLD / "SHA256SUMS").read_text().split()
    sums = dict(zip(lines[1::2], lines[::2], strict=True))
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in GOLD.glob("*.json")
    }
    assert found == sums
    assert len(found) >= 8


@pytest.mark.parametrize("name", FILES)
def test_the_published_schema_is_the_generated_one(name: str) -> None:
    published = (ROOT / f"docs/wire/{name}.schema.json").read_bytes()
    assert published == schema(name), "run `make docs`"


@pytest.mark.parametrize(
    "bad",
    ['"quiet_per_day":1000000000', '"lesson_per_day":97', '"max_seconds":0', '"max_seconds":121',
     '"max_bytes":0'],
)  # fmt: skip
def test_a_policy_that_no_measurement_server_grants_is_refused(bad: str) -> None:
    line = f'{{"line":"a","server":"http://h:1",{bad}}}'
    payload = f'{{"v":1,"school":"9963010001","issued":1,"lines":[{line}]}}'
    with pytest.raises(UnreadableError):
        decode_policy(payload.encode())


def test_a_policy_with_fields_of_tomorrow_is_read() -> None:
    """A collector that knows more must not silence the agents that know less."""
    payload = b'{"v":1,"school":"9963010001","issued":1,"report_s":60,"threshold_gbps":3}'
    assert decode_policy(payload).report_s == 60
