"""Wording that several rules share."""

from __future__ import annotations


def named(kind: str, name: str) -> str:
    """`线路 2`, but `线路2` if the register's name already begins with the kind."""
    return name if name.startswith(kind) else f"{kind} {name or '—'}"
