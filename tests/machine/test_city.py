"""docs/deploy typed on two machines that boot: from an empty Debian to a PC that reports; then what
happens to both. The tests of this file go on from one another."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

import booted
from booted import Machine, Town
from city_page import fence

ROOT = Path(__file__).parents[2]
SCHOOL = "9963020002"
#: What `setup` starts, and those of them that are bounded by us.
UNITS = ("mosquitto", "influxdb", "schoolpulse-collector", "schoolpulse-lineserver",
         "schoolpulse-enrol")  # fmt: skip
BOUNDED = tuple(unit for unit in UNITS if unit != "influxdb")
AGENT, WEB = "schoolpulse-agent", "schoolpulse-web"
pytestmark = pytest.mark.timeout(3000)


@pytest.fixture(scope="module")
def town() -> Iterator[Town]:
    # Not pytest's folder: it may lie in memory, and a gigabyte comes together.
    folder = Path(tempfile.mkdtemp(prefix="schoolpulse-machine-", dir="/var/tmp"))
    try:
        with booted.town(folder) as made:
            yield made
    finally:
        for log in folder.glob("*.log"):
            print(f"-- {log.name}\n{log.read_text(errors='replace')[-2000:]}")
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def city(town: Town) -> Machine:
    made = town.machine("city")
    source = made.root / "srv/schoolpulse.git"
    subprocess.run(["git", "clone", "--quiet", "--bare", ROOT, source], check=True)
    return made


@pytest.fixture(scope="module")
def pc(town: Town, city: Machine) -> Machine:
    made = town.machine("pc")
    with (made.root / "etc/hosts").open("a") as hosts:
        hosts.write(f"{city.address} broker.city\n")
    return made


def newest(said: str) -> list[str]:
    """The lines of a doctor that ask for something."""
    return [line for line in said.splitlines() if line.startswith("✗")]


def test_the_page_leads_from_an_empty_debian_to_a_city(city: Machine) -> None:
    began = time.monotonic()
    with city.shell() as shell:
        shell.type(fence("").replace("<this repository>", "/srv/schoolpulse.git"))
        shell.type(fence("1. Set up"))
        shell.type("schoolpulse roster sample --out register.xlsx")
        shell.type(fence("2. The register"))
        shell.type(fence("3. Enrol"))
        *commands, doctor = fence("4. Start").splitlines()
        shell.type("\n".join(commands))
        shell.type(doctor, fails=True)
        city.until("schoolpulse doctor --lang en | grep -q '✓ measurement server'")
        found = newest(shell.type("schoolpulse doctor", fails=True))
        ours = ("✗ calendar", "✗ disk")  # the sample's; that of whoever runs this
        assert [line for line in found if not line.startswith(ours)] == []
        shell.type(fence("5. On each PC"))
        print(f"{shell.commands} commands, {(time.monotonic() - began) / 60:.1f} minutes")


def test_a_pc_is_installed_and_reports(city: Machine, pc: Machine) -> None:
    (bundle,) = (city.root / "root/schoolpulse/dist").glob("*-offline.zip")
    for file in (bundle, city.root / f"var/lib/schoolpulse/bundles/schoolpulse-{SCHOOL}.zip"):
        shutil.copy(file, pc.root / "root")
    pc.run("apt-get update")
    with pc.shell() as shell:
        shell.type("export SCHOOLPULSE_LANG=en")
        said = shell.type(fence("5. On each PC", 1))
        assert "Failed" not in said
        assert [line for line in newest(said) if "machine id" not in line] == []
        for name in ("publishing", "measurement server reachable", "probe network"):
            assert f"✓ {name}" in said, said
        assert "nothing changed" in shell.type(fence("5. On each PC", 2))
        pc.until("schoolpulse-agent line --json | grep -q down_mbps")
        assert "meets it" in shell.type("schoolpulse-agent line")
        city.until(f"schoolpulse status --json | grep -q {SCHOOL}")
        city.until("schoolpulse status --lang en | grep -q 'reporting 1'")
        print(shell.type("schoolpulse-agent status"))


def test_the_pages_are_a_service(city: Machine) -> None:
    with city.shell() as shell:
        shell.type(fence("The figure"))
        shell.type(fence("The figure", 1))
    page = "http://127.0.0.1:8080"
    city.until(f"{fetched(page + '/healthz')} | grep -q ok")
    assert SCHOOL in city.run(fetched(f"{page}/schools/{SCHOOL}"))


def test_running_units_could_do_little(city: Machine, pc: Machine) -> None:
    for machine, units in ((city, (*BOUNDED, WEB)), (pc, (AGENT, f"{AGENT}-update"))):
        for unit in units:
            said = machine.run(f"systemd-analyze security --no-pager {unit} | tail -1")
            print(said.strip())
            exposed = re.search(r": ([\d.]+) ", said)
            assert exposed, said
            assert float(exposed[1]) <= 2.0, said


def test_what_others_reach_and_read(city: Machine) -> None:
    """The database listens to this machine alone; folders are nobody else's."""
    rows = [line.split()[3] for line in city.run("ss -Hltn").splitlines()]
    reached = {row.rpartition(":")[2] for row in rows if not row.startswith(("127.", "[::1]"))}
    assert reached == {"8883", "8095"}
    modes = "stat -c '%a %U %n' /var/lib/schoolpulse /var/lib/private/schoolpulse-lineserver"
    first, second = (line.split() for line in city.run(modes).splitlines())
    assert first[:2] == ["750", "schoolpulse"]
    assert second[0] == "700"
    roots = "find /var/lib/schoolpulse -user root ! -path '*/bundles*' ! -name release.key"
    assert city.run(roots) == ""


