"""`doctor --fix` sets the buckets up on every InfluxDB there is."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest

import gemini
import settled
from agent.common import language
from collector.config import Config, Store
from collector.doctor import delivery
from collector.store import buckets, servers
from collector.store.base import MisconfiguredError, Point, UnavailableError


@pytest.fixture
def bare(settings: Config) -> Iterator[Store]:
    """Settings of a server that lacks both buckets."""
    if settings.store.kind == "sqlite":
        pytest.skip("SQLite has no buckets")
    name = uuid.uuid4().hex[:8]
    wanted = msgspec.structs.replace(
        settings.store, telemetry=f"t-{name}", evidence=f"e-{name}", telemetry_days=90
    )
    yield wanted
    if wanted.kind == "opengemini":  # it holds few databases
        for made in (wanted.telemetry, wanted.evidence):
            gemini.drop(wanted.url, made)


def test_missing_buckets_are_made_with_their_retention(bare: Store) -> None:
    assert [bucket.found_s for bucket in buckets.current(bare)] == [None, None]
    made = buckets.set_up(bare)
    assert [bucket.found_s for bucket in made] == [90 * 86_400, 0]
    assert all(bucket.ok for bucket in made)
    point = Point("event", {"school": "9963000001"}, {"event": "gone"}, 1_000_000_000)
    with settled.opened(Config(store=bare)) as store:
        store.write([point])  # 1970: evidence is kept
        assert list(store.read("event", 0, 2**62)) == [point]


@pytest.mark.parametrize(
    ("kept", "on_a_cluster"), [(90, 30), (1, 1), (2, 1), (3, 1), (6, 2), (36_500, 30)]
)
def test_evidence_comes_in_long_shards_and_telemetry_in_days(
    bare: Store, kept: int, on_a_cluster: int
) -> None:
    """However short telemetry is kept: a server refuses shards that are longer than that."""
    if bare.token:
        pytest.skip("asked by InfluxQL, which 2.x has not for this")
    assert all(bucket.ok for bucket in buckets.set_up(_kept(bare, kept)))
    days = on_a_cluster if bare.urls else 1
    assert _shards(bare) == [days, 91]


def _kept(bare: Store, days: int) -> Store:
    return msgspec.structs.replace(bare, telemetry_days=days)


def _shards(bare: Store) -> list[int]:
    """In days."""
    server = servers.InfluxDB1(bare)
    kept = [server.keeps(name) for name in (bare.telemetry, bare.evidence)]
    return [one.shard_s // 86_400 for one in kept if one is not None]


def test_a_wrong_retention_is_named_and_set(bare: Store) -> None:
    buckets.set_up(bare)
    other = msgspec.structs.replace(bare, telemetry_days=30)
    assert [bucket.ok for bucket in buckets.current(other)] == [False, True]
    assert "90" in str(buckets.current(other)[0])
    assert all(bucket.ok for bucket in buckets.set_up(other))
    assert buckets.set_up(other) == buckets.current(other), "twice changes nothing"


def test_no_server_and_a_wrong_token_are_distinguished(bare: Store) -> None:
    with pytest.raises(UnavailableError):
        buckets.current(msgspec.structs.replace(bare, url="http://127.0.0.1:9", urls=[]))
    if bare.token:
        with pytest.raises(MisconfiguredError, match="401"):
            buckets.set_up(msgspec.structs.replace(bare, token="wrong"))


def test_a_token_that_cannot_be_sent_is_reported(bare: Store) -> None:
    with pytest.raises(MisconfiguredError, match="token"):
        buckets.set_up(msgspec.structs.replace(bare, token="a\n"))


def test_a_database_without_any_retention_policy_is_set_up(
    bare: Store, request: pytest.FixtureRequest
) -> None:
    if bare.token or bare.kind == "opengemini":
        pytest.skip("only 1.x can be told to make none")
    server = request.getfixturevalue("influxdb")
    server.create(bare.evidence)
    server.ask(f'DROP RETENTION POLICY autogen ON "{bare.evidence}"')
    assert [bucket.found_s for bucket in buckets.current(bare)] == [None, None]
    assert all(bucket.ok for bucket in buckets.set_up(bare))
    server.drop(bare.evidence)
    server.drop(bare.telemetry)


@pytest.fixture
def server(bare: Store) -> Iterator[Any]:
    """A client of a server of 2.x, and an organization that is not ours."""
    from influxdb_client import InfluxDBClient

    if not bare.token:
        pytest.skip("1.x has no organizations")
    with InfluxDBClient(bare.url, bare.token, org=bare.org) as client:
        other = client.organizations_api().create_organization(name=f"o-{uuid.uuid4().hex[:8]}")
        yield client, other
        client.organizations_api().delete_organization(other.id)


def test_the_bucket_of_another_organization_is_none_of_ours(bare: Store, server: Any) -> None:
    client, other = server
    api = client.buckets_api()
    theirs = api.create_bucket(bucket_name=bare.telemetry, org_id=other.id)
    assert buckets.current(bare)[0].found_s is None
    assert all(bucket.ok for bucket in buckets.set_up(bare))
    assert api.find_bucket_by_id(theirs.id).retention_rules[0].every_seconds == 0
    ours = client.organizations_api().find_organizations(org=bare.org)[0]
    assert all(bucket.ok for bucket in buckets.current(msgspec.structs.replace(bare, org=ours.id)))


def test_an_organization_is_needed_and_named_when_it_is_not_there(bare: Store) -> None:
    if not bare.token:
        pytest.skip("1.x has no organizations")
    for org in ("", "nobody"):
        with pytest.raises(MisconfiguredError, match=f"org|{org}"):
            buckets.current(msgspec.structs.replace(bare, org=org))


def test_a_token_that_may_only_read_makes_no_bucket(bare: Store, server: Any) -> None:
    from influxdb_client import Permission, PermissionResource

    client, _ = server
    ours = client.organizations_api().find_organizations(org=bare.org)[0].id
    may = Permission("read", PermissionResource(type="buckets", org_id=ours))
    made = client.authorizations_api().create_authorization(org_id=ours, permissions=[may])
    with pytest.raises(MisconfiguredError, match="All Access"):
        buckets.set_up(msgspec.structs.replace(bare, token=made.token))
    client.authorizations_api().delete_authorization(made)


def _of_a_cluster(bare: Store) -> None:
    if not bare.urls:
        pytest.skip("a single node")


def test_a_cluster_keeps_each_row_three_times_and_any_address_will_do(bare: Store) -> None:
    _of_a_cluster(bare)
    dead = msgspec.structs.replace(bare, url="http://127.0.0.1:9", urls=[bare.url, *bare.urls])
    assert all(bucket.ok for bucket in buckets.set_up(dead))
    server = servers.OpenGemini(bare)
    for name in (bare.telemetry, bare.evidence):
        policy = server._policy(name)
        assert policy is not None
        assert policy[-2] == 3


def test_a_database_of_one_copy_on_a_cluster_is_named_and_not_taken(bare: Store) -> None:
    _of_a_cluster(bare)
    servers.OpenGemini(bare)._ask(f'CREATE DATABASE "{bare.evidence}"')
    for asked in (buckets.current, buckets.set_up):
        with pytest.raises(MisconfiguredError, match=bare.evidence):
            asked(bare)


def _shard(bare: Store, name: str, days: int) -> None:
    altered = f'ALTER RETENTION POLICY "autogen" ON "{name}" SHARD DURATION {days}d'
    servers.InfluxDB1(bare)._ask(altered)


def test_a_clusters_short_shards_are_named_and_made_longer(bare: Store) -> None:
    _of_a_cluster(bare)
    buckets.set_up(bare)
    _shard(bare, bare.telemetry, 7)
    _shard(bare, bare.evidence, 7)
    found = delivery.buckets(Config(store=bare), fix=False)
    assert (found.ok, found.fix) == (False, "schoolpulse doctor --fix")
    assert found.detail.startswith(f"{bare.telemetry}: 90 天，分片 7 天 < 30 天；")
    with language.speaking("en"):
        assert str(buckets.current(bare)[0]).endswith(": 90 days, shards of 7 days < 30 days")
    found = delivery.buckets(Config(store=bare), fix=True)
    assert (found.ok, found.fix) == (True, "")
    assert _shards(bare) == [30, 91]


def test_shards_that_are_long_enough_are_left(bare: Store) -> None:
    _of_a_cluster(bare)
    buckets.set_up(bare)
    _shard(bare, bare.telemetry, 60)
    assert all(bucket.ok for bucket in buckets.set_up(bare))
    assert _shards(bare) == [60, 91]


def test_the_shards_of_a_single_node_are_not_asked_for(bare: Store) -> None:
    if bare.token or bare.urls:
        pytest.skip("a cluster, or 2.x")
    buckets.set_up(bare)
    _shard(bare, bare.telemetry, 7)
    assert all(bucket.short_s is None and bucket.ok for bucket in buckets.current(bare))
