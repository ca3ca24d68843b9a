"""Keys and certificates: ECDSA on P-256, a CA of the city's own that signs the broker's alone.

What is made here is PEM text; who may read the files is `collector.enrol.owned`'s to say.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
from collections.abc import Iterable, Sequence
from pathlib import Path

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from cryptography.x509 import Certificate
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from agent.common.language import say

#: The agents do not check dates, as a PC may stand in 2010; collectors and browsers do.
_CA_DAYS, _SERVER_DAYS = 20 * 365, 5 * 365
#: The city's clock may be a little ahead of the others'.
_AGO = dt.timedelta(days=1)
_ORGANISATION = "SchoolPulse"
_LONGEST_COMMON_NAME = 64


class PkiError(ValueError):
    """A file is no key or certificate of ours; the message names it and the fix."""


def new_key() -> bytes:
    """A key, as PEM."""
    made = ec.generate_private_key(ec.SECP256R1())
    return made.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def new_ca(key: bytes, now: dt.datetime) -> bytes:
    """A self-signed CA of the key, as PEM. The date in its name tells the next one apart."""
    private = _key(key)
    name = _name(f"{_ORGANISATION} CA {now:%Y-%m-%d %H:%M:%S}")
    made = _builder(name, name, private.public_key(), now, _CA_DAYS)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    usage = _usage(sign=False, certificates=True)
    made = made.add_extension(usage, critical=True)
    made = _identified(made, private.public_key(), private.public_key())
    return made.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM)


def new_server(
    ca: bytes, ca_key: bytes, key: bytes, names: Sequence[str], now: dt.datetime
) -> bytes:
    """The broker's certificate for `names` (host names and addresses, the first one the main one).

    Raises:
        PkiError: the CA's key is another's, or a name cannot stand in a certificate.
    """
    authority, private, subject = first(ca), _key(ca_key), _key(key).public_key()
    if not matches(ca, ca_key):
        raise PkiError(say("CA 的密钥与 ca.pem 不是一对", "the CA's key does not belong to ca.pem"))
    made = _builder(_name(names[0]), authority.subject, subject, now, _SERVER_DAYS)
    alternative = x509.SubjectAlternativeName([_general(name) for name in names])
    made = made.add_extension(alternative, critical=False)
    made = made.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    made = made.add_extension(_usage(sign=True, certificates=False), critical=True)
    purpose = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    made = made.add_extension(purpose, critical=False)
    made = _identified(made, subject, private.public_key())
    return made.sign(private, hashes.SHA256()).public_bytes(Encoding.PEM)


def first(pem: bytes) -> Certificate:
    """The first certificate of a PEM text.

    Raises:
        PkiError: there is none.
    """
    return certificates(pem)[0]


def certificates(pem: bytes) -> list[Certificate]:
    """All certificates of a PEM text, one at least.

    Raises:
        PkiError: it is no PEM, or holds no certificate.
    """
    try:
        return x509.load_pem_x509_certificates(pem)
    except ValueError as error:
        raise PkiError(say("不是 PEM 证书", "not a certificate in PEM")) from error


def text(found: Iterable[Certificate]) -> bytes:
    """Certificates as one PEM text."""
    return b"".join(one.public_bytes(Encoding.PEM) for one in found)


def names(certificate: Certificate) -> list[str]:
    """The names that a certificate is for, the main one first."""
    try:
        kind = x509.SubjectAlternativeName
        found = certificate.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return []
    hosts = found.get_values_for_type(x509.DNSName)
    addresses = [str(one) for one in found.get_values_for_type(x509.IPAddress)]
    main = common_name(certificate)
    return sorted([*hosts, *addresses], key=lambda name: name != main)


def common_name(certificate: Certificate) -> str:
    """The main name; empty where it has none."""
    found = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(found[0].value) if found else ""


def signed_by(certificate: Certificate, authority: Certificate) -> bool:
    """Whether the CA signed the certificate; dates are not looked at."""
    try:
        certificate.verify_directly_issued_by(authority)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def matches(certificate: bytes, key: bytes) -> bool:
    """Whether certificate and key are a pair.

    Raises:
        PkiError: one of them is none.
    """
    held = (
        first(certificate)
        .public_key()
        .public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    )
    own = _key(key).public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return held == own


def days_left(certificate: Certificate, now: dt.datetime) -> int:
    """Whole days until it ends; negative once it has."""
    return (certificate.not_valid_after_utc - now).days


def host_problem(name: str) -> str:
    """Why a name cannot stand in the certificate; empty where it can."""
    try:
        ipaddress.ip_address(name)
    except ValueError:
        pass
    else:
        return ""
    parts = name.split(".")
    fine = all(
        0 < len(part) <= 63 and part.isascii() and part.replace("-", "").isalnum()
        and not part.startswith("-") and not part.endswith("-")
        for part in parts
    )  # fmt: skip
    if fine and len(name) <= _LONGEST_COMMON_NAME and not name.replace(".", "").isdigit():
        return ""
    return say(
        f"{name!r} 不是主机名或 IP 地址（字母、数字、- 和 .，最长 64 个字符）",
        f"{name!r} is neither a host name nor an IP address (letters, digits, - and ., at most 64)",
    )


def read(path: Path) -> bytes:
    """A file of this package's.

    Raises:
        PkiError: it cannot be read; the message names it.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        problem = say("读不到", "cannot be read")
        raise PkiError(f"{path}: {problem}: {error.strerror}") from error


def _key(pem: bytes) -> ec.EllipticCurvePrivateKey:
    try:
        found = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as error:
        raise PkiError(say("不是 PEM 私钥", "not a private key in PEM")) from error
    if not isinstance(found, ec.EllipticCurvePrivateKey):
        raise PkiError(say("不是 ECDSA 私钥", "not an ECDSA key"))
    return found


def _name(common: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, _ORGANISATION),
            x509.NameAttribute(NameOID.COMMON_NAME, common),
        ]
    )


def _general(name: str) -> x509.GeneralName:
    problem = host_problem(name)
    if problem:
        raise PkiError(problem)
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _builder(
    subject: x509.Name,
    issuer: x509.Name,
    key: ec.EllipticCurvePublicKey,
    now: dt.datetime,
    days: int,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - _AGO)
        .not_valid_after(now + dt.timedelta(days=days))
    )


def _usage(*, sign: bool, certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=sign, key_cert_sign=certificates, crl_sign=certificates,
        content_commitment=False, key_encipherment=False, data_encipherment=False,
        key_agreement=False, encipher_only=False, decipher_only=False,
    )  # fmt: skip


def _identified(
    made: x509.CertificateBuilder,
    own: ec.EllipticCurvePublicKey,
    issuer: ec.EllipticCurvePublicKey,
) -> x509.CertificateBuilder:
    """With the ids that strict verifiers ask for."""
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer)
    made = made.add_extension(x509.SubjectKeyIdentifier.from_public_key(own), critical=False)
    return made.add_extension(identifier, critical=False)
