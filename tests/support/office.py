"""LibreOffice, headless, with a profile of its own: no other instance is disturbed."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import pytest

_LIBRARIES = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE library:{kind} PUBLIC "-//OpenOffice.org//DTD OfficeDocument 1.0//EN" "{file}.dtd">
"""
_NS = 'xmlns:library="http://openoffice.org/2000/library"'
#: Typed into cells, then saved; what is typed is parsed as the cell's format says.
_MACRO = """Sub Fill(source, target)
  Dim hidden(0) As New com.sun.star.beans.PropertyValue
  hidden(0).Name = "Hidden"
  hidden(0).Value = True
  doc = StarDesktop.loadComponentFromURL(source, "_blank", 0, hidden())
  frame = doc.CurrentController.Frame
  dispatcher = createUnoService("com.sun.star.frame.DispatchHelper")
  Dim words(0) As New com.sun.star.beans.PropertyValue
{lines}
  Dim form(0) As New com.sun.star.beans.PropertyValue
  form(0).Name = "FilterName"
  form(0).Value = "Calc MS Excel 2007 XML"
  doc.storeToURL(target, form())
  doc.close(True)
End Sub
"""

_STEP = """  words(0).Name = "{name}"
  words(0).Value = "{value}"
  dispatcher.executeDispatch(frame, ".uno:{command}", "", 0, words())
"""

Typed = tuple[str, int, int, str]  # sheet, row and column from 1, what is typed


def _dispatch(command: str, name: str, value: str) -> str:
    """A step of the macro: what the user interface would do."""
    return _STEP.format(command=command, name=name, value=value)


class Office:
    """One profile; each call is a process that ends."""

    def __init__(self, profile: Path) -> None:
        program = shutil.which("soffice")
        if program is None:
            pytest.skip("LibreOffice is not installed")
        self._words = [program, f"-env:UserInstallation={profile.as_uri()}", "--headless"]
        self._basic = profile / "user/basic"

    def convert(self, path: Path, kind: str, out: Path) -> list[Path]:
        """Open a file and save it as something else: the files that were written."""
        self._run("--convert-to", kind, "--outdir", str(out), str(path))
        return sorted(out.iterdir())

    def fill(self, path: Path, typed: Sequence[Typed], out: Path) -> Path:
        """Open a workbook, type into its cells, and save it as another."""
        lines = "\n".join(
            _dispatch("GoToCell", "ToPoint", f"${sheet}.${chr(64 + column)}${row}")
            + _dispatch("EnterString", "StringName", text)
            for sheet, row, column, text in typed
        )
        self._write_macro(_MACRO.format(lines=lines))
        call = f'macro:///Standard.Filling.Fill("{path.as_uri()}","{out.as_uri()}")'
        self._run(call)
        return out

    def _run(self, *words: str) -> None:
        subprocess.run([*self._words, *words], check=True, capture_output=True, timeout=300)

    def _write_macro(self, source: str) -> None:
        if not self._basic.exists():
            self._run("--terminate_after_init")  # makes the profile
        folder = self._basic / "Standard"
        folder.mkdir(parents=True, exist_ok=True)
        module = (
            '<?xml version="1.0" encoding="UTF-8"?>\n<script:module '
            'xmlns:script="http://openoffice.org/2000/script" script:name="Filling" '
            f'script:language="StarBasic">{escape(source)}</script:module>'
        )
        (folder / "Filling.xba").write_text(module, encoding="utf-8")
        listed = (
            f'<library:library {_NS} library:name="Standard" library:readonly="false" '
            'library:passwordprotected="false">{}</library:library>'
        )
        head = _LIBRARIES.format(kind="library", file="library")
        element = '<library:element library:name="Filling"/>'
        (folder / "script.xlb").write_text(head + listed.format(element), encoding="utf-8")
