"""The collector's settings; deploy/collector.toml shows them all."""

from __future__ import annotations

import datetime as dt
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Struct

from agent.common import data_folder, secret_reading, settings
from agent.common.settings import Broker, Lang, SettingsError
from collector import indicator_settings
from collector.indicator_settings import Indicator, Target

DEFAULT_FILE = Path("/etc/schoolpulse/collector.toml")
#: Where there is no setting `data`: the services' folder, else one in the user's home.
SYSTEM_FOLDER, OWN_FOLDER = Path("/var/lib/schoolpulse"), ".local/share/schoolpulse"


#: What a room's probes can see, as `room_day` has it.
Piece = Literal["computer", "display", "sound", "microphone", "camera"]
#: As the register keeps them.
SchoolType = Literal[
    "小学", "初中", "九年一贯制", "完全中学", "高中", "十二年一贯制", "教学点", "幼儿园", "中职",
    "特殊教育",
]  # fmt: skip
_Days = Annotated[int, Meta(ge=1, le=3660)]


class Store(Struct, frozen=True, forbid_unknown_fields=True):
    """The store and its address."""

    kind: Literal["sqlite", "influxdb", "opengemini"] = "sqlite"
    url: str = "http://127.0.0.1:8086"
    token: str = ""
    org: str = "schoolpulse"
    telemetry: str = "telemetry"  # bucket or database of the 90-day class
    evidence: str = "evidence"  # bucket or database of the kept class
    telemetry_days: Annotated[int, Meta(ge=1)] = 90
    token_file: str = ""  # read at the start into `token`; later by `secret`
    urls: list[str] = []  # others of the same cluster, asked while `url` does not answer

    def secret(self) -> str:
        """The token as its file has it now.

        Raises:
            SettingsError: see `agent.common.secret_reading.fresh`.
        """
        return secret_reading.fresh("store.token_file", self.token_file, self.token)


class Mqtt(Broker, frozen=True, forbid_unknown_fields=True):
    """The broker, and the group of collectors that share its messages."""

    group: str = ""  # collectors of one group share the reports; empty: this one gets all
    hivemq: str = ""  # the file of accounts of HiveMQ's File RBAC; empty: the broker is Mosquitto


class City(Struct, frozen=True, forbid_unknown_fields=True):
    """The area above the districts."""

    code: str = "630100"
    name: str = "西宁市"


class Lines(Struct, frozen=True, forbid_unknown_fields=True):
    """How lines are tested; agents get these values by policy."""

    server: Annotated[str, Meta(max_length=256)] = ""  # http://host:port of the measurement server
    quiet_per_day: Annotated[int, Meta(ge=0, le=96)] = 3
    lesson_per_day: Annotated[int, Meta(ge=0, le=96)] = 1
    by_hand_per_day: Annotated[int, Meta(ge=0)] = 20  # tests per line by `schoolpulse-agent line`
    month_bytes: Annotated[int, Meta(ge=0, le=2**63 - 1)] = (
        20_000_000_000  # of a line's tests, both ways
    )
    keys: str = ""  # folder of <school>.key; empty: only for a server on this machine


