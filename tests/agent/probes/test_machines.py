"""`equipment --json` on school PCs of many shapes gives exactly the list in gold.

The trees are constructed (support/linux_trees.py, windows_trees.py). After a change that is meant,
look at `git diff` of the lists, line by line, that
`python -m pytest tests/agent/probes/test_machines.py --refresh` writes.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import linux_trees
import windows_trees
from agent.commands import equipment
from agent.common.command_line import DONE
from agent.config import Config
from agent.probes import Context

GOLD = Path(__file__).parents[2] / "gold/equipment"


def listed(context: Context, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints, laid out for reading."""
    assert equipment.show(equipment.look(Config(), context), as_json=True) == DONE
    found = json.loads(capsys.readouterr().out)
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def compare(name: str, found: str, request: pytest.FixtureRequest) -> None:
    file = GOLD / f"{name}.json"
    if request.config.getoption("--refresh"):
        file.parent.mkdir(exist_ok=True)
        file.write_text(found, encoding="utf-8")
    assert found == file.read_text(encoding="utf-8")


@pytest.mark.parametrize("shape", linux_trees.LINUX)
def test_linux(shape, tmp_path, capsys, request):
    linux_trees.LINUX[shape](linux_trees.LinuxTree(tmp_path))
    compare(f"linux-{shape}", listed(Context(tmp_path), capsys), request)


@pytest.mark.parametrize("shape", windows_trees.WINDOWS)
def test_windows(shape, tmp_path, capsys, request):
    tree = windows_trees.WINDOWS[shape]()
    compare(shape.replace("_", "-"), listed(Context(tmp_path, windows=tree), capsys), request)


def test_a_second_look_sees_the_same_and_what_is_plugged_in_again(tmp_path):
    linux_trees.panel(linux_trees.LinuxTree(tmp_path))
    context = Context(tmp_path)
    first = equipment.look(Config(), context).readings
    assert equipment.look(Config(), context).readings == first
    (tmp_path / "sys/bus/usb/devices/1-4").unlink()
    gone = equipment.look(Config(), context).readings
    absent = [(d.kind, d.connector) for d in gone if not d.present]
    assert absent == [("camera", "usb:1-4")]
    tree = linux_trees.LinuxTree(tmp_path)
    tree._link(tmp_path / "sys/bus/usb/devices/1-4",
               tmp_path / "sys/devices/pci0000:00/0000:00:14.0/usb1/1-4")  # fmt: skip
    assert equipment.look(Config(), context).readings == first
