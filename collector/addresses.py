"""Whether an address is this machine's own."""

from __future__ import annotations

import ipaddress


def is_local(address: str) -> bool:
    """Whether only this machine reaches it: a loopback address, or `localhost`."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False
