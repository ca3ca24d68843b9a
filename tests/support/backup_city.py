"""What a city that is saved holds, and where."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

PASSPHRASE = "a-passphrase-of-tests"
SECRETS = {
    "mqtt.password": "secret-of-the-collector",
    "ca.key": "-----BEGIN PRIVATE KEY-----\nsecret-of-the-ca\n",
    "broker/dynamic-security.json": '{"secret-of-the-broker": 1}',
    "broker/data/mosquitto.db": "secret-in-persistence",
}
KEY = "secret-of-a-line"
RENEWAL = '{"password": "secret-of-a-renewal"}'


class Place(NamedTuple):
    """A folder with a city: settings in `etc`, data in `data`."""

    root: Path

    @property
    def settings(self) -> Path:
        return self.root / "etc/collector.toml"

    @property
    def data(self) -> Path:
        return self.root / "data"


Run = Callable[..., int]
