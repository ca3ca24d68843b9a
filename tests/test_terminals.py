"""Both programs on terminals that cannot show what they say: no traceback, the same exit codes."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import os
import pty
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from agent.cli import COMMANDS as AGENT
from agent.common.calendar import CITY_TIME
from agent.wire import device_id
from collector.cli import COMMANDS as CITY
from collector.config import Config
from collector.keeper import Keeper
from collector.roster.book import RegisterBook
from collector.roster.book.mutes import Mute, set_mute
from collector.roster.rows import rows_of
from collector.service.pipeline.quarantine import FILE, Quarantine, Row
from collector.store.base import Point
from collector.store.sqlite import SqliteStore
from command_driver import DRIVER
from judged_town import build, line_points, room_point
from small_town import CODE

ODD = "བོད་ལྗོངས 😀 𠮷 [/b] :x:"  # Tibetan, an emoji, a rare Chinese character, rich's markup
ENCODINGS = ("gbk", "ascii", "latin-1")
PC = "c" * 32


class Said(NamedTuple):
    codes: list[Any]
    out: bytes
    err: bytes


def run(module: str, lines: list[list[str]], encoding: str, folder: Path, lang: str = "zh") -> Said:
    """The exit code of each command line on a terminal of that encoding, and all output."""
    given, codes = folder / "lines.json", folder / "codes.json"
    given.write_text(json.dumps(lines), encoding="utf-8")
    environ = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "SCHOOLPULSE_LANG": lang}
    argv = [sys.executable, "-c", DRIVER, module, str(given), str(codes)]
    done = subprocess.run(argv, capture_output=True, timeout=300, env=environ, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    return Said(json.loads(codes.read_text()), done.stdout, done.stderr)


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(("module", "commands"), [("agent.cli", AGENT), ("collector.cli", CITY)])
def test_help_and_wrong_words(module: str, commands: Any, encoding: str, tmp_path: Path) -> None:
    lines = [["--help"], *([name, "--help"] for name in commands)]
    wrong = [[name, f"--{ODD}"] for name in commands] + [[ODD], []]
    said = run(module, lines + wrong, encoding, tmp_path)
    assert said.codes == [0] * len(lines) + [2] * len(wrong)
    assert b"Traceback" not in said.err


@pytest.fixture(scope="module")
def city(tmp_path_factory: Any) -> Path:
    """A city side with a school, devices, mutes and messages of odd names."""
    folder = tmp_path_factory.mktemp("city")
    (folder / "collector.toml").write_text(f'data = "{folder}"\nlang = ""\n', encoding="utf-8")
    town = build(dt.date(2025, 12, 31))
    town.school(name=ODD)
    book = RegisterBook(folder / "register.db")
    book.import_rows(rows_of(town.register()), who=ODD, now=dt.datetime(2025, 9, 1, tzinfo=dt.UTC))
    town.inspected("line", 30, True)
    book.add_inspections([dataclasses.replace(row, note=ODD) for row in town.inspections])
    now = dt.datetime.now(CITY_TIME)
    set_mute(book.path, Mute(CODE, now.date(), ODD, ODD), now)
    quarantine = Quarantine(folder / FILE, 10**6)
    quarantine.add([Row(time.time_ns(), ODD, ODD.encode(), f"unreadable: {ODD}")])
    quarantine.close()
    with SqliteStore(folder / "schoolpulse.db") as store:
        evidence = town.evidence()
        store.write([*(room_point(row, "630102") for row in evidence.room_days)])
        store.write([*line_points(evidence), *devices(time.time_ns())])
        config = Config(data=str(folder))
        keeper = Keeper(store, book.load, config.figure, config.city)
        keeper.derive([now.date() - dt.timedelta(days=1), now.date()])
    return folder


def devices(now: int) -> Iterator[Point]:
    """A PC of an odd name, reported three times, with a faulty projector of one."""
    tags = {"school": CODE, "machine": PC}
    for at in (now - minutes * 60 * 10**9 for minutes in (20, 15, 10)):
        yield Point("agent", tags, {"boot": "b", "number": 2, "probes": "displays"}, at)
        yield Point("host", tags, {"hostname": ODD}, at)
        device = device_id(PC, "projector", "HDMI-A-1")
        fields = {"present": True, "fault": "lamp", "power": "on", "connector": "HDMI-A-1",
                  "model": ODD, "serial": ODD}  # fmt: skip
        yield Point("device", {**tags, "kind": "projector", "device": device}, fields, at)


def daily(city: Path, out: Path) -> list[list[str]]:
    """What IT staff type, each with the settings of the city."""
    year = ["--year", "2025"]
    lines = [
        ["figure", *year], ["figure", *year, "--json"], ["figure", *year, "--explain", CODE],
        ["figure", *year, "--explain", ODD], ["report", *year, "--out", str(out / ODD)],
        ["machines", "list"], ["machines", "list", "--csv"], ["equipment"],
        ["equipment", "--csv"], ["equipment", "--json"], ["equipment", "--differences"],
        ["faults"], ["faults", "--csv"], ["faults", "--days", "3"], ["mute", "list"],
        ["roster", "history"], ["roster", "export", "--out", str(out / "sheets")],
        ["roster", "import", str(out / ODD), "--dry-run"], ["inspect", "list"],
        ["roster", "diff", "1"], ["roster", "diff", ODD], ["roster", "undo"],
        ["inspect", "add", "--school", ODD], ["inspect", "void", ODD, "--why", ODD],
        ["inspect", "sheet", "--school", ODD, "--out", str(out / "forms")], ["inspect", "check"],
        ["inspect", "import", str(out / ODD)], ["policy", "show"], ["policy", "show", CODE],
        ["policy", "show", ODD], ["policy", "set", ODD, f"{ODD}=1"], ["quarantine", "list"],
        ["quarantine", "list", "--json"], ["quarantine", "show", "1"],
        ["quarantine", "replay"], ["status"], ["status", "--csv"], ["doctor"], ["doctor", "--json"],
    ]  # fmt: skip
    return [[*line, "--config", str(city / "collector.toml")] for line in lines]


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_city_side(city: Path, encoding: str, lang: str, tmp_path: Path) -> None:
    able, unable = tmp_path / "able", tmp_path / "unable"
    able.mkdir()
    unable.mkdir()
    usual = run("collector.cli", daily(city, able), "utf-8", able, lang)
    said = run("collector.cli", daily(city, unable), encoding, unable, lang)
    assert said.codes == usual.codes
    assert set(usual.codes) == {0, 1, 2}
    assert usual.out.decode().count(ODD) > 20
    said.out.decode(encoding)
    assert b"Traceback" not in said.err


def test_json_for_programs_is_whole_on_any_terminal(city: Path, tmp_path: Path) -> None:
    line = ["equipment", "--json", "--config", str(city / "collector.toml")]
    for encoding in ("utf-8", *ENCODINGS):
        said = run("collector.cli", [line], encoding, tmp_path)
        (row,) = json.loads(said.out)
        assert (row["model"], row["hostname"], row["fault"]) == (ODD, ODD, "lamp")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_the_agent(encoding: str, tmp_path: Path) -> None:
    config = tmp_path / "agent.toml"
    watched = f'[[devices]]\nhost = "127.0.0.1"\nspeaks = "tcp"\nport = 9\nname = "{ODD}"\n'
    config.write_text(f'school = "{CODE}"\nroom = "{ODD}"\ndata = "{tmp_path}"\n{watched}', "utf-8")
    lines = [[name, "--config", str(config)] for name in ("once", "equipment", "outbox", "status")]
    lines += [["once", "--json", "--config", str(config)], ["doctor", "--config", str(config)]]
    lines += [["line", "--server", "http://127.0.0.1:9", "--config", str(config)]]
    lines += [["status", "--config", f"{tmp_path}/{ODD}"]]
    said = run("agent.cli", lines, encoding, tmp_path)
    assert said.codes == run("agent.cli", lines, "utf-8", tmp_path).codes
    assert said.codes[-3:] == [1, 1, 2]
    assert b"Traceback" not in said.err
    if encoding == "gbk":
        assert "× 消息服务可达" in said.out.decode(encoding)


#: A command whose bar is due at once; others show theirs after two seconds.
_WITH_A_BAR = f"""
from collector.commands.progress import Bar
with Bar("模拟 {ODD}", 3, after_s=0.0) as bar:
    bar._timer.join()  # it is drawn from here on
    for number in range(3):
        bar.step("{ODD}")
        bar.more(note="学校 ☂")
