"""Installers take files of listed hashes only; what stands for them is fixed to the patch."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import setuptools
import yaml

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
LISTS = ["agent", "collector", "windows"]
_PIN = re.compile(r"([\w.-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})+)\n")


def name_of(text: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\[>=<~! ]", text)[0]).lower()


def pins(name: str) -> dict[str, str]:
    """Versions by library; every line of the list is one of these or a comment."""
    text = (ROOT / f"requirements/{name}.txt").read_text("utf-8")
    assert re.sub(r"^#.*\n", "", _PIN.sub("", text), flags=re.MULTILINE) == ""
    return {name_of(found[1]): found[2] for found in _PIN.finditer(text)}


def constraints() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text("utf-8").splitlines()
    rows = (line.split("==") for line in lines if line and not line.startswith("#"))
    return {name_of(name): version for name, version in rows}


@pytest.mark.parametrize("name", LISTS)
def test_lists_hold_the_tested_versions_and_no_address(name: str) -> None:
    tested = constraints()
    for library, version in pins(name).items():
        assert tested.get(library, version) == version, library
    assert "://" not in (ROOT / f"requirements/{name}.txt").read_text("utf-8")


def test_lists_hold_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    agent = {name_of(one) for one in project["dependencies"]}
    city = {name_of(one) for one in project["optional-dependencies"]["collector"]}
    assert set(pins("agent")) == agent
    assert agent <= set(pins("windows"))
    assert agent | city | {"setuptools"} <= set(pins("collector"))


def test_a_file_of_another_hash_is_refused(tmp_path: Path) -> None:
    (tmp_path / "speedtest_cli-2.1.3-py2.py3-none-any.whl").write_bytes(b"PK\x05\x06" + bytes(18))
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", "--no-index", "--find-links", str(tmp_path),
         "--no-deps", "--require-hashes", "--target", str(tmp_path / "out"),
         "-r", str(_only("speedtest-cli", tmp_path))],
        capture_output=True, text=True, timeout=120, check=False,
        env={key: value for key, value in os.environ.items() if not key.startswith("PIP_")},
    )  # fmt: skip
    assert done.returncode != 0
    assert "DO NOT MATCH THE HASHES" in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def _only(library: str, folder: Path) -> Path:
    text = (ROOT / "requirements/agent.txt").read_text("utf-8")
    (found,) = [one[0] for one in _PIN.finditer(text) if name_of(one[1]) == library]
    path = folder / "one.txt"
    path.write_text(found)
    return path


@pytest.mark.parametrize(
    ("file", "name"),
    [
        ("Dockerfile", "collector"),
        ("offline/bundle.sh", "agent"),
        ("windows/prepare.sh", "windows"),
    ],
)
def test_installers_use_the_lists(file: str, name: str) -> None:
    text = (DEPLOY / file).read_text("utf-8")
    assert "--require-hashes" in text
    assert f"requirements/{name}.txt" in text
    assert "constraints.txt" not in text


def test_base_images_are_named_to_the_patch() -> None:
    services = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))["services"].values()
    images = [one["image"] for one in services if one["image"] != "schoolpulse"]
    images += re.findall(r"^FROM (\S+)", (DEPLOY / "Dockerfile").read_text("utf-8"), re.MULTILINE)
    assert len(images) >= 4
    for image in images:
        assert re.search(r":\d+\.\d+\.\d+|@sha256:", image), image


def _stub(folder: Path, name: str, body: str = "") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_another_interpreter_for_windows_is_not_unpacked(tmp_path: Path) -> None:
    tools, folder = tmp_path / "tools", tmp_path / "made"
    tools.mkdir()
    for name in ("wine", "makensis", "x86_64-w64-mingw32-gcc"):
        _stub(tools, name)
    out = 'for w in "$@"; do case $w in -DoutputDirectory=*) d=${w#*=} ;; esac; done\n'
    _stub(tools, "mvn", f'{out}echo other >"$d/cpython-3.11.3-1.5.9-windows-x86_64.jar"')
    _stub(tools, "unzip", f'touch "{tmp_path}/unpacked"')
    environ = os.environ | {"PATH": f"{tools}:{os.environ['PATH']}"}
    argv = ["sh", str(DEPLOY / "windows/prepare.sh"), str(folder)]
    done = subprocess.run(
        argv, capture_output=True, text=True, env=environ, timeout=60, check=False
    )
    assert done.returncode == 1, done.stderr
    assert "not the one that was checked" in done.stderr
    assert not (tmp_path / "unpacked").exists()
    assert list(folder.glob("*.jar")) == []


def _sign(file: Path, **environ: str) -> subprocess.CompletedProcess[str]:
    argv = ["sh", str(DEPLOY / "windows/sign.sh"), str(file)]
    return subprocess.run(
        argv, capture_output=True, text=True, env=os.environ | environ, timeout=60, check=False
    )


def _program(folder: Path) -> Path:
    """Some program for Windows: setuptools carries one."""
    return Path(shutil.copy(Path(setuptools.__file__).parent / "cli-64.exe", folder / "a.exe"))


def test_without_a_certificate_nothing_is_signed(tmp_path: Path) -> None:
    file = _program(tmp_path)
    before = file.read_bytes()
    assert _sign(file).returncode == 0
    assert file.read_bytes() == before


@pytest.mark.skipif(shutil.which("osslsigncode") is None, reason="osslsigncode is missing")
def test_a_certificate_signs(tmp_path: Path) -> None:
    file, before = _program(tmp_path), _program(tmp_path).stat().st_size
    (tmp_path / "password").write_text("drawn\n")
    (tmp_path / "a.p12").write_bytes(_certificate(b"drawn"))
    given = {
        "SCHOOLPULSE_SIGN_PKCS12": str(tmp_path / "a.p12"),
        "SCHOOLPULSE_SIGN_PASSWORD_FILE": str(tmp_path / "password"),
    }
    done = _sign(file, **given)
    assert done.returncode == 0, done.stderr
    assert file.stat().st_size > before
    told = subprocess.run(["osslsigncode", "verify", "-in", str(file)],
                          capture_output=True, text=True, timeout=60, check=False)  # fmt: skip
    assert "Message digest algorithm  : SHA256" in told.stdout, told.stdout
    (tmp_path / "password").write_text("wrong\n")
    assert _sign(_program(tmp_path), **given).returncode != 0


def _certificate(password: bytes) -> bytes:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import rsa
    from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, pkcs12
    from cryptography.x509.oid import NameOID

    key = rsa.generate_private_key(65537, 2048)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=9))
        .add_extension(
            x509.ExtendedKeyUsage([x509.oid.ExtendedKeyUsageOID.CODE_SIGNING]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    return pkcs12.serialize_key_and_certificates(
        b"test", key, made, None, BestAvailableEncryption(password)
    )
