"""Six hundred schools enrolled: how long, what a second time changes, and kills at any moment.

Each step is the command itself in a process of its own, with a real Mosquitto where there is one.
`--kills N` ends so many runs by SIGKILL, spread evenly over the time that a run takes: `setup`,
`enrol --all`, `enrol rotate` of all schools and `ca renew` in turn. After each the command is run
again, and `enrol check` must find nothing.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import services
from collector.roster.register import Register, Room, School
from enrolled_city import EnrolledCity

_COMMAND = (sys.executable, "-m", "collector.cli")
#: Kinds of runs that are killed, by name.
_KINDS = ("setup", "enrol", "rotate", "ca")


def main() -> int:
    """The table; 1 where something was not whole afterwards."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--schools", type=int, default=600)
    parser.add_argument("--kills", type=int, default=40)
    args = parser.parse_args()
    codes = [f"99{number:08}" for number in range(1, args.schools + 1)]
    with tempfile.TemporaryDirectory(prefix="schoolpulse-enrol-") as name:
        timed(Path(name) / "stopped", codes, broker=False)
        timed(Path(name) / "running", codes, broker=True)
        return killed(Path(name) / "killed", codes, args.kills)


def timed(folder: Path, codes: Sequence[str], *, broker: bool) -> None:
    """Set up, enrolled, again, rotated, one revoked."""
    city = made(folder, codes)
    with ExitStack() as opened:
        if broker:
            opened.enter_context(mosquitto(city))
        how = "broker runs" if broker else "broker stopped"
        for what, words in (
            ("enrol --all", ("enrol", "--all")),
            ("the same again", ("enrol", "--all")),
            ("rotate all", ("enrol", "rotate", *codes)),
            ("settle", ("enrol", "settle")),
            ("revoke one", ("enrol", "revoke", codes[0], "--why", "bench")),
            ("check", ("enrol", "check")),
        ):
            before, begun, cpu = city.files(), time.monotonic(), _cpu()
            status = run(city, *words).wait()
            seconds, cpu = time.monotonic() - begun, _cpu() - cpu
            changed = sum(before.get(path) != data for path, data in city.files().items())
            print(f"{how}: {what:15} {seconds:6.2f} s, {cpu:5.2f} s of processor, "
                  f"{changed} files changed, exit {status}", flush=True)  # fmt: skip


def killed(folder: Path, codes: Sequence[str], kills: int) -> int:
    """How many runs were not finished by the next one."""
    city = made(folder, codes)
    shutil.copytree(city.folder, fresh := folder.with_name("fresh"))
    broken = reached = 0
    for number in range(kills):
        kind, share = (
            _KINDS[number % len(_KINDS)],
            (number // len(_KINDS) + 0.5) * len(_KINDS) / kills,
        )
        words = prepared(city, fresh, codes, kind)
        begun = time.monotonic()
        assert run(city, *words).wait() == 0
        whole_s = time.monotonic() - begun
        prepared(city, fresh, codes, kind)
        process = run(city, *words)
        try:
            process.wait(share * whole_s)
        except subprocess.TimeoutExpired:
            reached += 1
            process.kill()
            process.wait()
        again = run(city, *words).wait()
        whole = run(city, "enrol", "--all").wait() == 0 and run(city, "enrol", "check").wait() == 0
        # A rotation that had begun before the kill says so by its exit code.
        fine = whole and (again == 0 or kind == "rotate")
        broken += not fine
        print(f"{kind:6} killed at {share:4.0%}: {'whole' if fine else 'BROKEN'}", flush=True)
    print(f"{kills} runs, {reached} killed before their end, {broken} not whole afterwards")
    return int(broken > 0)


def prepared(city: EnrolledCity, fresh: Path, codes: Sequence[str], kind: str) -> tuple[str, ...]:
    """The city as it was before such a run, and the command's words."""
    shutil.rmtree(city.folder)
    shutil.copytree(fresh, city.folder)
    if kind == "setup":
        city.place.state.unlink()
        shutil.rmtree(city.file.parent)
        own = ("--folder", str(city.file.parent), "--data", str(city.folder / "data"))
        return ("setup", "--name", "localhost", "--port", str(city.port), *own)
    if kind != "enrol":
        assert run(city, "enrol", "--all").wait() == 0
    return {
        "enrol": ("enrol", "--all"),
        "rotate": ("enrol", "rotate", *codes),
        "ca": ("ca", "renew"),
    }[kind]


def made(folder: Path, codes: Sequence[str]) -> EnrolledCity:
    """A city that is set up, with a register of twelve rooms a school."""
    city = EnrolledCity(folder, services.free_port())
    assert city.setup("--name", "localhost") == 0
    schools = [School(code, f"示例{code[-4:]}小学", "630102", "小学", "630102") for code in codes]
    rooms = [Room(code, "本部", f"{n}", f"{n} 班", "普通教室") for code in codes for n in range(12)]
    city.keep(Register(schools={one.code: one for one in schools}, rooms=rooms))
    return city


def run(city: EnrolledCity, *words: str) -> subprocess.Popen[bytes]:
    """The command, started."""
    argv = [*_COMMAND, *words]
    if words[0] != "setup":
        argv += ["--config", str(city.file)]
    return subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


@contextmanager
def mosquitto(city: EnrolledCity) -> Iterator[None]:
    """The broker, with the settings that `setup` wrote."""
    conf = city.folder / "mosquitto.conf"
    conf.write_text((city.place.broker / "mosquitto.conf").read_text() + "user root\n")
    argv = [services.require("mosquitto"), "-c", str(conf)]
    with services.started(argv, city.folder / "mosquitto.log") as process:
        services.wait_port(city.port, process)
        yield


def _cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


if __name__ == "__main__":
    sys.exit(main())
