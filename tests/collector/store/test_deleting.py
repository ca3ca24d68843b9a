"""What is sent to delete rows from InfluxDB 2.x, whose predicates know no \\u."""

from __future__ import annotations

import json

import pytest

from canned_server import CannedServer
from collector.config import Store as Settings
from collector.store.influx import InfluxStore


@pytest.mark.parametrize(
    ("line", "said"),
    [("主线", '"主线"'), ('x"y', r'"x\"y"'), ("a\\b", r'"a\\b"'), ("é", '"é"')],
)
def test_names_of_lines_stand_in_the_predicate_as_they_are(
    server: CannedServer, line: str, said: str
) -> None:
    server.status, server.more = 204, {"X-Influxdb-Version": "v2.9.1"}
    with InfluxStore(Settings("influxdb", server.url, "t", org="o")) as store:
        store.delete("line_test", 0, 10**9, {"school": "9963000001", "line": line})
    (asked,) = map(json.loads, server.bodies)
    assert asked["predicate"].endswith(f"line={said}")
