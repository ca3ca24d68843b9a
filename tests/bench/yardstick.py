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
from typing import NamedTuple

import psutil

import services

#: The largest batches and buffer that its documentation offers for such a load; not compressed, as
#: the collector writes to a database on the same machine.
_SETTINGS = """
[agent]
  flush_interval = "1s"
  metric_batch_size = 5000
  metric_buffer_limit = 200000
  omit_hostname = true
[[outputs.influxdb{version}]]
  urls = ["{url}"]
  content_encoding = "identity"
  {where}
[[inputs.mqtt_consumer]]
  servers = ["tcp://127.0.0.1:{port}"]
  topics = ["schoolpulse/v1/+/+/report/+/+"]
  topic_tag = ""
  qos = 1
  client_id = "telegraf"
  persistent_session = true
  max_undelivered_messages = 50000
{shape}
"""


class Shape(NamedTuple):
    """What Telegraf makes of a report, and the field and measurement to count."""

    name: str
    settings: str
    counted: tuple[str, str]


#: What it does by itself: one point of the numbers that it finds.
FLAT = Shape(
    "one point of its numbers",
    """
  data_format = "json"
  json_time_key = "time"
  json_time_format = "unix_ms"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "+/+/+/+/+/+/+"
    tags = "_/_/school/machine/_/_/_"
""",
    ("offset_ms", "mqtt_consumer"),
)
_READING = """
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "{0}"
    timestamp_path = "time"
    timestamp_format = "unix_ms"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = 'readings.#(reading=="{0}")'
      excluded_keys = ["reading", "nics", "probes"]
"""
_DEVICES = """
  [[inputs.mqtt_consumer.json_v2]]
    measurement_name = "device"
    timestamp_path = "time"
    timestamp_format = "unix_ms"
    [[inputs.mqtt_consumer.json_v2.object]]
      path = 'readings.#(reading=="device")#'
      tags = ["kind", "connector"]
      excluded_keys = ["reading"]
"""
_SAME = f"""
  data_format = "json_v2"
  [[inputs.mqtt_consumer.topic_parsing]]
    topic = "+/+/+/+/+/+/+"
    tags = "_/_/school/machine/_/_/_"
    fields = "_/_/_/_/_/boot/number"
    [inputs.mqtt_consumer.topic_parsing.types]
      number = "int"
{_READING.format("host")}{_READING.format("agent")}    [[inputs.mqtt_consumer.json_v2.field]]
      path = "offset_ms"
      type = "int"
"""
#: The PC's reading and the agent's as the report has them, with boot and number in both: 14 fields.
#: The collector stores 17: those once, two counts that are 0, two texts that are empty, and whether
#: the report holds evidence.
SAME = Shape("the same two points", _SAME, ("number", "agent"))
#: The same of whole reports, and a point for each device; what is listed is left out: the
#: collector sums the interfaces and stores the probes' names.
WHOLE = Shape("the same six points", _SAME + _DEVICES, ("number", "agent"))

#: Where to write: by the interface of 1.x where there is no token.
_WHERE_1 = 'database = "telemetry"\n  skip_database_creation = true'
_WHERE_2 = 'bucket = "telemetry"\n  token = "{token}"\n  organization = "{org}"'


@contextlib.contextmanager
def telegraf(
    binary: Path, shape: Shape, folder: Path, port: int, url: str, token: str, org: str
) -> Iterator[psutil.Process]:
    """Telegraf, connected to the broker."""
    where = _WHERE_2.format(token=token, org=org) if token else _WHERE_1
    output = {"version": "_v2" if token else "", "where": where, "shape": shape.settings}
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
