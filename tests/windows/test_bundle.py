"""setup.exe with a school's bundle under Wine: silent, its exit codes, and the rights read back.

Wine keeps of a DACL who the owner is and whether everybody may: that the service's own account is
granted its part is seen in what we ask Windows for (tests/agent/windows), not here. Wine also runs
every service as its one user, whatever account the service manager was told.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import bundles
import wine
from agent.common import secret_files
from wine import Wine

SETUP = "C:\\desk\\setup.exe"
DATA = "C:\\ProgramData\\SchoolPulse"
_RIGHTS = """
import json
from pathlib import Path
from agent.service.windows import NAME
from agent.windows import advapi, rights, sddl
folder = Path("C:/ProgramData/SchoolPulse")
found = {one.name: sddl.others(rights.read(one), sddl.READ) for one in [folder, *folder.iterdir()]}
with advapi.manager() as (api, handle):
    service = api.OpenServiceW(handle, NAME, 0xF01FF)
    print(json.dumps([found, *advapi.configured(api, service)]))
    api.CloseServiceHandle(service)
"""


@pytest.fixture(scope="module")
def made(city: Any, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """A bundle for the city's broker."""
    text = bundles.settings(more="report_s = 5", port=city.tls_port)
    ca = (city.folder / "tls/ca.pem").read_bytes()
    made = bundles.files(tmp_path_factory.mktemp("ca"))
    return {**made, "agent.toml": text.encode(), "ca.pem": ca}


def data(windows: Wine) -> Path:
    return windows.drive / "ProgramData/SchoolPulse"


def uninstall(windows: Wine) -> None:
    program = windows.drive / "Program Files/SchoolPulse"
    windows.install(program / "uninstall.exe", "/S")
    wine.until(lambda: not program.exists(), 60, "the program gone")


def test_a_bundle_is_installed_silently_for_the_service_alone(
    windows: Wine, city: Any, tree: None, desk: Path, made: dict[str, bytes]
) -> None:
    bundles.write(desk / f"schoolpulse-{bundles.SCHOOL}.zip", made)
    before = city.boots()
    word = f"/BUNDLE=C:\\desk\\schoolpulse-{bundles.SCHOOL}.zip"
    assert windows.install(SETUP, "/S", word, "/ROOM=101") == 0
    assert windows.service() == "RUNNING"
    wine.until(lambda: city.boots() - before, 90, "its report")
    log = (data(windows) / "install.log").read_text("utf-8")
    assert bundles.SCHOOL in log
    assert "NT SERVICE\\SchoolPulseAgent" in log  # doctor's
    assert "Traceback" not in log
    assert 'room = "101"' in (data(windows) / "agent.toml").read_text("utf-8")

    readers, command, account = json.loads(windows.python(_RIGHTS))
    assert {*secret_files.agent_files(), "SchoolPulse"} <= set(readers)
    ours = {name: readers[name] for name in (*secret_files.agent_files(), "SchoolPulse")}
    assert {name: who for name, who in ours.items() if who} == {}
    assert account == "NT SERVICE\\SchoolPulseAgent"
    assert command.endswith("service")

    installed = windows.drive / "Program Files/SchoolPulse/schoolpulse-agent.exe"
    again = windows.run(installed, "install", f"C:\\desk\\schoolpulse-{bundles.SCHOOL}.zip")
    assert again.returncode == 0, again.stderr
    assert "没有改动" in again.stdout

    installed.parent.chmod(0o777)  # for Wine: everybody may change it
    open_ = windows.run(installed, "install", f"C:\\desk\\schoolpulse-{bundles.SCHOOL}.zip")
    installed.parent.chmod(0o755)
    assert open_.returncode == 2, open_.stdout
    assert "Program Files" in open_.stderr

    other = bundles.settings("9963020002").encode()
    bundles.write(desk / "other.zip", {**made, "agent.toml": other})
    assert windows.install(SETUP, "/S", "/BUNDLE=C:\\desk\\other.zip") == 1
    assert "--replace" in (data(windows) / "install.log").read_text("utf-8")
    uninstall(windows)
    assert not data(windows).exists()


def test_exit_codes_without_a_bundle_or_with_a_bad_one(
    windows: Wine, desk: Path, made: dict[str, bytes]
) -> None:
    program = windows.drive / "Program Files/SchoolPulse"
    assert windows.install(SETUP, "/S", "/BUNDLE=C:\\desk\\none.zip") == 3
    assert not program.exists()
    bundles.write(desk / "schoolpulse-9963020001.zip", made)
    bundles.write(desk / "schoolpulse-9963020002.zip", made)
    assert windows.install(SETUP, "/S") == 3
    assert not program.exists()
    (desk / "schoolpulse-9963020001.zip").unlink()
    assert windows.install(SETUP, "/S") == 1  # its name is another school's
    assert "9963020002" in (data(windows) / "install.log").read_text("utf-8")
    assert windows.service() == ""
    uninstall(windows)
