"""Texts that stand in every document: title, cut-off, signature block. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from agent.common.language import say
from agent.version import VERSION
from collector.compliance.model import Figure
from collector.compliance.window import Windows
from collector.report.context import Context

#: How many characters of a root hash stand where there is room for no more.
SHORT_ROOT = 16


def title(figure: Figure) -> str:
    """What the report is called."""
    area = figure.areas[0].name
    return say(
        f"{area} {figure.year} 年教育信息化达标情况报告",
        f"{area}: informatization compliance {figure.year}",
    )


def dated(figure: Figure) -> str:
    """Cut-off, window, and the version that made it."""
    window = Windows(figure.register.calendar, figure.settings).up_to(figure.cutoff)
    return say(
        f"截止日 {figure.cutoff}；证据窗口 {window.first} 至 {window.last}"
        f"（{window.open_days} 个开放日）；SchoolPulse {VERSION}",
        f"Cut-off {figure.cutoff}; evidence window {window.first} to {window.last} "
        f"({window.open_days} open days); SchoolPulse {VERSION}",
    )


def warning(mark: str) -> str:
    """The watermark as a sentence."""
    return say(f"{mark}：不得作为上报依据", f"{mark}: not for submission")


def signature(context: Context) -> Iterator[tuple[str, str]]:
    """The signature block's lines: what is asked, and what is known already."""
    signed = context.signature
    yield say("填报单位（盖章）", "Unit (seal)"), signed.unit
    yield say("负责人（签字）", "Person in charge (signature)"), ""
    yield say("填报人", "Filled in by"), signed.person
    yield say("联系电话", "Phone"), signed.phone
    yield say("日期", "Date"), ""
    yield say("存档文件", "Archive"), context.archive or say("未冻结", "not frozen")
    yield say("存档根哈希", "Root hash"), context.root or say("未冻结", "not frozen")
