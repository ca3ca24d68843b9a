"""The figure as people and machines read it: one module a format.

All formats are rendered before the first file is written, and each file replaces its
predecessor in one step: a half-written report never stands.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol, cast

from agent.common.files import replace
from agent.common.language import for_documents
from collector.compliance.model import Figure
from collector.report.context import Context

__all__ = ["ENDINGS", "FORMATS", "Context", "Format", "file_name", "render", "write"]

#: Imported on first use; each is a `Format`.
FORMATS = {
    "xlsx": "collector.report.xlsx",
    "docx": "collector.report.docx",
    "html": "collector.report.html",
    "csv": "collector.report.csv",
    "json": "collector.report.json",
}
#: Of formats whose file is not called as they are.
ENDINGS = {"csv": "csv.zip"}

_ALONE = Context()


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


def write(
    figure: Figure, folder: Path, formats: Iterable[str], context: Context = _ALONE
) -> list[Path]:
    """Render all, then write all into `folder`, which is made where it is missing.

    Raises:
        KeyError: no such format.
        OSError: a file cannot be written; what stood there before stands.
    """
    rendered = {
        folder / file_name(figure, name, context): render(figure, name, context) for name in formats
    }
    folder.mkdir(parents=True, exist_ok=True)
    for path, data in rendered.items():
        replace(path, data)
    return list(rendered)
