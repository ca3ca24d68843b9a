"""Where the secrets of a city lie: paths alone, nothing is read here."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

#: Accounts of the broker, and Grafana's; each has `<name>.password`, but the collector's keeps the
#: name that its unit has always read.
SERVICES = ("collector", "keeper", "lineserver", "doctor", "admin")
_COLLECTOR = "mqtt.password"


def password_name(service: str) -> str:
    """The name of the file with a service's password."""
    return _COLLECTOR if service == "collector" else f"{service}.password"


class Place(NamedTuple):
    """`folder` is the one of collector.toml, `data` the one of register.db."""

    folder: Path
    data: Path
    keys: Path  # of the schools' keys for line tests
    ca_key: Path  # may lie on another machine, or on a stick in a safe

    @property
    def ca(self) -> Path:
        """What everybody trusts: the CA, and while it is renewed the next one behind it."""
        return self.folder / "ca.pem"

    @property
    def next_ca(self) -> Path:
        """The next CA, while it is renewed."""
        return self.folder / "ca.next.pem"

    @property
    def next_ca_key(self) -> Path:
        """The next CA's key, beside the present one's."""
        return self.ca_key.with_name(_next_name(self.ca_key))

    @property
    def config(self) -> Path:
        """The settings of the city side."""
        return self.folder / "collector.toml"

    @property
    def broker(self) -> Path:
        """The folder of all that Mosquitto reads and writes."""
        return self.folder / "broker"

    @property
    def server(self) -> Path:
        """The broker's certificate."""
        return self.broker / "server.pem"

    @property
    def server_key(self) -> Path:
        """The key of the broker's certificate."""
        return self.broker / "server.key"

    @property
    def token(self) -> Path:
        """The database's token."""
        return self.folder / "store.token"

    @property
    def accounts(self) -> Path:
        """Mosquitto's accounts and roles."""
        return self.broker / "dynamic-security.json"

    @property
    def state(self) -> Path:
        """What was given to which school."""
        return self.data / "enrol.db"

    @property
    def renewals(self) -> Path:
        """Of each school, what its PCs are to hold now: the collector sends it to those behind."""
        return self.data / "renewals"

    @property
    def seen(self) -> Path:
        """Which generation each PC last said that it holds."""
        return self.data / "credentials.db"

    def password(self, service: str) -> Path:
        """The file with a service's password."""
        return self.folder / password_name(service)


def _next_name(key: Path) -> str:
    return f"{key.stem}.next{key.suffix}"
