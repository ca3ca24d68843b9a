"""Deleting from InfluxDB: by time and tags, never by fields.

1.x takes an InfluxQL statement. 2.x has a call of its own, whose predicate cannot say that a tag is
absent: where rows that have the tag lie in the same range, it is refused.
"""

from __future__ import annotations

import datetime as dt
import json
import urllib.parse
from collections.abc import Mapping

import urllib3

from agent.common.language import say
from collector import config
from collector.schema import Measurement
from collector.store import faults, influxql, token
from collector.store.base import MisconfiguredError, Store
from collector.store.influx_write import authorization

_TIMEOUT_S = 120.0  # 1.x rewrites whole shards


def delete(
    store: Store,
    settings: config.Store,
    bucket: str,
    known: Measurement,
    start: int,
    stop: int,
    tags: Mapping[str, str],
) -> None:
    """See `Store.delete`."""
    if missing := tags.keys() - set(known.tags):
        raise KeyError(f"{known.name}: no tag {min(missing)}")
    first, last = influxql.span(start, stop)
    if first > last:
        return
    base = settings.url.rstrip("/")
    headers = authorization(token.of(settings))
    with urllib3.PoolManager(retries=False, timeout=_TIMEOUT_S, headers=headers) as http:
        try:
            version = http.request("GET", f"{base}/ping").headers.get("X-Influxdb-Version", "")
            if version.lstrip("v").startswith("1."):
                asked = influxql.delete(known, first, last, tags)
                _answered(
                    http.request("POST", f"{base}/query", fields={"db": bucket, "q": asked}), base
                )
            elif version.lstrip("v").startswith("2."):
                _only(store, known, first, last, tags)
                where = urllib.parse.urlencode({"org": settings.org, "bucket": bucket})
                body = json.dumps(_body(known, first, last, tags), ensure_ascii=False).encode()
                url = f"{base}/api/v2/delete?{where}"
                _answered(http.request("POST", url, body=body), base)
            else:
                raise MisconfiguredError(_cannot(base, version))
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise faults.unreached(error, base) from error


def _answered(reply: urllib3.BaseHTTPResponse, where: str) -> None:
    if reply.status not in (200, 204):
        raise faults.unanswered(reply.status, faults.text(reply.data), where)
    for result in json.loads(reply.data)["results"] if reply.status == 200 else ():
        if "error" in result:
            raise faults.failed(result["error"], where)


def _only(store: Store, known: Measurement, first: int, last: int, tags: Mapping[str, str]) -> None:
    absent = [name for name, value in tags.items() if not value]
    if not absent:
        return
    given = {name: value for name, value in tags.items() if value}
    for point in store.read(known.name, first, last + 1, given):
        if any(point.tags.get(name) for name in absent):
            raise MisconfiguredError(
                say(
                    f"InfluxDB 2.x 不能只删 {known.name} 中没有 {absent[0]} 的行；把时间范围缩小",
                    f"InfluxDB 2.x cannot delete only the rows of {known.name} without "
                    f"{absent[0]}; choose a narrower time",
                )
            )


def _body(known: Measurement, first: int, last: int, tags: Mapping[str, str]) -> dict[str, str]:
    named = {"_measurement": known.name} | {name: text for name, text in tags.items() if text}
    predicate = " AND ".join(f"{name}={_quoted(text)}" for name, text in named.items())
    # Its stop is included, as its start is.
    return {"start": _moment(first), "stop": _moment(last), "predicate": predicate}


def _quoted(text: str) -> str:
    """As the server's predicates have it, which know no `\\u`."""
    return json.dumps(text, ensure_ascii=False)


def _moment(nanoseconds: int) -> str:
    seconds, rest = divmod(nanoseconds, 10**9)
    whole = dt.datetime(1970, 1, 1) + dt.timedelta(seconds=seconds)
    return f"{whole.isoformat()}.{rest:09}Z"


def _cannot(url: str, version: str) -> str:
    return say(
        f"{url}：版本 {version or '不明'} 不能按标签删除，请用它自己的命令",
        f"{url}: version {version or 'unknown'} cannot delete by tags; use its own commands",
    )
