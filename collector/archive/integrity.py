"""Whether every byte of an archive is as `freeze` wrote it, and which part is not. Pure."""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator

from agent.common.language import say
from collector.archive.container import (
    Buffer,
    Entry,
    Members,
    before_first,
    by_directory,
    by_headers,
    skeleton,
)
from collector.archive.opened import MANIFEST, digest, digests

#: What `freeze` calls its members: no path that leads out of a folder.
_NAME = re.compile(r"(?:[A-Za-z0-9_-]+/)*[A-Za-z0-9_-]+\.[a-z0-9]+")
_FEW = 3  # as many unknown members are named


def faults(data: Buffer) -> tuple[list[Entry], list[str]]:
    """The members, and a text for each part that is not as it has to be."""
    ways = [way for way in (by_headers(data), by_directory(data)) if way]
    if not ways:
        return [], [_no_way_in(data)]
    entries = max(ways, key=lambda way: _agreement(data, way))
    found = [*_names(entries), *_structure(data, entries)]
    return entries, found + list(_content(data, entries))


def _agreement(data: Buffer, entries: list[Entry]) -> int:
    """How much of what the headers or the directory say is confirmed by the data."""
    found = Members(data, entries)
    listed = digests(found[entries[-1].name])
    fitting = sum(zlib.crc32(found[entry.name]) == entry.crc for entry in entries)
    return fitting + sum(entry.name in listed or entry.name == MANIFEST for entry in entries)


def _no_way_in(data: Buffer) -> str:
    extra = before_first(data)
    if extra:
        return say(f"第一个文件之前多出 {extra} 个字节", f"{extra} bytes before the first member")
    return say(
        "不是存档，或被截断：文件头和目录都不能用",
        "no archive, or cut off: neither headers nor directory can be used",
    )


def _names(entries: list[Entry]) -> Iterator[str]:
    seen: set[str] = set()
    for entry in entries:
        if entry.name in seen:
            yield say(f"{entry.name} 有两个", f"{entry.name} is there twice")
        elif not _NAME.fullmatch(entry.name):
            yield say(f"{entry.name!r} 不是存档的文件名", f"{entry.name!r} is no member's name")
        seen.add(entry.name)


def _structure(data: Buffer, entries: list[Entry]) -> Iterator[str]:
    """Headers, directory and what follows, compared with what the members make of them."""
    end = 0
    for begin, part in skeleton(entries):
        end = begin + len(part.data)
        if data[begin:end] != part.data:
            yield say(f"{part.zh}被改动", f"{part.en} was changed")
    if len(data) > end:
        extra = len(data) - end
        yield say(f"末尾多出 {extra} 个字节", f"{extra} bytes after the end")


def _content(data: Buffer, entries: list[Entry]) -> Iterator[str]:
    """Each member against its check sum and the manifest; a damaged manifest alone is named."""
    found = Members(data, entries)
    if MANIFEST not in found:
        yield say(f"没有 {MANIFEST}", f"no {MANIFEST}")
        return
    manifest = found[MANIFEST]
    sums = {entry.name: entry.crc for entry in entries}
    listed = digests(manifest)
    sound = zlib.crc32(manifest) == sums[MANIFEST]
    names = [name for name in found if name != MANIFEST]
    for name in names:
        one = found[name]
        good = listed.get(name) == digest(one)
        if not good and zlib.crc32(one) != sums[name]:
            yield say(f"{name} 的内容被改动", f"{name} was changed")
        elif not good and sound:
            yield say(f"{name} 与清单不符", f"{name} is not what the manifest says")
        elif zlib.crc32(one) != sums[name]:
            yield say(f"{name} 的校验和被改动", f"the check sum of {name} was changed")
    if sound:
        yield from _listed(manifest, names, listed)
    else:
        yield say(f"{MANIFEST} 的内容被改动", f"{MANIFEST} was changed")


def _listed(manifest: bytes, names: list[str], listed: dict[str, str]) -> Iterator[str]:
    """The manifest itself: a line for each member, in their order, and nothing else."""
    missing = [name for name in listed if name not in names]
    if missing:
        few = ", ".join(missing[:_FEW])
        yield say(f"清单中的文件不在：{few}", f"listed in the manifest and not there: {few}")
    lines = "".join(f"{listed[name]}  {name}\n" for name in names if name in listed)
    if not missing and manifest != lines.encode("ascii", "replace"):
        yield say(f"{MANIFEST} 的写法被改动", f"the form of {MANIFEST} was changed")
