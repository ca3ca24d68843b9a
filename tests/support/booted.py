"""Machines of Debian 12 with a running systemd: containers of systemd-nspawn, one bridge for all.

Their packages come from where this machine's own come from, by a proxy on the bridge: no rule of
the kernel's is changed, and nothing else of the world is there.
"""

from __future__ import annotations

import configparser
import os
import secrets
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import pytest

import services
from forward_proxy import forward_proxy

#: What makes and boots a root file system.
NEEDED = ("mmdebstrap", "systemd-nspawn", "ip", "nsenter", "git")
#: A root file system that is there already, to save the minute; it is copied.
GIVEN = os.environ.get("SCHOOLPULSE_TEST_DEBIAN", "")
_PACKAGES = "systemd,systemd-sysv,dbus,ca-certificates,iproute2"
#: What this machine was told about its network, and such a machine needs as well.
_OURS = ("etc/pip.conf", "usr/local/share/ca-certificates")
_PROXY = 3128
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def debian(folder: Path) -> Path:
    """A root file system of Debian 12: systemd, no Python, no git."""
    root = folder / "debian"
    if GIVEN:
        subprocess.run(["cp", "-a", GIVEN, root], check=True)
    else:
        words = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={_PACKAGES}"]
        subprocess.run([*words, "bookworm", root], check=True, timeout=1200)
    for name in _OURS:
        if (ours := Path("/", name)).is_dir():
            shutil.copytree(ours, root / name, dirs_exist_ok=True)
        elif ours.exists():
            shutil.copy(ours, root / name)
    subprocess.run(["chroot", root, "update-ca-certificates"], check=True, capture_output=True)
    subprocess.run(["chroot", root, "systemctl", "enable", "systemd-networkd"], check=True,
                   capture_output=True)  # fmt: skip
    return root


class Shell:
    """What a person types on a machine, in one session: folder and variables last."""

    def __init__(self, argv: list[str]) -> None:
        self._process = subprocess.Popen(
            argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        self.commands = 0

    def type(self, block: str, *, fails: bool = False) -> str:
        """Commands one by one, each to its end; what they printed. The first that fails ends it."""
        said = ""
        for line in block.replace("\\\n", " ").splitlines():
            if not line.strip():
                continue
            self.commands += 1
            code, printed = self._one(line)
            print(f"$ {line}\n{printed}", end="")
            assert code == 0 or fails, f"{line}: {code}\n{printed}"
            said += printed
        return said

    def _one(self, line: str) -> tuple[int, str]:
        stdin, stdout = self._pipes()
        mark = secrets.token_hex(8)
        stdin.write(f"{{\n{line}\n}} </dev/null\nprintf '\\n{mark} %d\\n' $?\n")
        stdin.flush()
        said: list[str] = []
        for row in stdout:
            if row.startswith(mark):
                return int(row.split()[1]), "".join(said).removesuffix("\n")
            said.append(row)
        raise AssertionError(f"{line}: the shell ended: {''.join(said)}")

    def _pipes(self) -> tuple[IO[str], IO[str]]:
        assert self._process.stdin
        assert self._process.stdout
        return self._process.stdin, self._process.stdout

    def close(self) -> None:
        """End it."""
        for pipe in self._pipes():
            pipe.close()
        services.end(self._process)  # type: ignore[arg-type]


class Machine:
    """One of them, by its name; it runs until `off`."""

    def __init__(self, root: Path, name: str, bridge: str, address: str) -> None:
        self.root, self.name, self.address = root, name, address
        self._bridge = bridge
        self._process: subprocess.Popen[bytes] | None = None
        (root / "etc/hostname").write_text(f"{name}\n")
        (root / "etc/hosts").write_text(f"127.0.0.1 localhost\n127.0.1.1 {name}\n")
        gateway = f"{address.rpartition('.')[0]}.1"
        proxy = f"http://{gateway}:{_PROXY}"
        apt = root / "etc/apt/apt.conf.d/99proxy"
        apt.write_text(f'Acquire::http::Proxy "{proxy}";\nAcquire::https::Proxy "{proxy}";\n')
        pip = configparser.ConfigParser()
        pip.read_dict({"global": {}})
        pip.read(root / "etc/pip.conf")
        pip["global"]["proxy"] = proxy
        with (root / "etc/pip.conf").open("w") as file:
            pip.write(file)
        network = root / "etc/systemd/network/10-host0.network"
        network.parent.mkdir(parents=True, exist_ok=True)
        network.write_text(
            f"[Match]\nName=host0\n[Network]\nAddress={address}/24\nGateway={gateway}\n"
        )

    def on(self) -> None:
        """Boot it, and wait until all its services have started."""
        words = ["systemd-nspawn", "--quiet", "--directory", str(self.root), "--boot",
                 "--machine", f"{self._bridge}-{self.name}", "--register=no", "--keep-unit",
                 "--network-bridge", self._bridge, "--resolv-conf=copy-host"]  # fmt: skip
        with (self.root.parent / f"{self.name}.log").open("ab") as log:
            self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=log,
                                             stderr=log, start_new_session=True)  # fmt: skip
        self.until("systemctl is-system-running --wait | grep -Eq 'running|degraded'")

    def off(self) -> None:
        """Shut it down in good order; pulled where it does not end."""
        if self._process is not None and self._process.poll() is None:
            self.run("systemctl poweroff || true")
            try:
                self._process.wait(services.PATIENCE_S)
            except subprocess.TimeoutExpired:
                services.end(self._process)
        self._process = None

    def argv(self, *words: str) -> list[str]:
        """A command of ours, run there."""
        assert self._process
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children")
        leader = children.read_text().split()
        assert leader, f"{self.name} does not run"
        return ["nsenter", "--target", leader[0], "--all", "env", "-i", "HOME=/root", "USER=root",
                "LANG=C.UTF-8", f"PATH={_PATH}", *words]  # fmt: skip

    @contextmanager
    def shell(self) -> Iterator[Shell]:
        """A log-in as root, until the end of the block."""
        made = Shell(self.argv("bash", "-c", "cd /root && exec bash"))
        try:
            yield made
        finally:
            made.close()

    def run(self, line: str) -> str:
        """A command line that ends well; what it printed."""
        done = subprocess.run(
            self.argv("bash", "-c", line), capture_output=True, text=True, timeout=600
        )
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    def until(self, line: str) -> None:
        """Wait until a command line ends well."""
        deadline = time.monotonic() + services.PATIENCE_S
        while True:
            try:
                self.run(line)
            except AssertionError:
                assert time.monotonic() < deadline, line
                time.sleep(1)
            else:
                return


