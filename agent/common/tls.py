"""TLS to the broker: chain and name are checked, dates are not.

A PC whose clock stands in 2010 must be able to connect and learn the time; our own CA makes
the dates of little worth against that.
"""

from __future__ import annotations

import ssl
from typing import Any

from agent.common.settings import Broker

#: OpenSSL's X509_V_FLAG_NO_CHECK_TIME; the ssl module has no name for it.
_NO_CHECK_TIME = 0x200000


def context(broker: Broker, *, check_dates: bool, ca_pem: str = "") -> ssl.SSLContext | None:
    """The TLS context for a broker, None without TLS.

    `ca_pem`: certificates instead of those in the file `broker.ca`, where one is set. Several
    are trusted alike: a city's next CA is given out before it signs.

    Raises:
        OSError, ssl.SSLError: a file named in the settings cannot be read or is no PEM.
    """
    if not broker.tls:
        return None
    own = ca_pem if broker.ca else ""
    if own:
        made = ssl.create_default_context(cadata=own)
    else:
        made = ssl.create_default_context(cafile=broker.ca or None)
    # Only with a CA of our own: the system's many CAs are worth nothing without dates.
    if broker.ca and not check_dates:
        made.verify_flags |= ssl.VerifyFlags(_NO_CHECK_TIME)
    if broker.certificate:
        made.load_cert_chain(broker.certificate, broker.key or None)
    return made


def expiry(socket: Any) -> float | None:
    """When the certificate of a connection's other end expires, s since 1970 UTC; None: no TLS."""
    if not isinstance(socket, ssl.SSLSocket):
        return None
    ends = (socket.getpeercert() or {}).get("notAfter")
    return ssl.cert_time_to_seconds(ends) if isinstance(ends, str) else None
