"""The machine id: the same at every boot and for every user, another one for every clone."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from agent.identity import HARDWARE_FILE, identify, identity, inventory, write_hardware
from agent.identity.identity import iso_date, usable

UUID = "4c4c4544-0042-3510-8053-b7c04f4e3332"


@pytest.fixture
def machine(tmp_path: Path) -> Callable[..., Path]:
    """Builds the tree of one PC: /sys/class/dmi, /sys/class/net, /etc/machine-id."""

    def build(name: str = "pc", **values: str) -> Path:
        root = tmp_path / name
        dmi = root / "sys/class/dmi/id"
        dmi.mkdir(parents=True)
        facts = {
            "product_uuid": UUID, "product_serial": "5B5S3C2", "board_serial": "CN12345678",
            "sys_vendor": "Dell Inc.", "product_name": "OptiPlex 3060", "bios_date": "07/03/2019",
            **values,
        }  # fmt: skip
        for key, value in facts.items():
            (dmi / key).write_text(value + "\n")
        (root / "etc").mkdir()
        (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
        return root

    return build


def add_nic(
    root: Path, name: str, mac: str, *, bus: str = "pci", wifi: bool = False, assigned: str = "0"
) -> None:
    folder = root / "sys/class/net" / name
    folder.mkdir(parents=True)
    (folder / "address").write_text(mac + "\n")
    (folder / "addr_assign_type").write_text(assigned + "\n")
    if wifi:
        (folder / "wireless").mkdir()
    if bus:
        (folder / "device").mkdir()
        (root / "sys/bus" / bus).mkdir(parents=True, exist_ok=True)
        (folder / "device/subsystem").symlink_to(root / "sys/bus" / bus)


def test_the_id_is_32_hex_digits_of_all_sources(machine):
    root = machine()
    add_nic(root, "enp2s0", "54:bf:64:01:02:03")
    found = identify(root)
    assert not found.weak
    assert found.sources == ("product_uuid", "product_serial", "board_serial", "macs")
    assert len(found.machine) == 32
    assert set(found.machine) <= set("0123456789abcdef")


def test_a_disk_that_is_reset_or_cloned_changes_nothing(machine):
    root = machine()
    before = identify(root)
    (root / "etc/machine-id").write_text("f" * 31 + "0\n")
    assert identify(root) == before
    (root / "etc/machine-id").unlink()
    assert identify(root) == before


def test_sixty_clones_of_one_disk_are_sixty(machine):
    roots = [machine(f"pc{i}", product_uuid=str(uuid.UUID(int=2**100 + i))) for i in range(60)]
    assert len({identify(root).machine for root in roots}) == 60


def test_a_shared_uuid_that_no_list_knows_is_told_apart_by_the_network_card(machine):
    ids = set()
    for i in range(3):
        root = machine(f"pc{i}", product_serial="", board_serial="Default string")
        add_nic(root, "eth0", f"54:bf:64:00:00:{i:02x}")
        ids.add(identify(root).machine)
    assert len(ids) == 3


@pytest.mark.parametrize(
    "value",
    [
        "03000200-0400-0500-0006-000700080009", "00000000-0000-0000-0000-000000000000",
        "FFFFFFFF-FFFF-FFFF-FFFF-FFFFFFFFFFFF", "fefefefe-fefe-fefe-fefe-fefefefefefe",
        "NO_UUID_AVAILABLE", "To be filled by O.E.M.", "Default string", "", "  ", "0", "None",
        "System Serial Number", "123456789", "........", "Not Specified",
    ],
)  # fmt: skip
def test_what_many_pcs_share_is_no_source(machine, value):
    assert not usable(value)
    root = machine(product_uuid=value)
    assert "product_uuid" not in identify(root).sources
    assert identify(root) == identify(machine("other", product_uuid="Not Applicable"))


def test_wandering_random_and_virtual_addresses_are_no_source(machine):
    root = machine()
    plain = identify(root)
    add_nic(root, "usb0", "00:e0:4c:68:00:01", bus="usb")
    add_nic(root, "enp10s0", "00:e0:4c:68:00:02")  # in a Thunderbolt dock
    (root / "sys/class/net/enp10s0/device/removable").write_text("removable\n")
    add_nic(root, "wlp3s0", "a4:c3:f0:11:22:33", wifi=True)
    add_nic(root, "docker0", "02:42:ac:11:00:01", bus="")
    add_nic(root, "veth1", "54:bf:64:0a:0b:0c", bus="")
    add_nic(root, "eno1", "54:bf:64:0a:0b:0d", assigned="3")
    add_nic(root, "eth5", "52:54:00:12:34:56")
    add_nic(root, "eth6", "00:00:00:00:00:00")
    add_nic(root, "eth7", "not a mac")
    assert identify(root) == plain


def test_excluded_sources_are_left_out(machine):
    root = machine()
    add_nic(root, "eth0", "54:bf:64:01:02:03")
    without = identify(root, exclude=["product_uuid"])
    assert without.machine != identify(root).machine
    assert "product_uuid" not in without.sources
    bare = identify(root, exclude=identity.SOURCES)
    assert bare.weak
    assert bare.sources == ("machine-id",)


def test_the_helpers_file_gives_the_same_id_and_no_serial(machine):
    root = machine()
    strong = identify(root)
    path = write_hardware(root)
    assert path == root / HARDWARE_FILE
    assert path.stat().st_mode & 0o777 == 0o644
    text = path.read_text()
    assert "5B5S3C2" not in text
    assert UUID not in text.lower()
    (root / "sys/class/dmi/id/product_uuid").unlink()  # as unreadable as can be
    assert identify(root) == strong


@pytest.mark.parametrize(
    "garbage", [b"", b"{", b"[]", b'{"v":1}', b'{"v":2,"digests":{}}', b"\xff"]
)
def test_a_broken_helpers_file_is_passed_over(machine, garbage):
    root = machine()
    strong = identify(root)
    (root / "run/schoolpulse").mkdir(parents=True)
    (root / HARDWARE_FILE).write_bytes(garbage)
    assert identify(root) == strong


@pytest.fixture
def open_to_all() -> Iterator[Path]:
    """A folder that every user may enter; pytest's own are for one user alone."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


