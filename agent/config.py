"""The agent's settings; deploy/agent.toml lists them all.

There is no setting for `simulated`: the reports of an installed agent are never simulated.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

from msgspec import Meta, Struct

from agent.common import data_folder, secret_files, secret_reading, settings
from agent.common.broker_settings import AgentBroker
from agent.common.language import say
from agent.common.settings import Lang, SettingsError
from agent.common.signing import MIN_KEY

_COMMON_APPDATA = 0x23


def _program_data() -> Path:
    """C:\\ProgramData as the shell knows it: a service's environment may lack the variable."""
    if sys.platform != "win32":
        return Path("C:/ProgramData")
    import ctypes

    path = ctypes.create_unicode_buffer(260)
    failed = ctypes.windll.shell32.SHGetFolderPathW(None, _COMMON_APPDATA, None, 0, path)
    return Path("C:/ProgramData" if failed else path.value)


WINDOWS_FOLDER = _program_data() / "SchoolPulse"
SYSTEM_FOLDER = Path("/var/lib/schoolpulse-agent")
DEFAULT_FILE = (
    WINDOWS_FOLDER / "agent.toml"
    if sys.platform == "win32"
    else Path("/etc/schoolpulse/agent.toml")
)
_SCHOOL = re.compile("[0-9]{10}", re.ASCII)
SOURCE_KEY = re.compile("[0-9A-Fa-f]{64}")
#: A user name that means a school: its code, with a digit too few or many, and a generation.
_ACCOUNT = re.compile("([0-9]{8,12})(-[0-9]+)?", re.ASCII)

Positive = Annotated[int, Meta(ge=1)]
PerDay = Annotated[int, Meta(ge=0, le=96)]


class Outbox(Struct, frozen=True, forbid_unknown_fields=True):
    """How much may wait for receipts before the oldest telemetry is dropped."""

    limit_bytes: Annotated[int, Meta(ge=65536)] = 64_000_000
    limit_days: Positive = 60


class Line(Struct, frozen=True, forbid_unknown_fields=True):
    """The PC's network line. Settings missing here are taken from the school's policy."""

    name: str = ""  # the line's name in the register
    server: str = ""  # http://host:port of the city's measurement server
    key_file: str = ""  # file with the school's key for that server
    metered: bool | None = None  # whether the link is paid by volume; not set: ask the system
    quiet_per_day: PerDay | None = None  # tests a day outside lessons
    lesson_per_day: PerDay | None = None  # tests a day in lessons
    at_start: bool = False  # one test as soon as the time is known, whatever the hour

    def key(self) -> str:
        """The school's key; empty where none is set.

        Raises:
            SettingsError: the file cannot be read, or holds no key.
        """
        if not self.key_file:
            return ""
        key = secret_reading.read("line.key_file", self.key_file)
        if len(key) < MIN_KEY or not key.isascii():
            text = say(
                "里没有密钥（至少 32 个字母或数字）",
                "does not contain a key (at least 32 letters or digits)",
            )
            raise SettingsError(f"line.key_file: {self.key_file} {text}")
        return key


class Identity(Struct, frozen=True, forbid_unknown_fields=True):
    """What this PC tells of its hardware."""

    source_key_file: str = ""  # file with the key of the digests of its single sources

    def source_key(self) -> bytes:
        """The key; empty where none is set.

        Raises:
            SettingsError: the file cannot be read, or does not hold 32 bytes as hex.
        """
        if not self.source_key_file:
            return b""
        setting = "identity.source_key_file"
        text = secret_reading.read(setting, self.source_key_file)
        if SOURCE_KEY.fullmatch(text):
            return bytes.fromhex(text)
        wanted = say("里没有密钥（64 个十六进制字符）", "has no key (64 characters of hex)")
        raise SettingsError(f"{setting}: {self.source_key_file} {wanted}")


class Watched(Struct, frozen=True, forbid_unknown_fields=True):
    """A device on the network whose state this agent queries."""

    host: str
    kind: Literal["projector", "panel", "tv", "printer", "camera"] = "projector"
    speaks: Literal["pjlink", "snmp", "tcp"] = "pjlink"  # tcp: only whether the port answers
    port: Annotated[int, Meta(ge=1, le=65535)] | None = None
    name: str = ""
    room: str = ""  # its room, if not this PC's
    password: str = ""  # PJLink's; SNMP's community
    password_file: str = ""


