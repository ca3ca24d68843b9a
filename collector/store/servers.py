"""How each server is asked for its buckets (databases on 1.x), makes and changes them.

InfluxDB 2.x by influxdb-client, 1.x and openGemini by InfluxQL; for 3.x the error says to use its
own command line.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, NamedTuple, Protocol

import urllib3
from influxdb_client.client.exceptions import InfluxDBError
from influxdb_client.client.influxdb_client import InfluxDBClient
from influxdb_client.domain.bucket_retention_rules import BucketRetentionRules
from influxdb_client.rest import ApiException

from agent.common.language import say
from collector import config
from collector.store import faults, token
from collector.store.base import MisconfiguredError, UnavailableError
from collector.store.influx_write import authorization

_TIMEOUT_S = 10
_ID = re.compile("[0-9a-f]{16}")  # an organization's id, which may stand for its name
_PARTS = re.compile(r"(\d+)(h|m|s)")
#: What a server built from source says instead of its version; 2.x alone has the path of its setup.
_BUILT, _OK = "dev", 200
_POLICY = "autogen"  # 1.x's own name for a database's first retention policy
_UNITS = {"h": 3600, "m": 60, "s": 1}
#: Where a policy's row has its name, its retention, its shards, its copies; last: the default one.
_NAME, _KEPT, _SHARD, _COPIES, _DEFAULT = 0, 1, 2, -2, -1
#: openGemini's word for a ts-store, and a row's copies on a cluster.
_STORE, _ON_A_CLUSTER = "data", 3


class Kept(NamedTuple):
    """How long a bucket keeps its rows, 0: for ever; and the shards that it gets from now on; s."""

    seconds: int
    shard_s: int


class Server(Protocol):
    """A server of buckets. All may raise UnavailableError and MisconfiguredError."""

    def keeps(self, name: str) -> Kept | None:
        """What a bucket keeps; None: there is no such bucket."""

    def copies(self) -> int:
        """How many copies of a row the server shall keep."""

    def create(self, name: str, kept: Kept) -> None:
        """Make a bucket."""

    def alter(self, name: str, kept: Kept) -> None:
        """Change a bucket's retention and shards."""


def of(settings: config.Store) -> Server:
    """The server that the settings name; its version is its own word.

    Raises:
        UnavailableError: it does not answer.
        MisconfiguredError: a version whose buckets cannot be made from here.
    """
    if settings.kind == "opengemini":  # its ping names no version
        return OpenGemini(settings)
    version = _version(settings.url.rstrip("/"))
    if version.startswith("1."):
        return InfluxDB1(settings)
    if version.startswith("2."):
        return InfluxDB2(settings)
    url = settings.url
    raise MisconfiguredError(
        say(
            f"{url}: 版本 {version or '不明'}，请用它自己的命令建立两个库",
            f"{url}: version {version or 'unknown'}; create both databases with its own CLI",
        )
    )


def _version(base: str) -> str:
    url = f"{base}/ping"
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S) as http:
        try:
            version = http.request("GET", url).headers.get("X-Influxdb-Version", "")
            if version == _BUILT and http.request("GET", f"{base}/api/v2/setup").status == _OK:
                return "2."
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise faults.unreached(error, url) from error
    return version.lstrip("v")


class InfluxDB1:
    """InfluxDB 1.x."""

    def __init__(self, settings: config.Store) -> None:
        self._settings = settings

    def keeps(self, name: str) -> Kept | None:
        """See `Server`."""
        policy = self._policy(name) if [name] in self._ask("SHOW DATABASES") else None
        return None if policy is None else self._kept(name, policy)

    def _kept(self, _name: str, policy: list[Any]) -> Kept:
        return Kept(_seconds(policy[_KEPT]), _seconds(policy[_SHARD]))

    def copies(self) -> int:
        """See `Server`."""
        return 1

    def create(self, name: str, kept: Kept) -> None:
        """See `Server`."""
        self._ask(f'CREATE DATABASE "{name}"')
        self.alter(name, kept)

    def alter(self, name: str, kept: Kept) -> None:
        """See `Server`."""
        rows = self._policies(name)
        policy = next((row[_NAME] for row in rows if row[_DEFAULT] is True), _POLICY)
        if policy not in {row[_NAME] for row in rows}:  # a server can be told to make none
            self._ask(f'CREATE RETENTION POLICY "{policy}" ON "{name}" DURATION 0s REPLICATION 1')
        # 0s is for ever; openGemini does not know INF.
        wanted = f"{kept.seconds}s SHARD DURATION {kept.shard_s}s"
        self._ask(f'ALTER RETENTION POLICY "{policy}" ON "{name}" DURATION {wanted} DEFAULT')

    def _policy(self, name: str) -> list[Any] | None:
        """The default one's row."""
        return next((row for row in self._policies(name) if row[_DEFAULT] is True), None)

    def _policies(self, name: str) -> list[list[Any]]:
        return self._ask(f'SHOW RETENTION POLICIES ON "{name}"')

    def _ask(self, query: str) -> list[list[Any]]:
        return self._answer(self._settings.url, query)

    def _answer(self, base: str, query: str) -> list[list[Any]]:
        url = f"{base.rstrip('/')}/query"
        headers = authorization(token.of(self._settings))
        with urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S) as http:
            try:
                reply = http.request("POST", url, fields={"q": query}, headers=headers)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise faults.unreached(error, url) from error
            except ValueError as error:
                raise faults.bad_settings(error, url) from error
        if reply.status != _OK:
            raise faults.unanswered(reply.status, faults.text(reply.data), url)
        result = reply.json()["results"][0]
        if "error" in result:
            raise faults.failed(result["error"], url)
        return [row for series in result.get("series", ()) for row in series.get("values", ())]


