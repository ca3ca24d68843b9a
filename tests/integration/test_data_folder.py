"""One data folder for root, the service's user and every command; nobody's files are in the way.

With real users: root becomes them. Elsewhere these tests are skipped, by name.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

import services
from collector.roster.book import RegisterBook
from collector.roster.register import Register, School
from collector.roster.rows import rows_of

pytestmark = pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs root, to become other users"
)
SCHOOL = "9900000001"
SERVICE, OTHER = 64_001, 64_002  # nobody has these accounts
#: Runs a command with another system folder: that of this machine is not ours to touch.
DRIVER = """
import sys
from pathlib import Path
import agent.config, collector.config
collector.config.SYSTEM_FOLDER = agent.config.SYSTEM_FOLDER = Path(sys.argv[1])
side, *words = sys.argv[2:]
if side == "agent":
    from agent import cli
else:
    from collector import cli
sys.argv[1:] = words
sys.exit(cli.main())
"""
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are for one user."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@pytest.fixture
def system(place: Path) -> Path:
    """What systemd makes for the service: its folder, nobody else's."""
    folder = place / "var"
    folder.mkdir()
    os.chown(folder, SERVICE, SERVICE)
    folder.chmod(0o750)
    return folder


@pytest.fixture
def run(place: Path) -> Run:
    """A command of the city as a user, each with a home."""

    def run(
        user: int, system: Path, *words: str, side: str = "city"
    ) -> subprocess.CompletedProcess[str]:
        home = place / f"home{user}"
        home.mkdir(exist_ok=True)
        os.chown(home, user, user)
        as_user = ["setpriv", "--reuid", str(user), "--regid", str(user), "--clear-groups"]
        return subprocess.run(
            [*(as_user if user else []), sys.executable, "-c", DRIVER, str(system), side, *words],
            capture_output=True, text=True, timeout=120, check=False, cwd=place,
            env={**os.environ, "HOME": str(home), "SCHOOLPULSE_LANG": "en"},
        )  # fmt: skip

    return run


def sheets(folder: Path) -> RegisterBook:
    """A register to compare with."""
    register = Register({SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")})
    book = RegisterBook(folder / "register.db")
    book.import_rows(rows_of(register), who="test")
    return book


@pytest.fixture
def simulated(place: Path) -> Path:
    """Settings without `data`, as most cities have them."""
    file = place / "collector.toml"
    file.write_text(f"[mqtt]\nport = {services.free_port()}\n")
    file.chmod(0o644)
    return file


def owners(folder: Path) -> dict[str, int]:
    return {str(at.relative_to(folder)): at.stat().st_uid for at in folder.rglob("*")}


def test_root_and_the_service_import_into_the_same_register(
    run: Run, system: Path, simulated: Path, place: Path
) -> None:
    words = ("simulate", "--schools", "2", "--days", "2", "--config", str(simulated))
    assert run(SERVICE, system, *words).returncode == 0
    history = ("roster", "history", "--config", str(simulated))
    said = [run(user, system, *history).stdout for user in (0, SERVICE)]
    assert said[0] == said[1]
    assert len(said[0].splitlines()) > 1
    for user in (0, SERVICE):
        assert list((place / f"home{user}").rglob("register.db")) == []


def test_what_root_makes_belongs_to_the_service(run: Run, system: Path, simulated: Path) -> None:
    """doctor, imports and simulations as root; then the service writes them all."""
    words = ("simulate", "--schools", "2", "--days", "2", "--config", str(simulated))
    done = run(0, system, *words)
    assert done.returncode == 0, done.stderr
    done = run(0, system, "doctor", "--config", str(simulated))
    assert "Traceback" not in done.stderr, done.stderr
    found = owners(system)
    assert {"register.db", "schoolpulse.db", "quarantine.db"} <= set(found)
    assert set(found.values()) == {SERVICE}, found
    done = run(SERVICE, system, "doctor", "--config", str(simulated))
    for name in ("data folder", "store", "register", "quarantine"):
        assert f"✓ {name}" in done.stdout, done.stdout


def test_another_user_is_told_whose_folder_it_is(run: Run, system: Path, simulated: Path) -> None:
    for words in (("roster", "history"), ("status",), ("figure", "--year", "2025")):
        done = run(OTHER, system, *words, "--config", str(simulated))
        assert done.returncode == 2, done.stdout + done.stderr
        assert str(system) in done.stderr
        assert f"user #{OTHER}" in done.stderr
        assert f"sudo -u #{SERVICE}" in done.stderr
    done = run(OTHER, system, "doctor", "--config", str(simulated))
    assert done.returncode == 1
    assert f"sudo -u #{SERVICE}" in done.stdout
    assert not owners(system)


def test_a_user_of_a_machine_without_the_service_has_an_own_folder(
    run: Run, place: Path, simulated: Path
) -> None:
    words = ("simulate", "--schools", "2", "--days", "2", "--config", str(simulated))
    done = run(OTHER, place / "none", *words)
    assert done.returncode == 0, done.stderr
    assert (place / f"home{OTHER}/.local/share/schoolpulse/register.db").exists()
    assert not (place / "none").exists()


def test_where_both_hold_a_register_commands_say_which(
    run: Run, system: Path, place: Path, simulated: Path
) -> None:
    own = place / f"home{SERVICE}/.local/share/schoolpulse"
    own.mkdir(parents=True)
    sheets(own)
    sheets(system)
    done = run(SERVICE, system, "roster", "history", "--config", str(simulated))
    assert done.returncode == 0, done.stderr
    assert f"using {system}, not {own}" in done.stderr


def test_the_agents_folder_by_the_same_rule(run: Run, system: Path, place: Path) -> None:
    file = place / "agent.toml"
    file.write_text(f'school = "{SCHOOL}"\n')
    file.chmod(0o644)
    done = run(OTHER, system, "status", "--config", str(file), side="agent")
    assert done.returncode == 2
    assert f"sudo -u #{SERVICE}" in done.stderr
    done = run(SERVICE, system, "status", "--config", str(file), side="agent")
    assert str(system) in done.stderr


def test_a_link_in_the_folder_gives_nothing_else_away(place: Path, system: Path, run: Run) -> None:
    """Whoever owns the folder may put links in it: root must not hand over what they point to."""
    secret = place / "secret"
    secret.write_text("root's")
    (system / "held.db").symlink_to(secret)
    os.link(secret, system / "quarantine.db")
    file = place / "collector.toml"
    file.write_text(f"[mqtt]\nport = {services.free_port()}\n")
    run(0, system, "doctor", "--config", str(file))
    assert secret.stat().st_uid == 0
    assert secret.read_text() == "root's"
