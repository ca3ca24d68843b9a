"""Makes a backup file while collector and measurement server run."""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Protocol

from agent.common.language import say
from agent.version import VERSION
from collector.backup import boards, rows
from collector.backup.container import Writer
from collector.backup.manifest import FORMAT, BackupError, Manifest
from collector.backup.sealing import CHUNK, Sealer
from collector.backup.sources import DATA, SETTINGS, City, Source, owned, sources
from collector.grafana.client import Grafana
from collector.store import factory
from collector.store.base import Store

REGISTER = f"{DATA}/register.db"


class Watch(Protocol):
    """Is told how far it is."""

    def step(self, text: str) -> None:
        """What is done from now on."""

    def more(self, count: int) -> None:
        """So many rows more."""


def make(
    city: City, target: Path, sealer: Sealer | None, watch: Watch, grafana: Grafana | None = None
) -> Manifest:
    """Write the backup; without a `sealer` secrets are left out.

    Reports come first, then the files with the notes of days to derive, then what is derived: a
    day that is derived in between is noted still.

    Raises:
        BackupError: there is nothing to save, a file is damaged, the disk has no room.
        OSError, StoreError: a file or the store cannot be read, or the backup not be written.
    """
    found, made = list(sources(city)), time.time_ns() // 1_000_000
    _check(city, target, found)
    taken = [one for one in found if sealer or not one.secret]
    reports, derived = rows.names()
    counts: dict[str, int] = {}
    with Writer(target, sealer) as writer:
        with _store(city) as store:
            _rows(writer, store, reports, counts, watch)
            for source in taken:
                watch.step(source.name)
                _file(writer, source)
            _rows(writer, store, derived, counts, watch)
        for name, data in boards.read(grafana) if grafana else ():
            watch.step(name)
            writer.add(name, "board", [data])
        manifest = Manifest(
            FORMAT, VERSION, made, city.config.store.kind, city.places(), writer.parts, counts,
            settings_file=f"{SETTINGS}/{city.file.name}" if city.file else "",
            moved={str(path): name for name, path in city.moved().items()},
            left_out=[one.name for one in found if one not in taken],
            key=sealer.key if sealer else None,
        )  # fmt: skip
        writer.finish(manifest)
    return manifest


def _check(city: City, target: Path, found: Sequence[Source]) -> None:
    folder = city.folders()[DATA]
    if not any(source.name == REGISTER for source in found):
        raise BackupError(
            say(
                f"{folder}: 没有台账，没有可备份的；用 --config 指明设置文件",
                f"{folder}: no register, nothing to save; name the settings with --config",
            )
        )
    if target.resolve().is_relative_to(folder):
        raise BackupError(
            say(
                f"{target}: 在数据目录里，会和它一起丢；写到别的磁盘或机器",
                f"{target}: lies in the data folder and is lost with it; choose another disk",
            )
        )
    need, free = _need(folder, found), shutil.disk_usage(target.resolve().parent).free
    if need > free:
        raise BackupError(
            say(
                f"{target}: 至多需要 {need >> 20} MB，只剩 {free >> 20} MB：先腾出空间",
                f"{target}: takes up to {need >> 20} MB, {free >> 20} MB are free: make room",
            )
        )


def _need(folder: Path, found: Sequence[Source]) -> int:
    """At most so many bytes, a copy of the largest file included; rows are packed to a tenth."""
    sizes = [source.path.stat().st_size for source in found]
    store = folder / factory.FILE
    rows_size = store.stat().st_size // 2 if store.exists() else 0
    return sum(sizes) + max(sizes, default=0) + rows_size + CHUNK


class _NoStore:
    """A city that stored nothing yet: opening its file would make one."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, *_: object) -> None:
        return None


def _store(city: City) -> Store | _NoStore:
    config = city.config
    if config.store.kind == "sqlite" and not (config.folder / factory.FILE).exists():
        return _NoStore()
    return factory.open_store(config)


def _rows(
    writer: Writer, store: Store | None, names: Sequence[str], counts: dict[str, int], watch: Watch
) -> None:
    for name in names if store else ():
        watch.step(name)
        counts[name] = 0

        def counted(more: int, name: str = name) -> None:
            counts[name] += more
            watch.more(more)

        assert store
        writer.add(rows.part_name(name), "rows", rows.exported(store, name, counted))


def _file(writer: Writer, source: Source) -> None:
    try:
        mode, user, group = owned(source.path)
        chunks = _snapshot(writer, source.path) if source.sqlite else _read(source.path)
        first = next(chunks, b"")
    except FileNotFoundError:
        return  # removed since the folder was listed, as renewals are
    writer.add(
        source.name, "file", _joined(first, chunks), sealed=source.secret, mode=mode, user=user,
        group=group,
    )  # fmt: skip


def _joined(first: bytes, chunks: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from chunks


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while chunk := file.read(CHUNK):
            yield chunk


def _snapshot(writer: Writer, path: Path) -> Iterator[bytes]:
    """A copy by SQLite itself: of one moment, while others write."""
    copy = writer.partial.with_name(f"{writer.partial.name}.db")
    copy.unlink(missing_ok=True)
    try:
        with (
            closing(sqlite3.connect(f"{path.as_uri()}?mode=ro", uri=True, timeout=30)) as live,
            closing(sqlite3.connect(copy)) as base,
        ):
            live.backup(base)
            base.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        yield from _read(copy)
    except sqlite3.Error as error:
        raise BackupError(
            say(
                f"{path}: 读不了（{error}）；schoolpulse doctor 给出办法",
                f"{path}: cannot be read ({error}); schoolpulse doctor has the fix",
            )
        ) from error
    finally:
        copy.unlink(missing_ok=True)
