"""Presences as a collector has them once they are decoded."""

from __future__ import annotations

from agent.wire import Presence
from collector.ingest import Noted
from collector.store.base import Point

SCHOOL, PC = "9900000001", "ab" * 16


def said(boot: str, online: bool, at: int = 1, school: str = SCHOOL, machine: str = PC) -> Noted:
    """A presence that arrived `at`, ns since 1970 UTC."""
    tags = {"school": school, "machine": machine}
    point = Point("presence", tags, {"boot": boot, "online": online}, at)
    return Noted(school, machine, Presence(v=1, boot=boot, online=online), (point,))
