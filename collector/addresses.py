"""Whether an address, or that of a URL, is this machine's own."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit


def is_local(address: str) -> bool:
    """Whether only this machine reaches it: a loopback address, or `localhost`."""
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address.strip("[]")).is_loopback
    except ValueError:
        return False


def is_local_url(url: str) -> bool:
    """The same of a URL's host; false of what is no URL."""
    try:
        return is_local(urlsplit(url).hostname or "")
    except ValueError:
        return False
