"""The figure as people and machines read it: one module a format.

All formats are rendered before the first file is written, and each file replaces its
predecessor in one step: a half-written report never stands.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Protocol, cast

from agent.common.command_line import RefusedError
from agent.common.files import replace
from agent.common.language import for_documents
from collector.compliance.model import Figure
from collector.report.context import Context

__all__ = [
    "DRAWN",
    "ENDINGS",
    "FORMATS",
    "BrokenFormatError",
    "Context",
    "Format",
    "file_name",
    "put",
    "render",
    "render_all",
    "write",
]

#: Imported on first use; each is a `Format`.
FORMATS = {
    "xlsx": "collector.report.xlsx",
    "docx": "collector.report.docx",
    "html": "collector.report.html",
    "csv": "collector.report.csv",
    "json": "collector.report.json",
    "pdf": "collector.report.pdf",
    "png": "collector.report.png",
    "svg": "collector.report.svg",
}
#: Of formats whose file is not called as they are.
ENDINGS = {"csv": "csv.zip"}
#: Formats that want a Chinese font of this machine. Where it has none, the others can be made.
DRAWN = frozenset({"pdf", "png"})

_ALONE = Context()


class BrokenFormatError(Exception):
    """A format cannot be rendered; its argument is the format's name, its cause what happened."""


class Format(Protocol):
    """A module of this package that renders one format."""

    def render(self, figure: Figure, context: Context) -> bytes:
        """The whole file. Does no I/O beyond its own template."""


def file_name(figure: Figure, name: str, context: Context = _ALONE) -> str:
    """What a format's file is called: with the code of the area where it is not the city."""
    area = f"-{context.selection.code}" if context.selection.code else ""
    return f"schoolpulse-{figure.year}{area}.{ENDINGS.get(name, name)}"


def render(figure: Figure, name: str, context: Context = _ALONE) -> bytes:
    """The figure in one of `FORMATS`, in the language of documents.

    Raises:
        KeyError: no such format.
    """
    module = cast(Format, importlib.import_module(FORMATS[name]))
    with for_documents():
        return module.render(figure, context)


def render_all(
    figure: Figure,
    formats: Iterable[str],
    context: Context = _ALONE,
    tell: Callable[[str], None] = lambda name: None,
) -> dict[str, bytes]:
    """Every format by the name of its file; `tell` hears of each format before it is rendered.

    Raises:
        KeyError: no such format.
        BrokenFormatError: a format failed.
    """
    made = {}
    for name in formats:
        tell(name)
        made[file_name(figure, name, context)] = _rendered(figure, name, context)
    return made


def _rendered(figure: Figure, name: str, context: Context) -> bytes:
    """As `render`; a fault of ours or of a library is named by its format.

    What the user can mend (a library or a font that is missing) already says so itself.
    """
    if name not in FORMATS:
        raise KeyError(name)
    try:
        return render(figure, name, context)
    except (RefusedError, ModuleNotFoundError, MemoryError):
        raise
    except Exception as error:
        raise BrokenFormatError(name) from error


def put(folder: Path, files: Mapping[str, bytes]) -> list[Path]:
    """Write files into a folder, which is made where it is missing, each in one step.

    Raises:
        OSError: a file cannot be written; what stood there before stands.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        replace(folder / name, data)
    return [folder / name for name in files]


def write(
    figure: Figure, folder: Path, formats: Iterable[str], context: Context = _ALONE
) -> list[Path]:
    """Render all, then write all.

    Raises:
        KeyError: no such format.
        BrokenFormatError: a format failed, and nothing was written.
        OSError: a file cannot be written; what stood there before stands.
    """
    return put(folder, render_all(figure, formats, context))