class Figure(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of the method, stored with every figure.

    Their ranges are checked, as a wrong value would silently change the figure.
    """

    threshold_mbps: Annotated[float, Meta(gt=0)] = 10.0
    rule: Literal["p90", "fcc80"] = "p90"
    tolerance: Annotated[float, Meta(gt=0, le=1)] = 0.97
    min_tests: _Days = 10
    min_test_days: _Days = 5
    bonded: bool = False  # judge a campus's lines by their sum
    open_days: _Days = 30
    calendar_days: _Days = 120
    min_room_days: _Days = 3
    required: Annotated[tuple[Piece, ...], Meta(min_length=1)] = ("computer", "display")
    seats_share: Annotated[float, Meta(gt=0, le=1)] = 0.8
    min_seats: Annotated[int, Meta(ge=0)] | None = None
    inspection_months: Annotated[int, Meta(ge=1, le=1200)] = 12
    types: Annotated[tuple[SchoolType, ...], Meta(min_length=1)] = (
        "小学", "初中", "九年一贯制", "完全中学", "高中",
    )  # fmt: skip
    cutoff: dt.date | None = None
    #: By id. In a file only what differs from the default, which `load` adds.
    indicators: dict[str, Indicator] = msgspec.field(
        default_factory=indicator_settings.default_indicators
    )
    targets: tuple[Target, ...] = indicator_settings.DEFAULT_TARGETS


class Keeper(Struct, frozen=True, forbid_unknown_fields=True):
    """The keeper's share of the schools."""

    #: Part 2 of 4 is `2/4`: of several machines, each derives its part's schools.
    part: Annotated[str, Meta(pattern=r"^[1-9][0-9]{0,3}/[1-9][0-9]{0,3}$")] = "1/1"


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """The yearly report: its signature block, of which what is empty is filled in by hand."""

    unit: Annotated[str, Meta(max_length=100)] = ""
    person: Annotated[str, Meta(max_length=50)] = ""
    phone: Annotated[str, Meta(max_length=50)] = ""
    font: str = ""  # of pdf and png: a family, or a file; empty: the best that is installed


class Web(Struct, frozen=True, forbid_unknown_fields=True):
    """The pages of `schoolpulse web`: where they listen, and who may read them."""

    address: str = "127.0.0.1:8080"
    password_file: str = ""  # made by `schoolpulse web --new-password`; empty: no log-in
    hosts: tuple[str, ...] = ()  # names by which readers reach the pages, beside addresses
    proxies: tuple[str, ...] = ()  # addresses of reverse proxies whose two headers are believed
    user_header: str = "X-SchoolPulse-User"
    district_header: str = "X-SchoolPulse-District"


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the city side."""

    lang: Lang = ""
    data: str = ""  # folder of register.db, the SQLite store, quarantine
    archives: str = ""  # folder of the frozen years; empty: `archives` in `data`
    mqtt: Mqtt = Mqtt()
    store: Store = Store()
    city: City = City()
    lines: Lines = Lines()
    figure: Figure = Figure()
    report: Report = Report()
    keeper: Keeper = Keeper()
    web: Web = Web()
    report_s: Annotated[int, Meta(ge=5)] = 300
    keeper_s: float = 60.0  # seconds between derivations of days
    metrics: str = ""  # host:port of /metrics; empty: none
    accept_simulated: bool = False  # invented reports: only where no real figure is made
    quarantine_bytes: Annotated[int, Meta(ge=0)] = 256 * 1024 * 1024  # when full, reports are held

    @property
    def folder(self) -> Path:
        """Where the city side keeps its files. Raises SettingsError, see `data_folder.chosen`."""
        return data_folder.chosen(self.data, SYSTEM_FOLDER, OWN_FOLDER)

    @property
    def archive_folder(self) -> Path:
        """Where the frozen years lie."""
        return Path(self.archives) if self.archives else self.folder / "archives"


def load(path: str | None) -> tuple[Config, list[str]]:
    """The settings of `path`, or of the default file if it exists, and warnings.

    Raises:
        SettingsError: see `agent.common.settings.load`; or an indicator or a target makes no sense.
    """
    chosen = Path(path) if path else settings.present(DEFAULT_FILE.name, DEFAULT_FILE)
    loaded, warnings = settings.load(Config, chosen)
    number, of = loaded.keeper.part.split("/")
    if int(number) > int(of):
        raise SettingsError(f"{chosen}: keeper.part: {loaded.keeper.part}: 1/{of} … {of}/{of}")
    return msgspec.structs.replace(loaded, figure=_whole(loaded.figure, chosen)), warnings


def _whole(rules: Figure, path: Path | None) -> Figure:
    """The rules with the default indicators and targets that the file does not name."""
    for key, problem in indicator_settings.problems(rules.indicators, rules.targets):
        raise SettingsError(f"{path}: figure.{key}: {problem}")
    return msgspec.structs.replace(
        rules,
        indicators=indicator_settings.joined(rules.indicators),
        targets=indicator_settings.joined_targets(rules.targets),
    )
