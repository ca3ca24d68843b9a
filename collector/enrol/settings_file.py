"""The collector.toml that `setup` writes where there is none: a city's own values.

All other settings keep their defaults; deploy/collector.toml shows them.
"""

from __future__ import annotations

import json
from typing import NamedTuple

from collector.enrol.place import Place


class City(NamedTuple):
    """A city's values. `store` is `sqlite` or `influxdb`."""

    code: str
    name: str
    store: str
    port: int = 8883
    line_port: int = 8095


def text(place: Place, host: str, city: City) -> str:
    """The file; `host` is the broker's name, under which the measurement server is reached too."""
    return f"""\
# SchoolPulse in the city. Settings that are not here have their defaults: see deploy/collector.toml
data = {_quoted(place.data)}

[mqtt]
host = {_quoted(host)}
port = {city.port}
username = "collector"
password_file = {_quoted(place.password("collector"))}
tls = true
ca = {_quoted(place.ca)}

[store]
kind = {_quoted(city.store)}
{_token(place) if city.store == "influxdb" else ""}
[city]
code = {_quoted(city.code)}
name = {_quoted(city.name)}

[lines]
server = {_quoted(f"http://{_address(host)}:{city.line_port}")}
keys = {_quoted(place.keys)}
"""


def _token(place: Place) -> str:
    return f"token_file = {_quoted(place.token)}\n"


def _address(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _quoted(value: object) -> str:
    """A basic string of TOML, which escapes as JSON does."""
    return json.dumps(str(value), ensure_ascii=False).replace("\x7f", "\\u007f")