class Town:
    """A network, and machines in it."""

    def __init__(self, folder: Path, debian: Path) -> None:
        self.folder, self._debian = folder, debian
        self.machines: list[Machine] = []
        self._name = f"sp{secrets.token_hex(3)}"
        self._net = f"10.93.{secrets.randbelow(250)}"
        self._opened = ExitStack()
        self._wire()

    def _wire(self) -> None:
        for line in (
            f"ip link add {self._name} type bridge",
            f"ip address add {self._net}.1/24 dev {self._name}",
            f"ip link set {self._name} up",
        ):
            done = subprocess.run(line.split(), capture_output=True, text=True)
            if done.returncode:
                self.close()
                pytest.skip(f"this machine lets nobody make a network: {line}: {done.stderr}")
        self._opened.enter_context(forward_proxy(f"{self._net}.1", _PROXY))

    def machine(self, name: str) -> Machine:
        """A new one, booted."""
        root = self.folder / name
        subprocess.run(["cp", "-a", "--reflink=auto", self._debian, root], check=True)
        made = Machine(root, name, self._name, f"{self._net}.{len(self.machines) + 2}")
        self.machines.append(made)
        made.on()
        return made

    def close(self) -> None:
        """Switch all off; nothing of the network stays."""
        try:
            for machine in self.machines:
                machine.off()
        finally:
            self._opened.close()
            subprocess.run(["ip", "link", "delete", self._name], capture_output=True)


@contextmanager
def town(folder: Path) -> Iterator[Town]:
    """A network until the end of the block; skipped where no such machine can run."""
    if os.geteuid() != 0:
        pytest.skip("machines that boot need root")
    for name in NEEDED:
        if not (GIVEN and name == "mmdebstrap") and services.program(name) is None:
            pytest.skip(f"{name} is missing")
    made = Town(folder, debian(folder))
    try:
        yield made
    finally:
        made.close()
