"""`schoolpulse backup` and `restore` as the tests here call them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from backup_city import Place, Run
from collector.config import Config
from collector.store.base import Point
from collector.store.factory import open_store

SECRET = b"secret-"
Figure = Callable[[Place], Any]


def saved(run: Run, place: Place, passphrase: Path, *words: object) -> Path:
    file = place.root.parent / "saved.backup"
    words = words or ("--passphrase-file", passphrase)
    assert run("backup", file, "--config", place.settings, *words) == 0
    return file


def restored(run: Run, file: Path, to: Place, passphrase: Path, *words: object) -> int:
    return run(
        "restore", file, "--config", to.settings, "--data", to.data,
        "--passphrase-file", passphrase, *words,
    )  # fmt: skip


def dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as base:
        return list(base.iterdump())


def points(config: Config) -> list[Point]:
    from collector.schema import MEASUREMENTS

    with open_store(config) as store:
        return [p for name in MEASUREMENTS for p in store.read(name, 0, 2**62)]