def test_killed_services_come_back(city: Machine, pc: Machine) -> None:
    for machine, units in ((city, UNITS), (pc, (AGENT,))):
        for unit in units:
            machine.run(f"systemctl kill --kill-whom=main --signal=KILL {unit}")
        for unit in units:
            machine.until(f"test $(systemctl show --value -p NRestarts {unit}) -gt 0")
            machine.until(f"systemctl is-active --quiet {unit}")
    city.until("schoolpulse doctor --lang en | grep -q '✓ broker: '")


def test_a_full_disk_is_named_and_ends_by_itself(city: Machine) -> None:
    data = "/var/lib/schoolpulse"
    ids = "uid=$(id -u schoolpulse),gid=$(id -g schoolpulse)"
    city.run("systemctl stop schoolpulse-collector schoolpulse-enrol")
    city.run(f"cp -a {data} /root/kept; mount -t tmpfs -o size=2000k,mode=0750,{ids} none {data}")
    city.run(f"cp -a /root/kept/. {data}; head -c 9M /dev/zero >{data}/full || true")
    city.run("systemctl start schoolpulse-collector schoolpulse-enrol")
    city.until("journalctl -u schoolpulse-collector | grep -q 'disk I/O error\\|is full'")
    said = city.run("schoolpulse doctor --lang en || true")
    assert f"free room on the disk of {data}" in said
    assert "import" not in "".join(newest(said))
    city.run(f"rm {data}/full")
    city.until("schoolpulse doctor --lang en | grep -q '✓ disk'")
    city.until("systemctl is-active --quiet schoolpulse-collector")
    city.run(f"systemctl stop schoolpulse-collector schoolpulse-enrol; umount {data}")
    city.run("systemctl start schoolpulse-collector schoolpulse-enrol")


def test_all_comes_back_after_a_reboot(city: Machine, pc: Machine) -> None:
    before = reports(city)
    for machine in (pc, city):
        machine.off()
    for machine in (city, pc):
        machine.on()
    for machine, units in ((city, (*UNITS, WEB)), (pc, (AGENT, f"{AGENT}-update.path"))):
        for unit in units:
            machine.until(f"systemctl is-active --quiet {unit}")
    pc.until("schoolpulse-agent outbox --lang en | grep -Eq 'unconfirmed +0 '")
    deadline = time.monotonic() + 400
    while reports(city) <= before:
        assert time.monotonic() < deadline
        time.sleep(5)
    assert city.run("systemctl --failed --no-legend") == ""
    assert pc.run("systemctl --failed --no-legend") == ""


def fetched(url: str) -> str:
    """The command that prints what an address serves."""
    ask = f"import urllib.request as u; print(u.urlopen('{url}').read().decode())"
    return f'python3 -c "{ask}"'


def reports(city: Machine) -> int:
    """How many reports the store holds."""
    url = "http://127.0.0.1:8086/query?db=telemetry&q=SELECT+COUNT(number)+FROM+agent"
    found = re.search(r'Z?",(\d+)\]', city.run(fetched(url)))
    return int(found[1]) if found else 0


def test_a_new_version_installs_itself(city: Machine, pc: Machine) -> None:
    """`release add` to `release stage`, and root's half of the update under systemd."""
    handed = "/var/lib/schoolpulse-lineserver/releases"
    with city.shell() as shell:
        shell.type(
            "cd schoolpulse && sed -i 's/^VERSION = .*/VERSION = \"90.0.0\"/' agent/version.py\n"
            "make bundle\n"
            "schoolpulse release add dist/schoolpulse-agent-90.0.0-offline.zip --version 90.0.0\n"
            f"schoolpulse release stage 90.0.0 --schools {SCHOOL}\n"
            f"install -d {handed}\ncp /var/lib/schoolpulse/releases/* {handed}\n"
        )
        pc.run("sed -i '/^.update.$/a delay_s = 2' /etc/schoolpulse/agent.toml")
        pc.run(f"systemctl restart {AGENT}")
        pc.until("test $(readlink /opt/schoolpulse) = /opt/schoolpulse-90.0.0")
        pc.until('grep -q \'"version":"90.0.0"}\' /var/lib/schoolpulse-update/result.json')
        assert pc.run("schoolpulse-agent --version").strip() == "schoolpulse-agent 90.0.0"
        assert pc.run("systemctl --failed --no-legend") == ""
        print(shell.type("schoolpulse release status"))


def test_an_image_begins_as_a_pc_of_its_own(pc: Machine) -> None:
    before = pc.run("schoolpulse-agent status --json")
    pc.run("truncate --size 0 /etc/machine-id && schoolpulse-agent prepare-image")
    assert pc.run(f"systemctl is-active {AGENT} || true").strip() == "inactive"
    pc.off()
    pc.on()
    pc.until("schoolpulse-agent status --json | grep -q last_receipt")
    after = pc.run("schoolpulse-agent status --json")
    machine = re.compile(r'"machine": ?"(\w+)"')
    found = [machine.search(text) for text in (before, after)]
    assert all(found)
    assert len({each[1] for each in found if each}) == 2


def test_uninstalled_nothing_stays(pc: Machine) -> None:
    page = (ROOT / "docs/deploy/linux.md").read_text("utf-8")
    (block,) = re.findall(r"```sh\n([^`]*uninstall[^`]*)```", page)
    with pc.shell() as shell:
        shell.type(block.replace("sudo ", ""))
    left = "find / -xdev -iname '*schoolpulse*' ! -path '/root/*' ! -path '/proc/*'"
    assert pc.run(f"{left} ! -path '/var/log/*' ! -path '/sys/*'") == ""
