"""The services of deploy/compose.yaml without Docker: each a process in a root of its own.

What compose would do is done here from the same file: mounts, secrets, users, environment, start
order, health checks. What images would bring comes from this machine: a root is an overlay over
its own, with the users and folders that the images' documents name, and their entry points' steps.
Everything lies in one mount and one network namespace and ends with it.
"""

from __future__ import annotations

import base64
import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

import services

#: Programs that are no Debian packages, by variables of the environment.
INFLUXD = os.environ.get("SCHOOLPULSE_TEST_INFLUXD2", "")
INFLUX = os.environ.get("SCHOOLPULSE_TEST_INFLUX2", "")
GRAFANA_HOME = os.environ.get("SCHOOLPULSE_TEST_GRAFANA_HOME", "")
ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
PROGRAMS = Path(sys.executable).parent
#: The users of the images: eclipse-mosquitto, influxdb, grafana, and ours.
USERS = {"mosquitto": 1883, "influxdb": 1000, "grafana": 472, "schoolpulse": 999}
_PATH = f"{PROGRAMS}:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_PLUGIN = "mosquitto_dynamic_security.so"


class Machine:
    """One machine: its own root `host`, one root a service, and what runs in them."""

    def __init__(
        self, base: Path, names: Mapping[str, str], users: Mapping[str, int] | None
    ) -> None:
        """`names`: host names of the city, by address; `users`: see `root`."""
        self.base = base
        self._names = names
        argv = ["unshare", "--mount", "--net", "sleep", "infinity"]
        self._holder = subprocess.Popen(argv, start_new_session=True)
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        same = Path("/proc/self/ns/mnt").readlink
        deadline = time.monotonic() + services.PATIENCE_S
        while Path(f"/proc/{self._holder.pid}/ns/mnt").readlink() == same():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        self._sh(f"ip link set lo up; mount -t tmpfs none {base}")
        for address in names:
            self._sh(f"ip address add {address}/32 dev lo 2>/dev/null || true")
        self.root("host", users)

    def _sh(self, script: str) -> None:
        inside = ["nsenter", "-t", str(self._holder.pid), "-m", "-n", "sh", "-euc", script]
        done = subprocess.run(inside, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, f"{script}: {done.stderr}"

    def path(self, name: str, inside: str = "/") -> str:
        """A path of one of the roots, as the namespace sees it."""
        return f"{self.base}/{name}/root{inside}"

    def root(self, name: str, users: Mapping[str, int] | None) -> None:
        """An overlay over this machine's root, with these users in place of those of images.

        None: with none of them.
        """
        at = f"{self.base}/{name}"
        hosts = "".join(f"{address} {each}\\n" for address, each in self._names.items())
        drop, users = "|".join(users or USERS), users or {}
        rows = "".join(f"{user}:x:{n}:{n}::/:/bin/sh\\n" for user, n in users.items())
        groups = "".join(f"{user}:x:{n}:\\n" for user, n in users.items())
        self._sh(
            f"mkdir -p {at}/up {at}/work {at}/root; mount -t overlay none -o"
            f" lowerdir=/,upperdir={at}/up,workdir={at}/work {at}/root; cd {at}/root;"
            "mount --rbind /proc proc; mount --rbind /dev dev; mount -t tmpfs none run;"
            "chmod go+rx root; mkdir -p run/lock;"  # the interpreter may lie in root's home
            f"printf '127.0.0.1 localhost\\n{hosts}' >etc/hosts;"
            f"grep -Ev '^({drop}):' /etc/passwd >etc/passwd.new; mv etc/passwd.new etc/passwd;"
            f"grep -Ev '^({drop}):' /etc/group >etc/group.new; mv etc/group.new etc/group;"
            f"printf '{rows}' >>etc/passwd; printf '{groups}' >>etc/group"
        )

    def mount(self, name: str, source: str, target: str, *, writable: bool) -> None:
        """Bind a path of the namespace into a root."""
        to = shlex.quote(self.path(name, target))
        mode = "" if writable else f"; mount -o remount,bind,ro {to}"
        self._sh(
            f"if [ -d {shlex.quote(source)} ]; then mkdir -p {to};"
            f" else mkdir -p $(dirname {to}); touch {to}; fi;"
            f" mount --bind {shlex.quote(source)} {to}{mode}"
        )

    def argv(
        self, name: str, words: Sequence[str], environment: Mapping[str, str], user: str = "0:0"
    ) -> list[str]:
        """A command in a root, as a user given by numbers."""
        uid, gid = user.split(":")
        values = {"PATH": _PATH, "HOME": "/", "LANG": "C.UTF-8", **environment}
        return [
            "nsenter", "-t", str(self._holder.pid), "-m", "-n", "chroot", self.path(name),
            "setpriv", "--reuid", uid, "--regid", gid, "--clear-groups",
            "env", "-i", *(f"{key}={value}" for key, value in values.items()), *words,
        ]  # fmt: skip

    def run(self, line: str, root: str = "host", folder: Path | str = ROOT, **more: str) -> str:
        """A command line in a root, as root; what it printed. It must end well."""
        words = ["sh", "-c", f"cd {folder} && {line}"]
        environment = {"SCHOOLPULSE_LANG": "en", **more}
        done = subprocess.run(
            self.argv(root, words, environment), capture_output=True, text=True, timeout=300
        )
        print(f"$ {line}\n{done.stdout}{done.stderr}")
        assert done.returncode == 0, f"{line}: {done.stdout}{done.stderr}"
        return done.stdout

    def write(self, name: str, path: str, text: str) -> str:
        """Write a file in a root; its path."""
        target = self.path(name, path)
        inside = ["nsenter", "-t", str(self._holder.pid), "-m", "tee", target]
        subprocess.run(inside, input=text.encode(), stdout=subprocess.DEVNULL, check=True)
        return path

    def until(self, line: str) -> None:
        """Wait until a command line of the host ends well."""
        words = self.argv("host", ["sh", "-c", line], {})
        deadline = time.monotonic() + services.PATIENCE_S
        while subprocess.run(words, capture_output=True).returncode:
            assert time.monotonic() < deadline, line
            time.sleep(0.3)

    def listens(self, address: str, port: int) -> None:
        """Wait until something listens there."""
        dial = f"import socket; socket.create_connection(('{address}', {port}), 3)"
        self.until(f'{sys.executable} -c "{dial}"')

    def boards(self, password: str) -> int:
        """How many boards the machine's Grafana has; it answers before it has read them all."""
        return len(self._grafana(password, "search?type=dash-db"))

    def reports_by_grafana(self, password: str) -> int:
        """How many reports Grafana's data source finds, by the token that may only read."""
        query = "SELECT+COUNT(number)+FROM+agent"
        # By its number: Grafana 9.3 takes a path with an uid wrong.
        number = self._grafana(password, "datasources/uid/schoolpulse-telemetry")["id"]
        path = f"datasources/proxy/{number}/query?db=telemetry&q={query}"
        series = self._grafana(password, path)["results"][0].get("series", [])
        return int(series[0]["values"][0][1]) if series else 0

    def _grafana(self, password: str, path: str) -> Any:
        login = base64.b64encode(f"admin:{password}".encode()).decode()
        header = f"--header 'Authorization: Basic {login}'"
        return json.loads(
            self.run(f"wget -nv -O- --content-on-error {header} 'http://127.0.0.1:3000/api/{path}'")
        )

    def start(self, key: str, argv: Sequence[str]) -> None:
        """Let it run until `close`, its output in a log."""
        with (self.log(key)).open("ab") as log:
            self._running[key] = subprocess.Popen(
                argv, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )

    def log(self, key: str) -> Path:
        """What a process printed."""
        return self.base.parent / f"{key}.log"

    def ended(self, key: str) -> bool:
        """Whether a process has ended by itself."""
        return self._running[key].poll() is not None

    def stop(self, key: str) -> None:
        """TERM, as `docker stop` sends it."""
        process = self._running.pop(key)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        services.end(process)

    def close(self) -> None:
        """End everything; the namespace's mounts end with its last process."""
        for key in reversed(list(self._running)):
            self.stop(key)
        services.end(self._holder)


class Composed:
    """compose.yaml as compose reads it on the machine, with the .env beside it."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        rows = machine.run("cat deploy/.env").splitlines()
        self.values = dict(row.split("=", 1) for row in rows if not row.startswith("#"))
        self.values = {name: value.strip("'") for name, value in self.values.items()}
        text = re.sub(
            r"\$\{(\w+):-([^}]*)\}", lambda found: self.values.get(found[1]) or found[2],
            (DEPLOY / "compose.yaml").read_text("utf-8"),
        )  # fmt: skip
        self.file: dict[str, Any] = yaml.safe_load(text)
        profiles = set(self.values.get("COMPOSE_PROFILES", "").split(","))
        self.services: dict[str, dict[str, Any]] = {
            name: one
            for name, one in self.file["services"].items()
            if not one.get("profiles") or profiles & set(one["profiles"])
        }

    def order(self) -> Iterator[str]:
        """The services, each after those that it needs."""
        done: list[str] = []
        while len(done) < len(self.services):
            ready = [
                name
                for name, one in self.services.items()
                if name not in done and set(one.get("depends_on", {})) <= set(done)
            ]
            assert ready, "a circle"
            done += ready
            yield from ready

    def prepare(self, name: str, users: Mapping[str, int]) -> None:
        """Its root, with mounts and secrets; volumes that have names begin empty."""
        self.machine.root(name, users)
        one = self.services[name]
        # Docker mounts what lies in another mount after it, whatever the order of the file.
        for volume in sorted(one.get("volumes", ()), key=lambda each: each.split(":")[1]):
            source, target, *mode = volume.split(":")
            self.machine.mount(name, self._source(source), target, writable=mode != ["ro"])
        for secret in one.get("secrets", ()):
            file = self._source(self.file["secrets"][secret]["file"])
            self.machine.mount(name, file, f"/run/secrets/{secret}", writable=False)

    def _source(self, source: str) -> str:
        if source.startswith("."):
            return self.machine.path("host", f"{(DEPLOY / source).resolve()}")
        if source.startswith("/"):
            return self.machine.path("host", source)
        assert source in self.file["volumes"], source
        self.machine._sh(f"mkdir -p {self.machine.base}/volumes/{source}")
        return f"{self.machine.base}/volumes/{source}"

    def environment(self, name: str) -> dict[str, str]:
        """What its process is given."""
        return {key: str(value) for key, value in self.services[name]["environment"].items()}

    def exec(
        self, name: str, words: Sequence[str], **more: str
    ) -> subprocess.CompletedProcess[str]:
        """`docker compose exec`: as the service's user."""
        user = self.services[name].get("user", "0:0")
        values = {**self.services[name].get("environment", {}), **more}
        argv = self.machine.argv(name, words, {k: str(v) for k, v in values.items()}, user)
        return subprocess.run(argv, capture_output=True, text=True, timeout=120)

    def healthy(self, name: str, **more: str) -> bool:
        """What its health check says."""
        kind, *words = self.services[name]["healthcheck"]["test"]
        assert kind == "CMD"
        return self.exec(name, words, **more).returncode == 0


@contextmanager
def machine(
    base: Path, names: Mapping[str, str], users: Mapping[str, int] | None = None
) -> Iterator[Machine]:
    """A machine until the end of the block; its logs are printed."""
    base.mkdir()
    probe = (
        f"mount -t tmpfs none {base} && cd {base} && mkdir up work root && mount -t overlay none"
        f" -o lowerdir=/,upperdir=up,workdir=work root && test -d root{ROOT} && ip link set lo up"
    )
    tried = ["unshare", "--mount", "--net", "sh", "-c", probe]
    if subprocess.run(tried, capture_output=True).returncode:
        pytest.skip("this machine lets nobody lay an overlay over its root")
    made = Machine(base, names, users)
    try:
        yield made
    finally:
        made.close()
        for log in sorted(base.parent.glob("*.log")):
            print(f"-- {log.name}\n{log.read_text(errors='replace')[-2500:]}")
