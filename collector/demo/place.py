"""The demo's folder: emptied at each run, with the settings of every process."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from agent.common.language import say
from collector.demo.broker import HOST
from collector.demo.children import DemoError
from collector.demo.school import CODE, ROOM

_MARK = ".schoolpulse-demo"
#: Seconds between reports of this machine's agent: short, as the demo waits for them.
_REPORT_S = 5

_Scalar = str | int | float | bool
_Table = Mapping[str, _Scalar | Mapping[str, _Scalar]]


@dataclass(frozen=True, slots=True)
class Ports:
    """Where the demo's services listen on this machine."""

    broker: int
    lineserver: int


@dataclass(frozen=True, slots=True)
class Place:
    """The folder and the paths in it."""

    folder: Path

    @property
    def data(self) -> Path:
        """The city side's data."""
        return self.folder / "city"

    @property
    def agent_data(self) -> Path:
        """The agent's data."""
        return self.folder / "agent"

    @property
    def logs(self) -> Path:
        """The folder of logs, one per process."""
        return self.folder / "logs"

    @property
    def collector_toml(self) -> Path:
        """Settings of the city side."""
        return self.folder / "collector.toml"

    @property
    def agent_toml(self) -> Path:
        """Settings of this machine's agent."""
        return self.folder / "agent.toml"


def fresh(folder: Path) -> Place:
    """An empty folder for this run. Only an earlier demo's files are removed.

    Raises:
        DemoError: the folder has other files, or cannot be created.
    """
    place = Place(folder.resolve())
    try:
        if folder.exists() and any(folder.iterdir()):
            if not (folder / _MARK).exists():
                raise DemoError(
                    say(
                        f"{folder} 里有别的东西，不会清空它；用 --out 换一个文件夹",
                        f"{folder} contains other files and is not emptied; use another --out",
                    )
                )
            shutil.rmtree(folder)
        for each in (place.data, place.agent_data, place.logs):
            each.mkdir(parents=True)
        (place.folder / _MARK).touch()
    except OSError as error:
        raise DemoError(f"{folder}: {error.strerror}") from error
    return place


def kept(folder: Path) -> Place:
    """A folder that stays from run to run, with what is in it.

    Raises:
        DemoError: it cannot be created, or is the demo's, which empties it.
    """
    place = Place(folder.resolve())
    if (folder / _MARK).exists():
        raise DemoError(
            say(
                f"{folder} 是演示用的，每次清空；用 --data 换一个文件夹",
                f"{folder} is the demo's, which empties it on each run; use another --data",
            )
        )
    try:
        for each in (place.data, place.agent_data, place.logs):
            each.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DemoError(f"{folder}: {error.strerror}") from error
    return place


def write_settings(
    place: Place,
    ports: Ports,
    protocol: str,
    report_s: int = _REPORT_S,
    *,
    invented: bool = True,
    code: str = CODE,
) -> None:
    """Write collector.toml and agent.toml, as an installation would have them.

    `invented`: simulated reports are taken; `code`: this machine's school.
    """
    broker: dict[str, _Scalar] = {"host": HOST, "port": ports.broker, "protocol": protocol}
    server = f"http://{HOST}:{ports.lineserver}"
    _write(
        place.collector_toml,
        {"data": str(place.data), "report_s": report_s, "keeper_s": 5.0,
         "accept_simulated": invented, "mqtt": broker, "lines": {"server": server}},
    )  # fmt: skip
    _write(
        place.agent_toml,
        {"school": code, "room": ROOM, "data": str(place.agent_data), "report_s": report_s,
         "broker": broker, "line": {"at_start": True}},
    )  # fmt: skip


def _write(path: Path, table: _Table) -> None:
    lines = [f"{key} = {_value(value)}" for key, value in table.items() if _plain(value)]
    for key, value in table.items():
        if isinstance(value, Mapping):
            lines += [f"\n[{key}]", *(f"{name} = {_value(each)}" for name, each in value.items())]
    path.write_text("\n".join(lines) + "\n", "utf-8")


def _plain(value: object) -> bool:
    return not isinstance(value, Mapping)


def _value(value: object) -> str:
    """A TOML value: strings, numbers and booleans are written as in JSON."""
    return json.dumps(value, ensure_ascii=False)
