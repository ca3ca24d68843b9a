"""`doctor --fix` sets the buckets up on every InfluxDB there is."""

from __future__ import annotations

import uuid

import msgspec
import pytest

from collector.config import Config, Store
from collector.store import buckets
from collector.store.influx import InfluxStore
from collector.store.seam import MisconfiguredError, Point, UnavailableError


@pytest.fixture
def bare(settings: Config) -> Store:
    """Settings of a server that lacks both buckets."""
    if settings.store.kind == "sqlite":
        pytest.skip("SQLite has no buckets")
    name = uuid.uuid4().hex[:8]
    return msgspec.structs.replace(
        settings.store, telemetry=f"t-{name}", evidence=f"e-{name}", telemetry_days=90
    )


def test_missing_buckets_are_made_with_their_retention(bare: Store) -> None:
    assert [bucket.found_s for bucket in buckets.look(bare)] == [None, None]
    made = buckets.mend(bare)
    assert [bucket.found_s for bucket in made] == [90 * 86_400, 0]
    assert all(bucket.ok for bucket in made)
    point = Point("event", {"school": "9963000001"}, {"event": "gone"}, 1_000_000_000)
    with InfluxStore(bare) as store:
        store.write([point])  # 1970: evidence is kept
        assert list(store.read("event", 0, 2**62)) == [point]


def test_a_wrong_retention_is_named_and_set(bare: Store) -> None:
    buckets.mend(bare)
    other = msgspec.structs.replace(bare, telemetry_days=30)
    assert [bucket.ok for bucket in buckets.look(other)] == [False, True]
    assert "90" in str(buckets.look(other)[0])
    assert all(bucket.ok for bucket in buckets.mend(other))
    assert buckets.mend(other) == buckets.look(other), "twice changes nothing"


def test_no_server_and_a_wrong_token_are_told_apart(bare: Store) -> None:
    with pytest.raises(UnavailableError):
        buckets.look(msgspec.structs.replace(bare, url="http://127.0.0.1:9"))
    if bare.token:
        with pytest.raises(MisconfiguredError, match="401"):
            buckets.mend(msgspec.structs.replace(bare, token="wrong"))
