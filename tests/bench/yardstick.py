"""The yardstick in the same run: Telegraf between the same broker and the same database.

Its binary is given to the bench, never fetched. QoS 1 over a persistent session and a point a
report, as the collector does it; Telegraf sends no receipts, so its crowd waits for the broker's
acknowledgements alone and the run ends when the database counts every report.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil

import services

#: The largest batches and buffer that its documentation offers for such a load.
_SETTINGS = """
[agent]
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["schoolpulse/v1/+/+/report/+/+"]
  topic_tag = ""
  qos = 1
  client_id = "telegraf"
  persistent_session = true
  max_undelivered_messages = 50000
  data_format = "json"
  json_time_key = "time"
  json_time_format = "unix_ms"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "+/+/+/+/+/+/+"
    tags = "_/_/school/machine/_/_/_"
[[outputs.influxdb{version}]]
  urls = ["{url}"]
  content_encoding = "gzip"
  {where}
"""
#: What to count: a number that every report carries.
COUNTED = "offset_ms", "mqtt_consumer"


#: Where to write: by the interface of 1.x where there is no token.
_WHERE_1 = 'database = "telemetry"\n  skip_database_creation = true'
_WHERE_2 = 'bucket = "telemetry"\n  token = "{token}"\n  organization = "{org}"'


@contextlib.contextmanager
def telegraf(
    binary: Path, folder: Path, port: int, url: str, token: str, org: str
) -> Iterator[psutil.Process]:
    """Telegraf, connected to the broker."""
    where = _WHERE_2.format(token=token, org=org) if token else _WHERE_1
    output = {"version": "_v2" if token else "", "where": where}
    settings, log = folder / "telegraf.conf", folder / "telegraf.log"
    settings.write_text(_SETTINGS.format(port=port, url=url, **output))
    with services.started([str(binary), "--config", str(settings)], log) as running:
        until(lambda: "Connected [tcp" in log.read_text() or running.poll() is not None, 30)
        if running.poll() is not None:
            raise SystemExit(log.read_text())
        yield psutil.Process(running.pid)


def until(reached: Callable[[], bool], seconds: float) -> None:
    """Ask five times a second."""
    wait = threading.Event().wait
    for _ in range(int(seconds * 5)):
        if reached():
            return
        wait(0.2)
    raise SystemExit("Telegraf has not stored what it was sent")