class OpenGemini(InfluxDB1):
    """openGemini: on a cluster each row is kept by three stores, and any query node is asked."""

    _copies = 0  # asked for once

    def _kept(self, name: str, policy: list[Any]) -> Kept:
        """A database of too few copies cannot be changed: the error says what to do."""
        if self.copies() > int(policy[_COPIES]):
            raise MisconfiguredError(
                say(
                    f"{self._settings.url}：库 {name} 只有一份，一个 ts-store 停机就读不到；"
                    "请先 schoolpulse backup，删除它，doctor --fix 后再 restore",
                    f"{self._settings.url}: database {name} has one copy, so one dead ts-store "
                    "takes its rows away; run schoolpulse backup, drop the database, then doctor "
                    "--fix and restore",
                )
            )
        return super()._kept(name, policy)

    def create(self, name: str, kept: Kept) -> None:
        """See `Server`."""
        try:
            self._ask(f'CREATE DATABASE "{name}" REPLICAS {self.copies()}')
        except UnavailableError as error:
            if "conflicts with replication" not in str(error):
                raise
            raise MisconfiguredError(
                say(
                    f'{error}；请在每个节点的 [common] 里设置 ha-policy = "replication"',
                    f'{error}; set ha-policy = "replication" in [common] of every node',
                )
            ) from error
        self.alter(name, kept)

    def copies(self) -> int:
        """See `Server`: an odd number, of which the larger half must live."""
        if not self._copies:
            stores = [row for row in self._ask("SHOW CLUSTER") if _STORE in row]
            self._copies = _ON_A_CLUSTER if len(stores) >= _ON_A_CLUSTER else 1
        return self._copies

    def _ask(self, query: str) -> list[list[Any]]:
        *others, last = (self._settings.url, *self._settings.urls)
        for url in others:
            with contextlib.suppress(UnavailableError):
                return self._answer(url, query)
        return self._answer(last, query)


class InfluxDB2:
    """InfluxDB 2.x."""

    def __init__(self, settings: config.Store) -> None:
        self._settings = settings

    def keeps(self, name: str) -> Kept | None:
        """See `Server`."""
        found = self._do(lambda api: self._find(api, name))
        if found is None:
            return None
        rules = found.retention_rules
        shard_s = sum(rule.shard_group_duration_seconds or 0 for rule in rules)
        return Kept(sum(rule.every_seconds for rule in rules), shard_s)

    def copies(self) -> int:
        """See `Server`."""
        return 1

    def create(self, name: str, kept: Kept) -> None:
        """See `Server`."""
        rules = _rules(kept)
        self._do(lambda api: api.create_bucket(bucket_name=name, retention_rules=rules))

    def alter(self, name: str, kept: Kept) -> None:
        """See `Server`."""

        def change(api: Any) -> None:
            bucket = self._find(api, name)
            bucket.retention_rules = _rules(kept)
            api.update_bucket(bucket)

        self._do(change)

    def _find(self, api: Any, name: str) -> Any:
        """In our organization only: the token may see other organizations' buckets."""
        org = self._settings.org
        within = {"org_id": org} if _ID.fullmatch(org) else {"org": org}
        try:
            return next(iter(api.find_buckets(name=name, **within).buckets), None)
        except ApiException as error:
            if error.status == 404 and faults.reason_of(error.body or "").startswith("bucket"):
                return None
            raise

    def _do(self, work: Any) -> Any:
        where, org = self._settings.url, self._settings.org
        if not org:
            raise MisconfiguredError(say("请设置 [store] 的 org", "set org in [store]"))
        client: Any = InfluxDBClient  # its methods carry no types
        with client(where, token.of(self._settings), org=org, timeout=_TIMEOUT_S * 1000) as opened:
            try:
                return work(opened.buckets_api())
            except ApiException as error:
                reason = faults.reason_of(error.body or "") or str(error.reason)
                raise faults.unanswered(error.status or 0, reason, where) from error
            except InfluxDBError as error:  # the client did not find the organization
                may = say(
                    "建立桶需要能管理桶的令牌（All Access），平时不需要",
                    "creating buckets needs an all-access token; daily work does not",
                )
                raise MisconfiguredError(f"{where}: {error}; {may}") from error
            except (urllib3.exceptions.HTTPError, OSError, UnicodeDecodeError) as error:
                raise faults.unreached(error, where) from error
            except ValueError as error:
                raise faults.bad_settings(error, where) from error


def _rules(kept: Kept) -> Any:
    kind: Any = BucketRetentionRules
    every, shard = kept
    return [kind(type="expire", every_seconds=every, shard_group_duration_seconds=shard)]


def _seconds(text: str) -> int:
    """Seconds of an InfluxDB duration such as 2160h0m0s."""
    return sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(text))
