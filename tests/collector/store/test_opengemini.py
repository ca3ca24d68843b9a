"""What openGemini cannot do, and how its store allows for that. The server's answers are those
that version 1.5.2 gave; the texts go through a real InfluxDB, which keeps what it is sent.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
import urllib3

from collector.config import Store as Settings
from collector.store import influxql
from collector.store.base import MisconfiguredError, RejectedError, UnavailableError
from collector.store.failover import FailoverStore
from collector.store.influx import InfluxStore
from collector.store.opengemini import OpenGeminiStore
from contract_points import NOON, agent, read

_NONE = '{"results":[{"statement_id":%d,"error":"measurement not found"}]}\n'


@pytest.fixture
def settings(influxdb: Any) -> Iterator[Settings]:
    names = [influxdb.create(f"{kind}-gemini") for kind in ("t", "e")]
    yield Settings("opengemini", influxdb.url, "", "o", *names, telemetry_days=36500)
    for name in names:
        influxdb.drop(name)


@pytest.mark.influxdb
@pytest.mark.parametrize(
    "text", ["a\nb", "\n", "\x1b", "\x1bn", "\x1b\n", "a\r\n\x1be", "\x1b\x1b", '教室\n1 \\ "']
)
def test_a_text_with_line_breaks_is_sent_without_and_comes_back(
    settings: Settings, text: str
) -> None:
    with OpenGeminiStore(settings) as store, InfluxStore(settings) as plain:
        store.write([agent(version=text, room="6-1")])
        assert [point.fields["version"] for point in read(store)] == [text]
        (row,) = store.rows("agent", 0, 2**62, None, ["version", "room"])
        assert list(row[-2:]) == [text, "6-1"]
        (sent,) = read(plain)
        assert "\n" not in str(sent.fields["version"])


@pytest.mark.influxdb
def test_what_it_would_change_is_refused_by_name_and_the_rest_stored(settings: Settings) -> None:
    large, early = agent(number=2**53 + 1), agent(-1)
    text = agent(NOON + 1, version=1)  # no store can hold it
    broken = agent(NOON + 2, version="a\nb", machine="ends in \\")
    with OpenGeminiStore(settings) as store:
        with pytest.raises(RejectedError, match=r"9007199254740993.*1970") as caught:
            store.write([large, agent(), text, early, broken])
        assert sorted(map(id, caught.value.points)) == sorted(map(id, [large, early, text, broken]))
        assert read(store) == [agent()]
        store.write([agent(NOON + 3, number=2**53), agent(0)])
        assert len(read(store)) == 3


def test_it_says_that_it_cannot_delete() -> None:
    with OpenGeminiStore(Settings("opengemini", "http://127.0.0.1:1")) as store:
        assert not store.limits.deletes
        with pytest.raises(MisconfiguredError, match="127"):
            store.delete("agent", 0, 1, {})


class _Answering(OpenGeminiStore):
    """Its server answers every question with one body."""

    def __init__(self, body: str) -> None:
        super().__init__(Settings("opengemini", "http://127.0.0.1:1"))
        self._body = body.encode()
        self._witness: Any = mock.Mock()  # of one answer; its own tests ask a cluster

    def _ask(self, *_: object) -> urllib3.HTTPResponse:
        return urllib3.HTTPResponse(io.BytesIO(self._body), status=200, preload_content=False)


def test_a_measurement_of_which_it_has_no_row_is_empty() -> None:
    assert read(_Answering(_NONE % 0)) == []


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("database not found: x", MisconfiguredError),
        ("database not found", MisconfiguredError),
        ("get partition x:1 error: database not found: x", MisconfiguredError),
        ("retention policy not found: rp", MisconfiguredError),
        ("shard not found", UnavailableError),
        ("pt not found", UnavailableError),
        ("dbPT not found,database: x", UnavailableError),
        ("node not found", UnavailableError),
        ("sqlNode(id=1,host=a) not found", UnavailableError),
    ],
)
def test_only_what_was_never_made_is_a_wrong_setting(reason: str, kind: type[Exception]) -> None:
    other = _Answering((_NONE % 0).replace("measurement not found", reason))
    with pytest.raises(kind) as caught:
        read(other)
    assert type(caught.value) is kind


def test_a_shard_that_one_address_does_not_find_is_asked_for_at_the_next() -> None:
    bad = _Answering((_NONE % 0).replace("measurement not found", "shard not found"))
    assert read(FailoverStore([bad, _Answering(_NONE % 0)])) == []


def test_an_empty_body_is_never_no_rows() -> None:
    store = _Answering("")
    for asked in (lambda: read(store), store.simulated, store.simulated_rows):
        with pytest.raises(UnavailableError):
            asked()


def test_statements_may_be_answered_in_any_order_but_all_of_them() -> None:
    answers = [{"statement_id": n} for n in (1, 2, 0)]
    assert list(influxql.whole(answers, 3)) == []
    for missing in range(3):
        rest = [answer for answer in answers if answer["statement_id"] != missing]
        with pytest.raises(ValueError, match="cut off"):
            list(influxql.whole(rest, 3))


def test_counts_and_times_are_told_apart_by_name_not_by_order() -> None:
    found = {"count": [0, 3], "first": [NOON, True], "last": [NOON + 5, True]}
    replies = [
        {"columns": ["time", name], "tags": {"school": "9"}, "values": [found[name]]}
        for name in ("last", "count", "first")
    ]
    (row,) = influxql.simulated_rows("agent", replies)
    assert row == ("agent", "9", 3, NOON, NOON + 5)
    for kept in replies:  # it came while the statements were answered
        (row,) = influxql.simulated_rows("agent", [kept])
        assert (row.school, row.rows >= 1) == ("9", True)
