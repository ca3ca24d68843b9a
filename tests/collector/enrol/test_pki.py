"""Keys and certificates, held against OpenSSL by real handshakes."""

from __future__ import annotations

import contextlib
import datetime as dt
import ssl
from pathlib import Path
from typing import NamedTuple

import pytest

from agent.common import tls
from agent.common.settings import Broker
from collector.enrol import pki

NOW = dt.datetime(2026, 9, 1, tzinfo=dt.UTC)
NAMES = ("broker.city", "mosquitto", "10.1.2.3", "fd00::1")


class Made(NamedTuple):
    ca: bytes
    ca_key: bytes
    server: bytes
    key: bytes


@pytest.fixture(scope="module")
def made() -> Made:
    ca_key, key = pki.new_key(), pki.new_key()
    ca = pki.new_ca(ca_key, NOW)
    return Made(ca, ca_key, pki.new_server(ca, ca_key, key, NAMES, NOW), key)


def shake(made: Made, folder: Path, client: ssl.SSLContext, name: str) -> None:
    """A handshake in memory. Raises ssl.SSLError where the client refuses."""
    pem = folder / "server.both"
    pem.write_bytes(made.server + made.key)
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(pem)
    there, here = (ssl.MemoryBIO(), ssl.MemoryBIO()), (ssl.MemoryBIO(), ssl.MemoryBIO())
    ours = client.wrap_bio(there[0], here[0], server_hostname=name)
    theirs = served.wrap_bio(here[1], there[1], server_side=True)
    for _ in range(4):
        for end, out, into in ((ours, here[0], here[1]), (theirs, there[1], there[0])):
            with contextlib.suppress(ssl.SSLWantReadError):
                end.do_handshake()
            into.write(out.read())


def context(made: Made, folder: Path) -> ssl.SSLContext:
    (folder / "ca.pem").write_bytes(made.ca)
    found = tls.context(Broker(tls=True, ca=str(folder / "ca.pem")), check_dates=False)
    assert found is not None
    return found


@pytest.mark.parametrize("name", NAMES)
def test_an_agent_accepts_the_broker_by_each_of_its_names(
    made: Made, name: str, tmp_path: Path
) -> None:
    client = context(made, tmp_path)
    client.verify_flags |= ssl.VerifyFlags.VERIFY_X509_STRICT  # the default of later Pythons
    shake(made, tmp_path, client, name)


def test_another_name_and_another_ca_are_refused(made: Made, tmp_path: Path) -> None:
    with pytest.raises(ssl.SSLCertVerificationError, match=r"doesn't match|not valid for"):
        shake(made, tmp_path, context(made, tmp_path), "other.city")
    stranger = made._replace(ca=pki.new_ca(pki.new_key(), NOW))
    with pytest.raises(ssl.SSLCertVerificationError):
        shake(made, tmp_path, context(stranger, tmp_path), NAMES[0])


def test_the_server_s_certificate_signs_nothing_itself(made: Made) -> None:
    """Whoever takes the broker's key can be the broker, and make nobody else one."""
    forged = pki.new_server(made.ca, made.ca_key, made.key, ["x"], NOW)
    assert not pki.signed_by(pki.first(made.server), pki.first(forged))
    with pytest.raises(pki.PkiError, match="不是一对"):
        pki.new_server(made.server, made.ca_key, pki.new_key(), ["x"], NOW)


def test_names_keys_and_dates_are_read_back(made: Made) -> None:
    server = pki.first(made.server)
    assert set(pki.names(server)) == set(NAMES)
    assert pki.names(server)[0] == pki.common_name(server) == NAMES[0]
    assert pki.matches(made.server, made.key)
    assert not pki.matches(made.ca, made.key)
    assert pki.days_left(server, NOW) == 5 * 365
    assert pki.days_left(server, NOW + dt.timedelta(days=5 * 365 + 2)) < 0


@pytest.mark.parametrize(
    "name", ["", "a b", "-x.city", "*.city", "学校.cn", "http://x", "1.2.3", "256.1.1.1", "x" * 64]
)
def test_what_is_no_name_is_refused(name: str, made: Made) -> None:
    assert pki.host_problem(name)
    with pytest.raises(pki.PkiError):
        pki.new_server(made.ca, made.ca_key, made.key, ["fine", name], NOW)


@pytest.mark.parametrize("damaged", [b"", b"-----BEGIN", b"\xff\xfe", b"x" * 1000])
def test_damaged_files_are_named_as_such(damaged: bytes, made: Made) -> None:
    with pytest.raises(pki.PkiError):
        pki.first(damaged)
    with pytest.raises(pki.PkiError):
        pki.matches(made.ca, damaged)
