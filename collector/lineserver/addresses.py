"""Who is counted as one: an address, or a network of IPv6; and how much each may ask. Pure."""

from __future__ import annotations

import ipaddress

#: Requests a second, and at once, of one address or key.
PER_SECOND, BURST = 100.0, 400.0


def plain(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An address without its zone, IPv4 as such where it is written as IPv6; None: none."""
    try:
        found = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return None
    mapped = found.ipv4_mapped if isinstance(found, ipaddress.IPv6Address) else None
    return mapped or found


def group(address: str) -> str:
    """What counts as one sender: an IPv4 address, or a /64 of IPv6, which is one customer's."""
    found = plain(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.IPv6Network((found, 64), strict=False))
    return str(found or address)


class Rates:
    """A token bucket for each sender. Not safe for several threads; times in s."""

    def __init__(self, per_second: float = PER_SECOND, burst: float = BURST) -> None:
        self._per_second, self._burst = per_second, burst
        self._left: dict[str, tuple[float, float]] = {}  # tokens, and when

    def take(self, sender: str, now: float) -> bool:
        """Whether the sender may have one more now."""
        left, at = self._left.get(sender, (self._burst, now))
        left = min(self._burst, left + (now - at) * self._per_second)
        if left < 1.0:
            return False
        self._left[sender] = (left - 1.0, now)
        return True

    def forget(self, now: float) -> None:
        """Drop the senders whose bucket is full again."""
        full = self._burst / self._per_second
        if self._left:
            self._left = {key: kept for key, kept in self._left.items() if now - kept[1] < full}