class Probes(Struct, frozen=True, forbid_unknown_fields=True):
    """Which probes run, and how often devices are checked for a change."""

    enabled: tuple[str, ...] = (
        "host", "displays", "sound", "cameras", "touch", "printers", "network",
    )  # fmt: skip
    check_s: Annotated[int, Meta(ge=1)] = 30  # how often devices are compared with the last report


class Update(Struct, frozen=True, forbid_unknown_fields=True):
    """How new versions of the agent are taken; without a key none is."""

    #: The city's release key, 64 hex characters, as `schoolpulse release key` prints it.
    public_key: Annotated[str, Meta(pattern="^([0-9a-f]{64})?$", max_length=64)] = ""
    delay_s: Annotated[float, Meta(ge=0, le=86400)] = 3600.0  # PCs look at random within it


class Config(Struct, frozen=True, forbid_unknown_fields=True):
    """All settings of the agent."""

    lang: Lang = ""
    school: str = ""  # 学校标识码, 10 digits, in quotes
    room: str = ""  # this PC's room, used where the register does not know it
    data: str = ""  # folder of the outbox and the status
    report_s: Annotated[int, Meta(ge=5, le=86400)] | None = None  # default: the policy's
    broker: AgentBroker = AgentBroker()
    outbox: Outbox = Outbox()
    line: Line = Line()
    identity: Identity = Identity()
    probes: Probes = Probes()
    update: Update = Update()
    devices: tuple[Watched, ...] = ()

    @property
    def folder(self) -> Path:
        """The folder of the agent's files. Raises SettingsError, see `data_folder.chosen`."""
        if self.data:
            return Path(self.data)
        if sys.platform == "win32":
            return WINDOWS_FOLDER
        return data_folder.chosen(self.data, SYSTEM_FOLDER, ".local/share/schoolpulse-agent")


def load(
    path: str | None, *, need_school: bool = True, environ: Mapping[str, str] = os.environ
) -> tuple[Config, list[str]]:
    """The settings in `path`, or in the default file where it exists, and the warnings.

    Raises:
        SettingsError: see `agent.common.settings.load`; or the school is not 10 digits, or the
            broker's credential is another school's.
    """
    chosen = Path(path) if path else present()
    config, warnings = _read(chosen, environ)
    _check_account(config, str(chosen or "SCHOOLPULSE_BROKER_USERNAME"))
    if need_school:
        check_school(config.school, str(chosen or "SCHOOLPULSE_SCHOOL"))
    return config, warnings


def present() -> Path | None:
    """The settings file where none is named; see `agent.common.settings.present`."""
    return settings.present(secret_files.SETTINGS, DEFAULT_FILE)


def default_folder() -> Path:
    """The data folder where there are no settings, or they cannot be read."""
    return settings.load(Config, None)[0].folder


def _read(path: Path | None, environ: Mapping[str, str]) -> tuple[Config, list[str]]:
    try:
        return settings.load(Config, path, environ)
    except SettingsError as error:
        if ": school: " not in str(error):
            raise
        fix = say('school 要加引号：school = "…"', 'put it in quotes: school = "…"')
        raise SettingsError(f"{error}; {fix}") from error


def check_school(school: str, where: str) -> None:
    """Raise SettingsError unless `school` is a 学校标识码."""
    if _SCHOOL.fullmatch(school):
        return
    if not school:
        raise SettingsError(
            say(
                f"{where}: 没有配置 school；请填 10 位学校标识码，或设 SCHOOLPULSE_SCHOOL",
                f"{where}: school is not set; set the 10-digit code, or SCHOOLPULSE_SCHOOL",
            )
        )
    raise SettingsError(
        say(
            f"{where}: school = {school!r} 不是 10 位数字的学校标识码（现有 {len(school)} 个字符）",
            f"{where}: school = {school!r} is not a 10-digit code ({len(school)} characters)",
        )
    )


def _check_account(config: Config, where: str) -> None:
    """Raise SettingsError where the credential is another school's: the broker would refuse all."""
    account = _ACCOUNT.fullmatch(config.broker.username)
    if not account or not config.school or account[1] == config.school:
        return
    raise SettingsError(
        say(
            f"{where}: broker.username = {config.broker.username!r} 不是学校 {config.school} 的："
            "改正 school 或 username，或用这所学校自己的配置包重新安装",
            f"{where}: broker.username = {config.broker.username!r} does not belong to school"
            f" {config.school}: correct school or username, or install this school's own bundle",
        )
    )
