"""The two buckets (databases on 1.x) and their retention: read, and set up.

Telemetry expires after its days, evidence never. InfluxDB 2.x is set up by influxdb-client, 1.x and
openGemini by InfluxQL; for 3.x the error says to use its own command line.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, NamedTuple

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

_DAY_S, _TIMEOUT_S = 86_400, 10
_ID = re.compile("[0-9a-f]{16}")  # an organization's id, which may stand for its name
_PARTS = re.compile(r"(\d+)(h|m|s)")
#: What a server built from source says instead of its version; 2.x alone has the path of its setup.
_BUILT, _OK = "dev", 200
#: Each shard names every series and field again, and evidence has a row a day of each: four weeks
#: took 5.5 kB a PC and day in shards of a week, 2.5 in one of four weeks, 1.5 in one of a year.
_TELEMETRY_SHARD_D, _EVIDENCE_SHARD_D = 1, 91
#: On a cluster of openGemini a late report in another shard puts at risk what memory holds (see
#: `witness`). Borders of 30 days come seldom and move through the weekdays; those of 7 are Mondays
#: 08:00, when Friday's leftovers come. A shard is dropped whole, so rows stay up to 30 days longer.
_CLUSTER_SHARD_D = 30  # at most: a server refuses shards that are longer than rows are kept
_POLICY = "autogen"  # 1.x's own name for a database's first retention policy
_UNITS = {"h": 3600, "m": 60, "s": 1}
#: openGemini's word for a ts-store, a row's copies on a cluster; where a policy's row has what.
_STORE, _COPIES, _COPIES_AT, _SHARDS_AT = "data", 3, -2, 2


class Bucket(NamedTuple):
    """A bucket and its retention in s, 0: for ever; `found_s` None: the bucket does not exist."""

    name: str
    wanted_s: int
    found_s: int | None
    short_s: tuple[int, int] | None = None  # shards as they are and should be, where too short

    @property
    def ok(self) -> bool:
        """Whether it exists with the wanted retention, in shards that are long enough."""
        return self.found_s == self.wanted_s and self.short_s is None

    def __str__(self) -> str:
        found = say("没有", "missing") if self.found_s is None else _days(self.found_s)
        wanted = "" if self.found_s == self.wanted_s else f" ≠ {_days(self.wanted_s)}"
        short = " < ".join(map(_days, self.short_s or ()))
        return f"{self.name}: {found}{wanted}" + (short and say("，分片 ", ", shards of ") + short)


def current(settings: config.Store) -> list[Bucket]:
    """Both buckets as they are.

    Raises:
        UnavailableError: the server does not answer.
        MisconfiguredError: a wrong token, address or organization, or InfluxDB 3.
    """
    server = _server(settings)
    wanted = ((settings.telemetry, settings.telemetry_days * _DAY_S), (settings.evidence, 0))
    return [_bucket(server, name, seconds) for name, seconds in wanted]


def set_up(settings: config.Store) -> list[Bucket]:
    """Create missing buckets and correct their retention; returns both as they are then.

    Raises:
        UnavailableError: the server does not answer.
        MisconfiguredError: as `current`, or the token may not change buckets.
    """
    server = _server(settings)
    for bucket in current(settings):
        if not bucket.ok:
            change = server.create if bucket.found_s is None else server.alter
            change(bucket.name, bucket.wanted_s)
    return current(settings)


def _bucket(server: _One | _Two, name: str, seconds: int) -> Bucket:
    found = server.keeps(name)
    short = server.short_s(name, seconds) if found and isinstance(server, _Gemini) else None
    return Bucket(name, seconds, found, short)


def _days(seconds: int) -> str:
    days = seconds // _DAY_S
    return say(f"{days} 天", f"{days} days") if seconds else say("永久", "forever")


def _server(settings: config.Store) -> _One | _Two:
    if settings.kind == "opengemini":  # its ping names no version
        return _Gemini(settings)
    base = settings.url.rstrip("/")
    url = f"{base}/ping"
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S) as http:
        try:
            version = http.request("GET", url).headers.get("X-Influxdb-Version", "")
            if version == _BUILT and http.request("GET", f"{base}/api/v2/setup").status == _OK:
                return _Two(settings)
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise faults.unreached(error, url) from error
    if version.lstrip("v").startswith("1."):
        return _One(settings)
    if version.lstrip("v").startswith("2."):
        return _Two(settings)
    raise MisconfiguredError(
        say(
            f"{url}: 版本 {version or '不明'}，请用它自己的命令建立两个库",
            f"{url}: version {version or 'unknown'}; create both databases with its own CLI",
        )
    )


class _One:
    """InfluxDB 1.x."""

    def __init__(self, settings: config.Store) -> None:
        self._settings = settings

    def keeps(self, name: str) -> int | None:
        if [name] not in self._ask("SHOW DATABASES"):
            return None
        return next((_seconds(row[1]) for row in self._policies(name) if row[-1] is True), None)

    def _policies(self, name: str) -> list[list[Any]]:
        return self._ask(f'SHOW RETENTION POLICIES ON "{name}"')

    def create(self, name: str, seconds: int) -> None:
        self._ask(f'CREATE DATABASE "{name}"')
        self.alter(name, seconds)

    def alter(self, name: str, seconds: int) -> None:
        rows = self._policies(name)
        policy = next((row[0] for row in rows if row[-1] is True), _POLICY)
        if policy not in {row[0] for row in rows}:  # a server can be configured to create none
            self._ask(f'CREATE RETENTION POLICY "{policy}" ON "{name}" DURATION 0s REPLICATION 1')
        # 0s is for ever; openGemini does not know INF.
        kept = f"{seconds}s SHARD DURATION {_shard_d(seconds, self._copies())}d"
        self._ask(f'ALTER RETENTION POLICY "{policy}" ON "{name}" DURATION {kept} DEFAULT')

    def _copies(self) -> int:
        return 1

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
        if reply.status != 200:
            raise faults.unanswered(reply.status, faults.text(reply.data), url)
        result = reply.json()["results"][0]
        if "error" in result:
            raise faults.failed(result["error"], url)
        return [row for series in result.get("series", ()) for row in series.get("values", ())]


class _Gemini(_One):
    """openGemini: on a cluster each row is kept by three stores, and any query node is asked."""

    def keeps(self, name: str) -> int | None:
        found = super().keeps(name)
        if found is not None and self._copies() > int(self._default(name)[_COPIES_AT]):
            raise MisconfiguredError(
                say(
                    f"{self._settings.url}：库 {name} 只有一份，一个 ts-store 停机就读不到；"
                    "请先 schoolpulse backup，删除它，doctor --fix 后再 restore",
                    f"{self._settings.url}: database {name} has one copy, so one dead ts-store "
                    "takes its rows away; run schoolpulse backup, drop the database, then doctor "
                    "--fix and restore",
                )
            )
        return found

    def create(self, name: str, seconds: int) -> None:
        copies = self._copies()
        try:
            self._ask(f'CREATE DATABASE "{name}" REPLICAS {copies}')
        except UnavailableError as error:
            if "conflicts with replication" not in str(error):
                raise
            raise MisconfiguredError(
                say(
                    f'{error}；请在每个节点的 [common] 里设置 ha-policy = "replication"',
                    f'{error}; set ha-policy = "replication" in [common] of every node',
                )
            ) from error
        self.alter(name, seconds)

    def short_s(self, name: str, seconds: int) -> tuple[int, int] | None:
        found, copies = _seconds(self._default(name)[_SHARDS_AT]), self._copies()
        wanted = _shard_d(seconds, copies) * _DAY_S
        return (found, wanted) if seconds and copies > 1 and found < wanted else None

    def _default(self, name: str) -> list[Any]:
        return next(row for row in self._policies(name) if row[-1] is True)

    def _ask(self, query: str) -> list[list[Any]]:
        *others, last = (self._settings.url, *self._settings.urls)
        for url in others:
            with contextlib.suppress(UnavailableError):
                return self._answer(url, query)
        return self._answer(last, query)

    def _copies(self) -> int:
        """How many copies there shall be: an odd number, of which the larger half must live."""
        stores = [row for row in self._ask("SHOW CLUSTER") if _STORE in row]
        return _COPIES if len(stores) >= _COPIES else 1


class _Two:
    """InfluxDB 2.x."""

    def __init__(self, settings: config.Store) -> None:
        self._settings = settings

    def keeps(self, name: str) -> int | None:
        found = self._do(lambda api: self._find(api, name))
        if found is None:
            return None
        return int(sum(rule.every_seconds for rule in found.retention_rules))

    def _find(self, api: Any, name: str) -> Any:
        """In our organization only: the token may see other organizations' buckets."""
        org = self._settings.org
        of = {"org_id": org} if _ID.fullmatch(org) else {"org": org}
        try:
            return next(iter(api.find_buckets(name=name, **of).buckets), None)
        except ApiException as error:
            if error.status == 404 and faults.reason_of(error.body or "").startswith("bucket"):
                return None
            raise

    def create(self, name: str, seconds: int) -> None:
        self._do(lambda api: api.create_bucket(bucket_name=name, retention_rules=_rules(seconds)))

    def alter(self, name: str, seconds: int) -> None:
        def change(api: Any) -> None:
            bucket = self._find(api, name)
            bucket.retention_rules = _rules(seconds)
            api.update_bucket(bucket)

        self._do(change)

    def _do(self, work: Any) -> Any:
        where, org = self._settings.url, self._settings.org
        if not org:
            raise MisconfiguredError(say("请设置 [store] 的 org", "set org in [store]"))
        client: Any = InfluxDBClient  # its methods carry no types
        with client(where, token.of(self._settings), org=org, timeout=10_000) as opened:
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


def _rules(seconds: int) -> Any:
    kind: Any = BucketRetentionRules
    shard_s = _shard_d(seconds) * _DAY_S
    return [kind(type="expire", every_seconds=seconds, shard_group_duration_seconds=shard_s)]


def _shard_d(seconds: int, copies: int = 1) -> int:
    if not seconds or copies == 1:
        return _TELEMETRY_SHARD_D if seconds else _EVIDENCE_SHARD_D
    return max(1, min(_CLUSTER_SHARD_D, seconds // _DAY_S // 3))


def _seconds(text: str) -> int:
    """Seconds of an InfluxDB duration such as 2160h0m0s."""
    return sum(int(number) * _UNITS[unit] for number, unit in _PARTS.findall(text))
