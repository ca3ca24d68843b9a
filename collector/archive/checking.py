"""An archive checked by itself: every byte, then the figure made again from what is inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from agent.common import decoding
from agent.common.language import say
from collector.archive import inputs, integrity, results, rollup, writing
from collector.archive.container import Buffer, Members
from collector.archive.errors import ArchiveError
from collector.archive.method import judged
from collector.archive.opened import MANIFEST, digest, mapped
from collector.archive.summary import SUMMARY, FrozenYear
from collector.archive.table import TableError
from collector.compliance.model import Figure

#: Told what is being done, for a progress bar; `STAGES` times.
Tell = Callable[[str], None]
STAGES = 4
_SHOWN = 20  # so many disagreements are named


@dataclass(frozen=True)
class Checked:
    """What was found: without faults the summary and the figure are what was frozen."""

    faults: list[str]
    summary: FrozenYear | None = None
    figure: Figure | None = None


def silent(stage: str) -> None:
    """Tells nobody."""


def check(path: Path, root: str = "", tell: Tell = silent) -> Checked:
    """Check the archive at `path`; `root` is the root hash that it has to have, if known.

    Raises:
        ArchiveError: the file cannot be read, or it takes a newer SchoolPulse.
    """
    with mapped(path) as data:
        return check_bytes(data, path, root, tell)


def check_bytes(data: Buffer, path: Path, root: str = "", tell: Tell = silent) -> Checked:
    """The same for bytes that are no file yet; `path` is what messages call them."""
    tell(say("核对字节", "bytes"))
    entries, faults = integrity.faults(data)
    if faults:
        return Checked(faults)
    found = Members(data, entries)
    is_root = digest(found[MANIFEST])
    if root and root.lower() != is_root:
        text = say(
            f"根哈希是 {is_root}，不是所给的 {root}：不是签字时的那一份",
            f"the root hash is {is_root}, not {root}: this is not what was signed",
        )
        return Checked([text])
    return _judge_again(found, path, is_root, tell)


def _judge_again(found: Mapping[str, bytes], path: Path, root: str, tell: Tell) -> Checked:
    try:
        summary = decoding.decode(found[SUMMARY], FrozenYear)
        tell(say("读入依据", "evidence"))
        if summary.parts:
            figure = rollup.again(found, summary)
        else:
            made_of = inputs.of_members(found)
            tell(say("重新计算", "judging"))
            figure = judged(made_of, summary.method)
        tell(say("比较", "comparing"))
        faults = [*results.disagreements(found, figure), *_summary(found[SUMMARY], figure)]
    except (TableError, msgspec.DecodeError, KeyError) as error:
        raise ArchiveError(_unreadable(path, error)) from error
    named = replace(summary, root=root, file=path.name)
    if faults:
        return Checked(_told(faults), named)
    sealed = replace(figure, root=root, revision=summary.revision)
    return Checked([], named, sealed)


def _summary(kept: bytes, figure: Figure) -> Iterator[str]:
    """Where the summary says otherwise than the figure."""
    again = {
        "year": figure.year,
        "cutoff": figure.cutoff,
        "simulated": figure.simulated,
        "threshold_mbps": figure.settings.threshold_mbps,
        "areas": writing.areas(figure),
    }
    now = msgspec.json.decode(inputs.json(again))
    said = msgspec.json.decode(kept)
    yield from results.differ(SUMMARY, {key: said.get(key) for key in now}, now)


def _told(faults: list[str]) -> list[str]:
    rest = len(faults) - _SHOWN
    told = [say(f"重新计算不一致：{text}", f"made again, it differs: {text}") for text in faults]
    more = [say(f"……另有 {rest} 处", f"... and {rest} more")] if rest > 0 else []
    return told[:_SHOWN] + more


def _unreadable(path: Path, error: Exception) -> str:
    return say(
        f"{path}: 字节完好，但本版本读不懂其中的内容（{error}）；用写它的版本或更新的 SchoolPulse",
        f"{path}: every byte is sound, but this version cannot read what is inside ({error}): "
        "use the SchoolPulse that wrote it, or a newer one",
    )
