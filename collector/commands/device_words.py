"""A device's state as a row of codes, and the same row in words, in every list."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from agent.common.vocabulary import devices as words
from agent.common.vocabulary import states
from agent.common.vocabulary.words import word
from collector.commands import listing
from collector.inventory.devices import Device

#: For a sheet: every fact its own column.
SHEET: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("room", "教室", "room"), ("kind", "种类", "kind"),
    ("maker", "厂商", "maker"), ("model", "型号", "model"), ("serial", "序列号", "serial"),
    ("presence", "在否", "present"), ("presence_ms", "在否自", "present since"),
    ("power", "电源", "power"), ("power_ms", "电源自", "power since"),
    ("working", "使用", "working"), ("working_ms", "使用自", "working since"),
    ("fault", "故障", "fault"), ("fix", "办法", "fix"), ("hostname", "主机名", "hostname"),
    ("connector", "接口", "connector"), ("machine", "机器号", "machine"),
)  # fmt: skip
_TOLD: listing.Heading = ("told_ms", "最近消息", "last report")
FAULTS_SHEET = (*SHEET, _TOLD)
#: For a terminal: what belongs together stands in one cell, a line each.
_PLACE: tuple[listing.Heading, ...] = (
    ("school", "学校", "school"), ("room", "教室", "room"), ("what", "设备", "device"),
)  # fmt: skip
_PC: listing.Heading = ("pc", "电脑", "PC")
TABLE: tuple[listing.Heading, ...] = (
    *_PLACE, ("state", "状态", "state"), ("fault", "故障", "fault"), _PC,
)  # fmt: skip
FAULTS_TABLE: tuple[listing.Heading, ...] = (
    *_PLACE, ("trouble", "问题，自", "trouble, since"),
    ("told", "电脑，最近消息", "PC, last report"),
)  # fmt: skip


def row(one: Device, *, last_known: bool = False) -> listing.Row:
    """A device as codes, as it is or as it was last reported; times in ms since 1970 UTC."""
    state = one.last_known if last_known else one.state
    return {
        "school": one.school,
        "room": one.room,
        "kind": one.kind,
        "model": one.model,
        "maker": one.maker,
        "serial": one.serial,
        "connector": one.connector,
        "presence": state.presence,
        "presence_ms": state.presence_since,
        "power": state.power,
        "power_ms": state.power_since,
        "working": state.working,
        "working_ms": state.working_since,
        "fault": state.fault,
        "told_ms": one.last_report,
        "machine": one.machine,
        "hostname": one.hostname,
        "device": one.device,
    }


def said(row: listing.Row) -> listing.Row:
    """The row in words, as the columns of `SHEET` have them."""
    fault = str(row["fault"])
    return {
        **row,
        "kind": words.kind(str(row["kind"])),
        "presence": word(states.PRESENCES, str(row["presence"])),
        "power": words.power(str(row["power"])),
        "working": word(states.WORKING, str(row["working"])),
        "fault": words.fault(fault) if fault else "",
        "fix": words.fix(fault),
    }


def brief(row: listing.Row) -> listing.Row:
    """The row in words, as the columns of `TABLE` and `FAULTS_TABLE` have them."""
    words_of = said(row)
    pc = row["hostname"] or str(row["machine"])[:8]
    return {
        **words_of,
        "what": listing.below(words_of["kind"], row["model"], row["serial"]),
        "state": listing.below(*_states(row, words_of)),
        "trouble": listing.below(*_troubles(row, words_of)),
        "pc": pc,
        "told": listing.below(pc, listing.short(row["told_ms"])),
    }


def _states(row: listing.Row, shown: listing.Row) -> Iterator[str]:
    """Each state that is known, with since when; the presence always."""
    for name in ("presence", "power", "working"):
        if name == "presence" or row[name] != "unknown":
            yield f"{shown[name]} {listing.short(row[f'{name}_ms'])}".strip()


def _troubles(row: listing.Row, shown: listing.Row) -> Iterator[object]:
    """It is gone, or broken, or both; each with since when."""
    for name, when in (("presence", "missing"), ("working", "fault")):
        if row[name] == when:
            yield shown["fault"] if when == "fault" else shown[name]
            yield listing.short(row[f"{name}_ms"])


def fixes(rows: Iterable[listing.Row]) -> list[str]:
    """What to do about devices that cannot be asked: a line each, below the table."""
    found = dict.fromkeys(str(row["fault"]) for row in rows)
    return [f"{words.fault(fault)} → {fix}" for fault in found if (fix := words.fix(fault))]
