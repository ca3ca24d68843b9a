"""InfluxDB (Debian's 1.6) behind nginx, which gives it the write path of 2.x."""

from __future__ import annotations

import json
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from services import PATIENCE_S, free_port, require, started, wait_port

#: Of a server of 1.x; `accounts`: whether it wants one.
SETTINGS = """
reporting-disabled = true
bind-address = "127.0.0.1:{rpc}"
[meta]
  dir = "{folder}/meta"
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{port}"
  log-enabled = false
  auth-enabled = {accounts}
"""

_NGINX = """
daemon off;
user root;  # as root, workers would be nobody, who cannot enter the temporary folder
worker_processes 1;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log;
events {{ worker_connections 256; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  proxy_max_temp_file_size 0;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{listen};
    client_max_body_size {body};
    location = /api/v2/write {{
      rewrite ^ /write?db=$arg_bucket&precision=$arg_precision? break;
      proxy_pass http://127.0.0.1:{port};
    }}
    location / {{ proxy_pass http://127.0.0.1:{port}; }}
  }}
}}
"""


@dataclass
class Influx:
    """A running InfluxDB: `url` speaks /api/v2/write and /query; `small` takes bodies ≤ 16 kB.

    `bare` is the server itself, of 1.6: it has /write alone.
    """

    url: str
    small: str
    bare: str
    databases: list[str] = field(default_factory=list)

    def create(self, name: str) -> str:
        """Make a database; its name."""
        self.ask(f'CREATE DATABASE "{name}"')
        self.databases.append(name)
        return name

    def drop(self, name: str) -> None:
        """Forget a database."""
        self.ask(f'DROP DATABASE "{name}"')

    def ask(self, query: str, database: str = "") -> Any:
        """The reply of InfluxQL `query`, as JSON."""
        form = urllib.parse.urlencode({"q": query, "db": database, "epoch": "ns"}).encode()
        with urllib.request.urlopen(f"{self.url}/query", form, timeout=PATIENCE_S) as reply:
            return json.load(reply)


@contextmanager
def influx(folder: Path, proxies: Path | None = None) -> Iterator[Influx]:
    """influxd and nginx, with all their data in `folder`; what nginx writes, in `proxies`."""
    proxy = require("nginx")
    with bare_influx(folder) as bare:
        port = int(bare.rpartition(":")[2])
        with (
            nginx(proxy, (proxies or folder) / "large", port, "25m") as url,
            nginx(proxy, (proxies or folder) / "small", port, "16k") as small,
        ):
            yield Influx(url, small, bare)


@contextmanager
def bare_influx(folder: Path, *, accounts: bool = False) -> Iterator[str]:
    """influxd 1.x alone, its data in `folder`; with `accounts` it wants one. Its address."""
    daemon, port, rpc = require("influxd"), free_port(), free_port()
    config, wanted = folder / "influxd.conf", str(accounts).lower()
    config.write_text(SETTINGS.format(folder=folder, port=port, rpc=rpc, accounts=wanted))
    with started([daemon, "-config", str(config)], folder / "influxd.log") as process:
        wait_port(port, process)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def nginx(proxy: str, folder: Path, port: int, body: str) -> Iterator[str]:
    """nginx before a server's `port`, which takes bodies of that size; its address."""
    folder.mkdir()
    listen = free_port()
    config = folder / "nginx.conf"
    config.write_text(_NGINX.format(folder=folder, listen=listen, port=port, body=body))
    argv = [proxy, "-c", str(config), "-p", str(folder), "-e", str(folder / "start.log")]
    with started(argv, folder / "nginx.out") as process:
        wait_port(listen, process)
        yield f"http://127.0.0.1:{listen}"