_AS_NOBODY = """
import os, sys
from pathlib import Path
from agent.identity import identify
os.setgid(65534); os.setuid(65534)
found = identify(Path(sys.argv[1]))
print(found.machine, found.weak)
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_as_root_or_not_the_id_is_the_same_once_the_helper_has_run(machine, open_to_all):
    root = open_to_all / "pc"
    shutil.copytree(machine(), root)
    (root / "sys/class/dmi/id/product_uuid").chmod(0o400)

    def as_nobody() -> str:
        call = [sys.executable, "-c", _AS_NOBODY, str(root)]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()

    assert as_nobody().endswith("True")  # never a strong id of fewer sources than root's
    write_hardware(root)
    strong = identify(root)
    assert as_nobody() == f"{strong.machine} False"


def test_without_any_hardware_source_the_id_is_weak_and_the_disks(tmp_path):
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/machine-id").write_text("abcdef0123456789abcdef0123456789\n")
    found = identify(tmp_path)
    assert found.weak
    assert found.sources == ("machine-id",)
    (tmp_path / "etc/machine-id").write_text("bbcdef0123456789abcdef0123456789\n")
    assert identify(tmp_path).machine != found.machine


def test_without_anything_the_host_name_stands_in(tmp_path):
    found = identify(tmp_path)
    assert found.weak
    assert found.sources == ("hostname",)


def test_an_arm_board_has_its_serial_in_the_device_tree(tmp_path):
    (tmp_path / "proc/device-tree").mkdir(parents=True)
    (tmp_path / "proc/device-tree/serial-number").write_bytes(b"10000000a3b1c2d4\0")
    assert identify(tmp_path).sources == ("product_serial",)


def test_inventory_reads_the_firmware(machine):
    root = machine()
    (root / "etc/os-release").write_text('NAME=x\nPRETTY_NAME="Debian GNU/Linux 12"\n')
    (root / "proc").mkdir()
    (root / "proc/cpuinfo").write_text("processor : 0\nmodel name\t: Intel(R) Core i3\n")
    found = inventory(root, weak=True, room="301")
    assert (found.maker, found.model) == ("Dell Inc.", "OptiPlex 3060")
    assert (found.cpu, found.os_version) == ("Intel(R) Core i3", "Debian GNU/Linux 12")
    assert found.firmware_date == "2019-07-03"
    assert found.weak_id
    assert found.room == "301"
    assert found.memory_bytes > 10**8


def test_firmware_dates():
    assert iso_date("07/03/2019") == "2019-07-03"
    assert iso_date("12/31/99") == "1999-12-31"
    assert iso_date("01/02/05") == "2005-01-02"
    assert iso_date("20190703") == "20190703"


def test_the_helper_is_a_program():
    done = subprocess.run(
        [sys.executable, "-c", "import agent.identity, sys; print(len(sys.modules))"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert int(done.stdout) < 400


def test_the_file_is_json_with_a_version(machine):
    root = machine()
    found = json.loads(write_hardware(root).read_text())
    assert found["v"] == 1
    assert set(found["digests"]) == {"product_uuid", "product_serial", "board_serial"}