"""


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_progress_bar_on_such_a_terminal(encoding: str) -> None:
    ours, theirs = pty.openpty()
    environ = os.environ | {"PYTHONIOENCODING": f"{encoding}:strict", "TERM": "xterm"}
    with subprocess.Popen(
        [sys.executable, "-c", _WITH_A_BAR],
        stdin=theirs, stdout=theirs, stderr=theirs, env=environ,
    ) as process:  # fmt: skip
        os.close(theirs)
        shown = b"".join(_until_closed(ours))
    os.close(ours)
    assert process.returncode == 0, shown
    shown.decode(encoding)
    assert b"Traceback" not in shown
    assert b"\x1b[" in shown  # a bar was drawn


def _until_closed(descriptor: int) -> Iterator[bytes]:
    """What is written to a terminal; Linux ends it by an error."""
    while True:
        try:
            yield os.read(descriptor, 65536)
        except OSError:
            return


def test_reports_and_sheets_do_not_follow_the_terminal(city: Path, tmp_path: Path) -> None:
    """A report made over an English ssh session is Chinese still, until somebody asks."""
    environ = {k: v for k, v in os.environ.items() if k != "SCHOOLPULSE_LANG"}
    environ["LC_ALL"] = "en_US.UTF-8"

    def said(*words: str) -> str:
        argv = [sys.executable, "-m", "collector.cli", *words]
        argv += ["--config", str(city / "collector.toml")]
        done = subprocess.run(argv, capture_output=True, env=environ, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout.decode()

    def page(folder: Path) -> str:
        return (folder / "schoolpulse-2025.html").read_text(encoding="utf-8")

    year = ["--year", "2025"]
    assert "target" in said("figure", *year)
    said("report", *year, "--out", str(tmp_path / "plain"))
    assert '<html lang="zh-CN">' in page(tmp_path / "plain")
    said("report", *year, "--out", str(tmp_path / "asked"), "--lang", "en")
    assert '<html lang="en">' in page(tmp_path / "asked")
    assert "班级多媒体设备配备率" in said("figure", *year, "--json")
    assert said("faults", "--csv").startswith("学校,")
    assert said("faults", "--csv", "--lang", "en").startswith("school,")
    said("roster", "export", "--out", str(tmp_path / "sheets"))
    assert "学校标识码" in (tmp_path / "sheets/schools.csv").read_text(encoding="utf-8-sig")


def test_a_reader_that_has_gone_leaves_no_traceback(tmp_path: Path) -> None:
    """A short text is written at the end alone, when nothing would catch it any more."""
    reading, writing = os.pipe()
    os.close(reading)
    command = "import sys; from collector.cli import main; sys.exit(main())"
    words = [sys.executable, "-c", command, "roster", "template", "--out", str(tmp_path / "out")]
    buffered = {key: value for key, value in os.environ.items() if key != "PYTHONUNBUFFERED"}
    done = subprocess.run(
        words, stdout=writing, stderr=subprocess.PIPE, check=False, timeout=60, env=buffered
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, b"")


def test_without_any_output_a_command_ends_as_it_does_with_one() -> None:
    """A Windows service has none, and some starters close it."""
    words = [sys.executable, "-m", "agent.cli", "equipment", "--json"]
    done = subprocess.run(
        ["sh", "-c", 'exec "$@" >&-', "sh", *words], stderr=subprocess.PIPE, timeout=60, check=False
    )
    assert (done.returncode, done.stderr) == (0, b"")
