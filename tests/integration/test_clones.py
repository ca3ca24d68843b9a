"""A computer room of cloned PCs, over a real broker and into a real store: each counts once."""

from __future__ import annotations

import secrets
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from agent.clock import Clock
from agent.identity import Identity, identify
from agent.identity import identity as identity_module
from agent.outbox import Outbox
from agent.wire.messages import AgentHealth, Host, Inventory, Reading
from collector.keeper import Keeper, sharing
from collector.roster.register import COMPUTER_ROOM, Machine, Register, Room, School
from collector.service import Collector
from collector.simulate.fleet import Fleet, FleetAgent
from collector.store.factory import open_store

SCHOOL = "9900000001"
HOSTNAME = "STUDENT-PC"
FROZEN_ROWS = 5


@pytest.fixture(params=["mosquitto"])
def broker(request: Any, tmp_path: Path) -> Iterator[Any]:
    """One broker is enough: what is tried here is who speaks, not how."""
    import services

    folder = tmp_path / "broker"
    folder.mkdir()
    with services.broker(request.param, folder) as running:
        yield running


@pytest.fixture
def lab() -> Register:
    """A school with one computer room; its PCs are bound by the one name that they share."""
    return Register(
        {SCHOOL: School(SCHOOL, "示例小学", "630102", "小学", "630102")},
        rooms=[Room(SCHOOL, "本部", "lab", "lab", COMPUTER_ROOM, 60)],
        machines=[Machine(SCHOOL, "lab", "student-*")],
    )


def pc(root: Path, number: int, **shared: str) -> Path:
    """The hardware and the cloned disk of one PC; `shared` are values it has from its image."""
    facts = {
        "product_uuid": str(uuid.UUID(int=2**100 + number)), "product_serial": "Default string",
        "board_serial": "To be filled by O.E.M.", **shared,
    }  # fmt: skip
    for name, value in facts.items():
        file = root / "sys/class/dmi/id" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    disk = root / "sys/block/sda"
    (disk / "device").mkdir(parents=True)
    (disk / "device/wwid").write_text(f"t10.ATA     WDC WD5000 WD-WCC{number:06}\n")
    (root / "etc").mkdir()
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    return root


def frozen_outbox(path: Path) -> bytes:
    """The outbox that the image was taken with: rows of the PC it was made on."""
    outbox = Outbox(path, "ee" * 16, Clock())
    for _ in range(FROZEN_ROWS):
        outbox.put((Host(cpu_percent=66.6), AgentHealth(version="image")), evidence=True)
    outbox.close()
    return path.read_bytes()


def agent(who: Identity) -> FleetAgent:
    def readings() -> Sequence[Reading]:
        host = Host(cpu_percent=1.0, inventory=Inventory(hostname=HOSTNAME))
        return (host,)

    return FleetAgent(SCHOOL, who.machine, readings, Inventory(hostname=HOSTNAME))


def boot(city: Any, kit: Any, image: bytes, whos: Sequence[Identity]) -> None:
    """Start all PCs from the frozen image, let each report, and cut them off."""
    data = city.folder / "pcs"
    shutil.rmtree(data, ignore_errors=True)
    data.mkdir(parents=True)
    for who in whos:
        (data / f"{who.machine}.db").write_bytes(image)
    fleet = Fleet(city.settings, [agent(who) for who in whos], data, 300, simulated=False)
    fleet.start()
    try:
        kit.until(lambda: len({m for m, _, _ in fleet.produced()}) == len(whos))
        kit.until(lambda: fleet.waiting() == 0)
    finally:
        fleet.stop()


def derived(city: Any, register: Register) -> tuple[dict[str, Any], list[Any]]:
    """The lab's `room_day` of today, and today's `machine_day` rows."""
    store = city.store
    days = {kit_day(point.time) for point in city.points("agent")}
    Keeper(store, lambda: register, city.config.figure, city.config.city).derive(days)
    (room,) = city.points("room_day")
    return room.fields, city.points("machine_day")


