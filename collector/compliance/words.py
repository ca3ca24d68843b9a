"""Small matters of wording."""

from __future__ import annotations


def named(kind: str, name: str) -> str:
    """`线路 2`, but `线路2` where the register's name says already what it is."""
    return name if name.startswith(kind) else f"{kind} {name or '—'}"
