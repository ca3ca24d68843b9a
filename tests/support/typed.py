"""`schoolpulse` as it is typed, on a data folder of the test's own."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from agent.common.command_line import main
from collector.cli import COMMANDS

_PROGRAM = "from collector.cli import main; raise SystemExit(main())"


class Typed:
    """Command lines, each with its exit code and all that it says."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "collector.toml"
        self.config.write_text(f'data = "{self.data}"\n', encoding="utf-8")
        self._capsys = capsys

    def __call__(self, *words: object) -> tuple[int, str]:
        """In this process, where nobody sits at a terminal."""
        code = main("schoolpulse", COMMANDS, self._argv(words))
        seen = self._capsys.readouterr()
        return code, seen.out + seen.err

    def at_terminal(self, *words: object, answer: str = "") -> tuple[int, str]:
        """On a terminal, where somebody types `answer` as soon as a question is asked."""
        inner, outer = pty.openpty()
        argv = [sys.executable, "-c", _PROGRAM, *self._argv(words)]
        child = subprocess.Popen(
            argv, stdin=outer, stdout=outer, stderr=outer,
            env=os.environ | {"SCHOOLPULSE_LANG": "zh", "COLUMNS": "160"},
        )  # fmt: skip
        os.close(outer)
        text = b""
        while chunk := _read(inner):
            text += chunk
            if answer and "输入 y".encode() in text:
                os.write(inner, f"{answer}\n".encode())
                answer = ""
        os.close(inner)
        return child.wait(), text.decode()

    def _argv(self, words: tuple[object, ...]) -> list[str]:
        return [*map(str, words), "--config", str(self.config)]


def _read(handle: int) -> bytes:
    try:
        return os.read(handle, 4096)
    except OSError:  # Linux says so where the other end is closed
        return b""


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    """The command line of a city whose data folder does not exist yet."""
    return Typed(tmp_path, capsys)
