"""A CA of a test's own, which signs certificates for any name and any span of time."""

from __future__ import annotations

import datetime as dt
import ipaddress
from pathlib import Path
from typing import NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

Span = tuple[dt.datetime, dt.datetime]
VALID: Span = (dt.datetime(2020, 1, 1), dt.datetime(2099, 12, 31))
EXPIRED: Span = (dt.datetime(2009, 1, 1), dt.datetime(2011, 1, 1))
NOT_YET: Span = (dt.datetime(2090, 1, 1), dt.datetime(2099, 12, 31))


class Signed(NamedTuple):
    """A certificate and its key, as files."""

    certificate: Path
    key: Path


class Ca:
    """Its certificate is `pem`, in the file `path`."""

    def __init__(self, folder: Path, name: str = "test CA", span: Span = VALID) -> None:
        folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        self.folder = folder
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(self._name, self._name, self._key.public_key(), span)
        basic = x509.BasicConstraints(ca=True, path_length=0)
        made = builder.add_extension(basic, critical=True).sign(self._key, hashes.SHA256())
        self.pem = made.public_bytes(serialization.Encoding.PEM).decode()
        self.path = folder / "ca.pem"
        self.path.write_text(self.pem)

    def sign(self, name: str = "localhost", span: Span = VALID) -> Signed:
        """A server's certificate for `name`, a host name or an address."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        builder = _builder(subject, self._name, key.public_key(), span)
        names = x509.SubjectAlternativeName([_general(name)])
        made = builder.add_extension(names, critical=False).sign(self._key, hashes.SHA256())
        number = len(list(self.folder.glob("server-*.pem")))
        signed = Signed(self.folder / f"server-{number}.pem", self.folder / f"server-{number}.key")
        signed.certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        signed.key.write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
        return signed


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, span: Span
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(span[0])
        .not_valid_after(span[1])
    )


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)
