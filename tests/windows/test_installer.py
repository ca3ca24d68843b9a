"""The installer and the service under Wine's own service manager.

Wine takes everybody for an administrator: that somebody has no right to is tried nowhere.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import wine
from wine import Wine

SETUP = "C:\\desk\\setup.exe"
DATA = "C:\\ProgramData\\SchoolPulse"


def program(windows: Wine) -> Path:
    return windows.drive / "Program Files/SchoolPulse/schoolpulse-agent.exe"


def data(windows: Wine) -> Path:
    return windows.drive / "ProgramData/SchoolPulse"


def uninstall(windows: Wine, *words: str) -> None:
    """It copies itself to where it may delete itself, and the copy outlives the first process."""
    windows.install(program(windows).with_name("uninstall.exe"), "/S", *words)
    wine.until(lambda: not program(windows).parent.exists(), 60, "the program gone")


def test_it_installs_a_service_and_leaves_no_trace(
    windows: Wine, city: Any, tree: None, desk: Path
) -> None:
    (desk / "agent.toml").write_text(city.settings)
    before, stored = windows.files(), city.agents()
    assert windows.install(SETUP, "/S") == 0
    assert windows.service() == "RUNNING"
    wine.until(lambda: city.agents() > stored, 90, "its report")
    log = (data(windows) / "agent.log").read_text("utf-8")
    assert " start " in log
    assert "ERROR" not in log
    assert "Traceback" not in log

    # Again over itself, as an update does.
    assert windows.install(SETUP, "/S") == 0
    assert windows.service() == "RUNNING"

    uninstall(windows)
    assert windows.service() == ""
    assert windows.files() == before
    left = windows.run("reg", "query", "HKLM\\Software", "/s", "/f", "SchoolPulse")
    assert "SchoolPulse" not in left.stdout.replace("/f SchoolPulse", "")
    assert not windows.processes("schoolpulse-agent.exe")


def test_uninstalled_with_keep_it_goes_on_where_it_was(
    windows: Wine, city: Any, tree: None, desk: Path
) -> None:
    (desk / "agent.toml").write_text(city.settings.replace("port = ", "port = 1 #"))
    assert windows.install(SETUP, "/S") == 0
    wine.until(lambda: windows.waiting(f"{DATA}\\agent.toml") >= 1, 90, "a report that waits")
    uninstall(windows, "/KEEP")
    assert windows.service() == ""
    assert windows.waiting(f"{DATA}\\agent.toml") >= 1
    before = city.boots()
    (desk / "agent.toml").write_text(city.settings)
    assert windows.install(SETUP, "/S") == 0
    wine.until(lambda: len(city.boots() - before) == 2, 90, "the reports of both boots")
    uninstall(windows)
    assert not data(windows).exists()


def test_the_image_of_an_installed_pc(windows: Wine, city: Any, tree: None, desk: Path) -> None:
    """The service stops, and starts with the clone; the settings stay."""
    (desk / "agent.toml").write_text(city.settings)
    before = city.boots()
    assert windows.install(SETUP, "/S") == 0
    wine.until(lambda: city.boots() - before, 90, "its report")
    wine.until(lambda: windows.waiting(f"{DATA}\\agent.toml") == 0, 90, "all receipted")
    done = windows.run(wine.FROZEN, "prepare-image")
    assert done.returncode == 0, done.stderr
    assert windows.service() == "STOPPED"
    left = {file.name for file in data(windows).iterdir()}
    assert left == {"agent.toml", "agent.lock"}
    before = city.boots()
    assert windows.run("sc", "start", "SchoolPulseAgent").returncode == 0
    wine.until(lambda: city.boots() - before, 90, "the report of a new boot")
    uninstall(windows)


def test_settings_that_are_wrong_are_told_by_the_installer(windows: Wine, desk: Path) -> None:
    (desk / "agent.toml").write_text('school = "12"\n')
    assert windows.install(SETUP, "/S") == 1
    assert program(windows).exists()
    assert windows.service() == ""
    assert "不是 10 位数字" in (data(windows) / "install.log").read_text("utf-8")
    uninstall(windows)


def test_settings_broken_later_are_told_in_the_log(
    windows: Wine, city: Any, tree: None, desk: Path
) -> None:
    """Saved by Notepad in GBK, say: the service answers its manager, and says why it ends."""
    (desk / "agent.toml").write_text(city.settings)
    before = city.boots()
    assert windows.install(SETUP, "/S") == 0
    wine.until(lambda: city.boots() - before, 90, "its report")
    assert windows.run("sc", "stop", "SchoolPulseAgent").returncode == 0
    wine.until(lambda: windows.service() == "STOPPED", 60, "the service stopped")
    (data(windows) / "agent.toml").write_bytes('room = "六年级一班"\n'.encode("gbk"))
    windows.run("sc", "start", "SchoolPulseAgent")
    log = data(windows) / "agent.log"
    wine.until(lambda: " refused " in log.read_text("utf-8"), 60, "why")
    assert "agent.toml" in log.read_text("utf-8").split(" refused ")[1]
    uninstall(windows)
    assert not data(windows).exists()


def test_a_program_that_is_broken_can_be_removed_and_is_told(
    windows: Wine, city: Any, desk: Path
) -> None:
    """As a virus scanner leaves it: the uninstaller has to do without it."""
    (desk / "agent.toml").write_text(city.settings)
    assert windows.install(SETUP, "/S") == 0
    program(windows).unlink()
    program(windows).write_text("no program")
    uninstall(windows)
    wine.until(lambda: windows.service() == "", 60, "the service gone")
    wine.until(lambda: not data(windows).exists(), 60, "the data gone")
    wine.until(lambda: not windows.processes("schoolpulse-agent.exe"), 60, "the agent gone")


def test_a_service_that_ends_again_is_told(windows: Wine, city: Any, desk: Path) -> None:
    """Another agent holds its data folder."""
    city.put_settings(windows, "held")
    run = windows.start(wine.FROZEN, "run", "--config", "C:\\held.toml")
    wine.until(lambda: windows.waiting("C:\\held.toml") >= 0, 60)
    wine.until((windows.drive / "held/agent.lock").exists, 60, "an agent")
    try:
        done = windows.run(wine.FROZEN, "install", "--config", "C:\\held.toml")
        assert done.returncode == 0, done.stderr
        assert "启动后又退出了" in done.stdout
        log = (windows.drive / "held/agent.log").read_text("utf-8")
        assert "已有一个代理在运行" in log
        refused = windows.run(wine.FROZEN, "uninstall", "--purge")
        assert (refused.returncode, "已有一个代理在运行" in refused.stderr) == (2, True)
    finally:
        windows.kill("schoolpulse-agent.exe")
        run.wait(30)
    assert windows.run(wine.FROZEN, "uninstall", "--purge").returncode == 0
    assert windows.service() == ""
    assert not data(windows).exists()
    assert not (windows.drive / "held").exists()


def test_a_start_that_is_late_is_a_warning(impatient: Wine, city: Any) -> None:
    """A real error 1053: the manager gives up on it; it is there, and starts with the PC."""
    settings = city.put_settings(impatient, "late")
    log = impatient.drive / "log.txt"
    words = ["install", "--config", settings, "--log", "C:\\log.txt"]
    done = impatient.run(wine.FROZEN, *words)
    assert done.returncode == 0, done.stderr
    assert "(1053)" in done.stdout
    assert "sc start SchoolPulseAgent" in done.stdout
    assert log.read_text("utf-8").split() == done.stdout.split()
    assert impatient.service() == "STOPPED"
    assert impatient.run(wine.FROZEN, "uninstall", "--purge").returncode == 0
    assert impatient.service() == ""


def test_what_windows_starts_is_not_for_people(windows: Wine, city: Any) -> None:
    done = windows.run(wine.FROZEN, "service", "--config", city.put_settings(windows, "hand"))
    assert done.returncode == 2
    assert "run" in done.stderr
    assert "(1063)" in done.stderr