def kit_day(time: int) -> Any:
    from collector.ingest import day_of

    return day_of(time // 1_000_000)


@pytest.mark.slow
def test_sixty_clones_on_two_boots_are_sixty(city: Any, kit: Any, lab: Register, tmp_path: Path):
    whos = [identify(pc(tmp_path / f"pc{n}", n)) for n in range(60)]
    assert len({who.machine for who in whos}) == 60
    assert not any(who.weak for who in whos)
    image = frozen_outbox(tmp_path / "image.db")
    city.register = lab
    city.start()
    for _ in range(2):
        boot(city, kit, image, whos)
    room, machines = derived(city, lab)
    assert (room["pcs"], room["weak_pcs"]) == (60, 0)
    assert {row.fields["boots"] for row in machines} == {2}
    assert not any(row.fields.get("shared_id") for row in machines)
    # Not one of the image's rows is anybody's.
    assert {point.fields["cpu_percent"] for point in city.points("host")} == {1.0}
    assert {point.tags["machine"] for point in city.points("agent")} == {w.machine for w in whos}
    assert "image" not in {point.fields.get("version") for point in city.points("agent")}
    assert {point.fields["set_aside"] for point in city.points("agent")} == {FROZEN_ROWS}


@pytest.mark.slow
def test_one_pc_on_two_boots_is_one(city: Any, kit: Any, lab: Register, tmp_path: Path):
    root = pc(tmp_path / "pc", 1)
    city.register = lab
    city.start()
    for _ in range(2):
        boot(city, kit, frozen_outbox(tmp_path / "image.db"), [identify(root)])
        (tmp_path / "image.db").unlink()
    room, machines = derived(city, lab)
    assert (room["pcs"], len(machines), machines[0].fields["boots"]) == (1, 1, 2)


SOURCE_KEY = secrets.token_bytes(32)


def plain(root: Path) -> str:
    """The digest of the firmware's UUID as older agents sent it."""
    digests = identity_module._read_digests(root, None)
    return f"product_uuid={digests['product_uuid'][:16]}"


_RESIDENT = """
import functools, sys
from pathlib import Path
from agent import identity
from agent.mqtt import hello
from agent.resident import process
hello.PATIENCE = 1.0
identity.identify = functools.partial(identity.identify, Path(sys.argv[1]))
sys.exit(process.run(sys.argv[2]))
"""

StartAgent = Callable[[str, Path], subprocess.Popen[bytes]]


@pytest.fixture
def start_agent(city: Any, tmp_path: Path) -> Iterator[StartAgent]:
    """Starts the resident agent as a process whose hardware is that of a tree."""
    running: list[subprocess.Popen[bytes]] = []
    key = tmp_path / "source.key"
    key.write_text(SOURCE_KEY.hex())
    key.chmod(0o600)

    def start(name: str, root: Path) -> subprocess.Popen[bytes]:
        settings = tmp_path / f"{name}.toml"
        settings.write_text(
            f'school = "{SCHOOL}"\nroom = "lab"\ndata = "{tmp_path / name}"\nreport_s = 5\n'
            f"[broker]\nport = {city.broker.port}\n"
            f'[identity]\nsource_key_file = "{key}"\n'
        )
        call = [sys.executable, "-c", _RESIDENT, str(root), str(settings)]
        with (tmp_path / f"{name}.log").open("wb") as log:
            running.append(subprocess.Popen(call, stderr=log))
        return running[-1]

    yield start
    for process in running:
        process.terminate()
    for process in running:
        process.wait(120)


def test_a_shared_id_that_no_list_knows_is_found_and_healed(
    city: Any, kit: Any, lab: Register, tmp_path: Path, start_agent: StartAgent,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """Two PCs whose maker burnt one UUID into both, and a third that has its own."""
    monkeypatch.setattr(sharing, "OVERLAP_MS", 4_000)
    same = "7a11ed00-1234-4321-8888-0123456789ab"
    roots = [pc(tmp_path / f"pc{n}", n, product_uuid=same) for n in (1, 2)]
    roots.append(pc(tmp_path / "pc3", 3))
    before = {identify(root).machine for root in roots}
    assert len(before) == 2
    city.register = lab
    store = open_store(city.config)
    keeper = Keeper(store, lambda: lab, city.config.figure, city.config.city)
    city.store = store
    quick = msgspec.structs.replace(city.config, keeper_s=0.5)
    city.collector = Collector(quick, store, lambda: lab, keeper=keeper)
    city.collector.start()
    for number, root in enumerate(roots):
        start_agent(f"agent{number}", root)

    def counted() -> int:
        return max((int(p.fields["pcs"]) for p in city.points("room_day")), default=0)

    kit.until(lambda: counted() == 3, 240, "three PCs in the lab")
    days = {row.tags["machine"]: row.fields for row in city.points("machine_day")}
    shared = [machine for machine, fields in days.items() if fields.get("shared_id")]
    assert shared == [identify(roots[0]).machine]
    assert len(days) == 4  # the shared id, two healed ones, and the third, who kept its own
    assert identify(roots[2]).machine in days
    told = days[shared[0]]["shared_sources"].split(",")
    assert not set(told) & set(map(plain, roots))  # no digest left the PCs that can be tried
    healed = {identify(root, told, keys=[SOURCE_KEY]).machine for root in roots}
    assert healed == set(days) - set(shared)
    assert identify(roots[0], told, keys=[SOURCE_KEY]).sources == ("disks",)
