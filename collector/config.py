"""The city side's settings; deploy/collector.toml shows them all."""

from __future__ import annotations

import datetime as dt
import os
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.wire import settings
from agent.wire.settings import Broker

DEFAULT_FILE = Path("/etc/schoolpulse/collector.toml")


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """Which store, and where it is."""

    kind: Literal["sqlite", "influxdb"] = "sqlite"
    url: str = "http://127.0.0.1:8086"
    token: str = ""
    org: str = "schoolpulse"
    telemetry: str = "telemetry"  # bucket or database of the 90-day class
    evidence: str = "evidence"  # bucket or database of the kept class
    telemetry_days: Annotated[int, Meta(ge=1)] = 90


class Mqtt(Broker, frozen=True, forbid_unknown_fields=True):
    """The broker, and with whom its messages are shared."""

    group: str = ""  # collectors of one group share the reports; empty: this one hears all


class City(Struct, frozen=True, forbid_unknown_fields=True):
    """The area above the districts."""

    code: str = "630100"
    name: str = "西宁市"


class Lines(Struct, frozen=True, forbid_unknown_fields=True):
    """How lines are tested, told to the agents by policy."""

    server: str = ""  # http://host:port of the measurement server
    quiet_per_day: int = 3
    lesson_per_day: int = 1


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """What is a setting in the method; kept with every figure."""

    threshold_mbps: float = 10.0
    rule: Literal["p90", "fcc80"] = "p90"
    tolerance: float = 0.97
    min_tests: int = 10
    min_test_days: int = 5
    bonded: bool = False  # count a campus's lines by their sum
    open_days: int = 30
    calendar_days: int = 120
    min_room_days: int = 3
    required: tuple[str, ...] = ("computer", "display")  # also: sound, microphone, camera
    seats_share: float = 0.8
    min_seats: int | None = None
    inspection_months: int = 12
    types: tuple[str, ...] = ("小学", "初中", "九年一贯制", "完全中学", "高中")
    cutoff: dt.date | None = None


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the city side."""

    data: str = ""  # folder of register.db, the SQLite store, quarantine
    mqtt: Mqtt = Mqtt()
    store: Store = Store()
    city: City = City()
    lines: Lines = Lines()
    figure: Figure = Figure()
    report_s: Annotated[int, Meta(ge=5)] = 300
    keeper_s: float = 60.0  # how often days are derived
    metrics: str = ""  # host:port of /metrics; empty: none
    quarantine_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024 * 1024  # full: it holds

    @property
    def folder(self) -> Path:
        """Where the city side keeps its files."""
        if self.data:
            return Path(self.data)
        if os.access("/var/lib", os.W_OK):
            return Path("/var/lib/schoolpulse")
        return Path.home() / ".local/share/schoolpulse"


def load(path: str | None) -> tuple[Config, list[str]]:
    """The settings of `path`, or of the default file where it exists; and the warnings.

    Raises:
        SettingsError: see `agent.wire.settings.load`.
    """
    chosen = Path(path) if path else DEFAULT_FILE if DEFAULT_FILE.exists() else None
    return settings.load(Config, chosen)
