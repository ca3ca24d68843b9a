"""A Windows of its own under Wine, and what tests ask of it."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).parents[2]
BUILD, DIST = ROOT / "build/windows", ROOT / "dist/windows"
FROZEN = DIST / "schoolpulse-agent/schoolpulse-agent.exe"

_T = TypeVar("_T")


@dataclass
class Wine:
    """A prefix of its own: a Windows that knows nothing of us yet."""

    prefix: Path

    @property
    def environment(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if k not in ("DISPLAY", "PYTHONHOME")}
        return kept | {
            "WINEPREFIX": str(self.prefix), "WINEARCH": "win64", "WINEDEBUG": "-all",
            "WINEDLLOVERRIDES": "mscoree=;mshtml=;winemenubuilder.exe=", "SCHOOLPULSE_LANG": "zh",
        }  # fmt: skip

    @property
    def drive(self) -> Path:
        return self.prefix / "drive_c"

    def run(self, *words: str | Path, timeout: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a program to its end; its output goes through a pipe, as Wine writes no files.

        Only the program's end counts: Wine's own services may hold its pipes for ever.
        """
        process = self.start(*words)
        said: tuple[list[bytes], list[bytes]] = [], []
        readers = [
            threading.Thread(target=_read, args=(pipe, into), daemon=True)
            for pipe, into in zip((process.stdout, process.stderr), said, strict=True)
        ]
        for reader in readers:
            reader.start()
        try:
            code = process.wait(timeout)
        finally:
            process.kill()
        for reader in readers:
            reader.join(2)
        out, err = (b"".join(chunks).decode("utf-8", "replace") for chunks in said)
        return subprocess.CompletedProcess(process.args, code, out, err)

    def python(self, code: str) -> str:
        """What the agent's code says on a Windows Python of the frozen one's libraries."""
        home = {"PYTHONHOME": f"Z:{BUILD}/python", "PYTHONPATH": f"Z:{ROOT}", "PYTHONUTF8": "1"}
        call = ["wine", str(BUILD / "python/python.exe"), "-c", code]
        environment = self.environment | home
        done = subprocess.run(call, env=environment, capture_output=True, timeout=60, check=True)
        return done.stdout.decode()

    def start(self, *words: str | Path) -> subprocess.Popen[bytes]:
        call = ["wine", *map(str, words)]
        pipe = subprocess.PIPE  # Wine's programs end at once where their output is a file
        return subprocess.Popen(call, env=self.environment, stdout=pipe, stderr=pipe)

    def install(self, *words: str | Path) -> int:
        """Run a setup; its pipes live on in the service that it starts, so only its end counts."""
        process = self.start(*words)
        return process.wait(200)

    @contextlib.contextmanager
    def someone(self) -> Iterator[None]:
        """A program that waits, as a desktop does; there once it has spoken."""
        waits = subprocess.Popen(
            ["wine", "cmd"], env=self.environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert waits.stdout
        assert waits.stdout.read(1)
        try:
            yield
        finally:
            waits.kill()
            waits.wait(30)

    def registry(self, tree: dict[str, dict[str, str]]) -> None:
        """Keys and values as a .reg file has them."""
        lines = ["Windows Registry Editor Version 5.00", ""]
        for key, values in tree.items():
            lines += [f"[HKEY_LOCAL_MACHINE\\{key}]"]
            lines += [f'"{name}"={value}' for name, value in values.items()] + [""]
        file = self.drive / "tree.reg"
        file.write_text("\n".join(lines), encoding="utf-16")
        done = self.run("regedit", "/S", "C:\\tree.reg")
        assert done.returncode == 0, done.stderr

    def processes(self, name: str) -> list[int]:
        """Process ids (of this machine) of programs of this prefix."""
        found = []
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                command = (folder / "cmdline").read_bytes()
                environ = (folder / "environ").read_bytes()
            except OSError:
                continue
            if name.encode() in command and f"WINEPREFIX={self.prefix}".encode() in environ:
                found.append(int(folder.name))
        return found

    def kill(self, name: str) -> None:
        """As a cut at the wall does."""
        for pid in self.processes(name):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def service(self) -> str:
        """The state of the agent's service in the manager's word; empty where there is none."""
        words = self.run("sc", "query", "SchoolPulseAgent").stdout.split()
        return words[words.index("STATE") + 3] if "STATE" in words else ""

    def waiting(self, settings: str) -> int:
        """How many reports wait for a receipt, by the agent's own word."""
        done = self.run(FROZEN, "outbox", "--json", "--config", settings)
        return int(json.loads(done.stdout)["waiting"]) if done.returncode == 0 else 0

    def files(self) -> set[str]:
        """All files and folders of the drive, but those that Windows itself writes."""
        own = ("windows/temp", "users/", "windows/system32/config", "tree.reg")
        paths = (str(path.relative_to(self.drive)) for path in self.drive.rglob("*"))
        return {path for path in paths if not path.lower().startswith(own)}

    def end(self) -> None:
        subprocess.run(["wineserver", "-k"], env=self.environment, check=False)
        self.ended()

    def ended(self) -> None:
        """Wait until the last process of this Windows is gone."""
        subprocess.run(["wineserver", "-w"], env=self.environment, check=False, timeout=60)


def _read(pipe: Any, into: list[bytes]) -> None:
    while chunk := os.read(pipe.fileno(), 65536):
        into.append(chunk)


def until(met: Callable[[], _T], seconds: float = 60, what: str = "") -> _T:
    deadline = time.monotonic() + seconds
    while not (value := met()):
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.1)
    return value


def unplugged(windows: Wine, settings: str) -> str:
    """The same settings, but no broker answers; where they lie."""
    file = windows.drive / settings.removeprefix("C:\\")
    away = file.with_name(f"away-{file.name}")
    away.write_text(file.read_text().replace("port = ", "port = 1 #"))
    return f"C:\\{away.name}"


def hexed(data: bytes) -> str:
    """Bytes as a .reg file has them."""
    return "hex:" + ",".join(f"{byte:02x}" for byte in data)


def multi(words: Sequence[str]) -> str:
    """REG_MULTI_SZ as a .reg file has it."""
    raw = ("\0".join(words) + "\0\0").encode("utf-16-le")
    return "hex(7):" + ",".join(f"{byte:02x}" for byte in raw)
