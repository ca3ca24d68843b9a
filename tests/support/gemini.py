"""A cluster of openGemini on three addresses of this machine: three metas, three stores, two sqls.

Where its programs are is given by SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER: a folder with `ts-meta`,
`ts-store` and `ts-sql`. Each member is a process of its own, killed and started again by itself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import urllib3

from collector.config import Config
from collector.store import witness
from collector.store.base import UnavailableError
from collector.store.factory import open_store
from services import PATIENCE_S, end

PROGRAMS = os.environ.get("SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER", "")
without = pytest.mark.skipif(
    not PROGRAMS, reason="SCHOOLPULSE_TEST_OPENGEMINI_CLUSTER names no folder of programs"
)

#: As docs/scale.md says: what is synced at once is not lost by a machine, sums kept beforehand take
#: a row that was written again for two, and nothing reports to its makers.
_SETTINGS = """
[common]
  meta-join = [{metas}]
  ha-policy = "{policy}"
  report-enable = false
  pprof-enabled = false
  pre-agg-enabled = false
[meta]
  bind-address = "{address}:8088"
  http-bind-address = "{address}:8091"
  rpc-bind-address = "{address}:8092"
  dir = "{folder}/meta"
  ptnum-pernode = {partitions}
[http]
  bind-address = "{address}:8086"
  flight-enabled = false
[data]
  store-ingest-addr = "{address}:8400"
  store-select-addr = "{address}:8401"
  store-data-dir = "{folder}/data"
  store-wal-dir = "{folder}/data"
  store-meta-dir = "{folder}/data/meta"
[data.wal]
  wal-sync-interval = "0s"
[data.raft-storage]
  raft-entry-sync-interval = "0s"
[logging]
  path = "{folder}/logs"
[monitor]
  store-enabled = false
[gossip]
  enabled = true
  log-enabled = false
  bind-address = "{address}"
  store-bind-port = 8011
  meta-bind-port = 8010
  sql-bind-port = 8012
  members = [{gossips}]
"""
_HTTP = urllib3.PoolManager(retries=False, timeout=30)


class Cluster:
    """The members by name: `meta1` to `meta3`, `store1` to `store3`, `sql1` and `sql2`."""

    NAMES = (*(f"{kind}{n}" for kind in ("meta", "store") for n in (1, 2, 3)), "sql1", "sql2")

    def __init__(self, folder: Path, policy: str = "replication", partitions: int = 1) -> None:
        self._folder = folder
        net = f"127.{os.getpid() // 250 % 250 + 1}.{os.getpid() % 250 + 1}"
        self._addresses = [f"{net}.{n}" for n in (1, 2, 3)]
        self.urls = [f"http://{address}:8086" for address in self._addresses[:2]]
        self._processes: dict[str, subprocess.Popen[bytes]] = {}
        for n, address in enumerate(self._addresses, 1):
            own = folder / str(n)
            own.mkdir(parents=True)
            (own / "conf").write_text(self._settings(own, address, policy, partitions))

    def _settings(self, folder: Path, address: str, policy: str, partitions: int) -> str:
        def listed(port: int) -> str:
            return ", ".join(f'"{one}:{port}"' for one in self._addresses)

        return _SETTINGS.format(
            folder=folder, address=address, policy=policy, partitions=partitions,
            metas=listed(8092), gossips=listed(8010),
        )  # fmt: skip

    def start(self, name: str) -> None:
        """Start a member; it is not ready yet."""
        folder = self._folder / name[-1]
        argv = [f"{PROGRAMS}/ts-{name[:-1]}", "-config", str(folder / "conf")]
        with (folder / f"{name}.out").open("ab") as out:
            self._processes[name] = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT)

    def start_all(self) -> None:
        """Start every member; returns when both sqls answer and every store is there."""
        for name in self.NAMES:
            self.start(name)
        for at in range(len(self.urls)):
            self.wait(at)

    def kill(self, name: str) -> None:
        """End a member by -9."""
        self._processes[name].kill()
        self._processes.pop(name).wait()

    def freeze(self, frozen: bool) -> None:
        """Stop every process where it is, or let them go on."""
        for process in self._processes.values():
            process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def close(self) -> None:
        """End all."""
        for process in self._processes.values():
            process.terminate()
        for process in self._processes.values():
            end(process)

    def wait(self, at: int = 0, stores: int = 3) -> None:
        """Return when that sql sees so many stores alive."""
        until = time.monotonic() + PATIENCE_S
        seen: Any = ""
        while time.monotonic() < until:
            with contextlib.suppress(urllib3.exceptions.HTTPError, ValueError):
                seen = self.ask("SHOW CLUSTER", at)
                rows = seen["series"][0]["values"]
                alive = [row for row in rows if row[4] == "data" and row[5] == "available"]
                if len(alive) == stores:
                    return
            time.sleep(0.2)
        raise AssertionError(f"not {stores} stores: {seen}")

    def ask(self, query: str, at: int = 0, db: str = "") -> dict[str, Any]:
        """One sql's answer to one statement."""
        fields = {"q": query, "db": db, "epoch": "ns"}
        answer = _HTTP.request("POST", f"{self.urls[at]}/query", fields=fields)
        (result,) = json.loads(answer.data)["results"]
        return dict(result)


def wait_readable(settings: Config) -> None:
    """Return when both databases, newly made, answer: nothing can be missing there."""
    until = time.monotonic() + PATIENCE_S
    with mock.patch.object(witness, "SETTLES_S", 0.0), open_store(settings) as store:
        while True:
            try:
                store.simulated()
            except UnavailableError:
                assert time.monotonic() < until
            else:
                return


def drop(url: str, database: str) -> None:
    """Drop a database; its files go later."""
    _HTTP.request("POST", f"{url}/query", fields={"q": f'DROP DATABASE "{database}"'})


@contextlib.contextmanager
def cluster(folder: Path, **settings: Any) -> Iterator[Cluster]:
    """A running cluster with its data in `folder`."""
    made = Cluster(folder, **settings)
    try:
        made.start_all()
        yield made
    finally:
        made.close()
