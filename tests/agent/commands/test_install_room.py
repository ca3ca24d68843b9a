"""The room that `install` sets: kept, checked, and a value whatever it contains."""

from __future__ import annotations

from pathlib import Path

import pytest

import bundles
from agent import config
from agent.commands.install import with_room
from installing_pc import AS_ROOT, Pc

pytestmark = AS_ROOT


def test_the_room_of_this_pc_stays_when_the_bundle_comes_again(
    pc: Pc, capsys: pytest.CaptureFixture[str]
) -> None:
    assert pc.say("install", pc.bundle, "--room", "999") == 2
    assert "101、机房" in capsys.readouterr().err
    assert not pc.etc.exists()
    assert pc.say("install", pc.bundle, "--room", "机房") == 0
    assert config.load(str(pc.etc / "agent.toml"))[0].room == "机房"
    assert pc.say("install", pc.bundle) == 0
    assert config.load(str(pc.etc / "agent.toml"))[0].room == "机房"


@pytest.mark.parametrize("room", ["101", '二"楼\\', "a\nb", "七（1）班", "]\n[broker]"])
def test_a_room_is_a_value_and_nothing_else(tmp_path: Path, room: str) -> None:
    file = tmp_path / "agent.toml"
    once = with_room(bundles.settings(more='room = "old"').encode("utf-8-sig"), room)
    file.write_bytes(with_room(once, room))
    found = config.load(str(file), environ={"SCHOOLPULSE_BROKER_PASSWORD": "x"})[0]
    assert found.room == room
    assert found.broker.host == "127.0.0.1"


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-be", "gb18030"])
def test_a_room_is_set_in_settings_as_windows_tools_save_them(
    tmp_path: Path, encoding: str
) -> None:
    file = tmp_path / "agent.toml"
    own = ("# 电教室的设置\n" + bundles.settings()).encode(encoding)
    file.write_bytes(with_room(own, "七（1）班"))
    found = config.load(str(file), environ={"SCHOOLPULSE_BROKER_PASSWORD": "x"})[0]
    assert (found.room, found.broker.host) == ("七（1）班", "127.0.0.1")
