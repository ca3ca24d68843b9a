"""Whether a test came from its line's own network. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from collector.roster.register import Line

Network = IPv4Network | IPv6Network
Networks = Mapping[tuple[str, str], Sequence[Network]]
"""The networks of the lines that have any, by (school, line)."""


def networks(lines: Iterable[Line]) -> Networks:
    """The registered networks of lines.

    Raises:
        ValueError: one is no network in CIDR notation; names school and line.
    """
    return {(row.school, row.line): _networks(row) for row in lines if row.network.strip()}


def inside(address: str, allowed: Sequence[Network]) -> bool:
    """Whether a test from `address` may be of a line with these networks.

    Without networks every test may. So may one whose record has no address, as those of older
    measurement servers: nothing shows that it came from elsewhere.
    """
    if not allowed or not address:
        return True
    known = _address(address)
    return known is not None and any(known in network for network in allowed)


def _networks(row: Line) -> list[Network]:
    parts = (part for part in re.split(r"[\s,;，；、]+", row.network) if part)
    try:
        return [ip_network(part, strict=False) for part in parts]
    except ValueError as error:
        raise ValueError(f"line {row.line} of {row.school}: network: {error}") from error


@lru_cache(maxsize=4096)
def _address(text: str) -> IPv4Address | IPv6Address | None:
    """An IPv4 address behind IPv6 (::ffff:192.0.2.1) is that IPv4 address."""
    try:
        found = ip_address(text)
    except ValueError:
        return None
    if isinstance(found, IPv6Address) and found.ipv4_mapped:
        return found.ipv4_mapped
    return found
