"""Build every board in every language: files of JSON, the same bytes for the same source."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from dashboards import alerts, equipment, lines, operations, overview, runbook, school
from dashboards.panels import Json
from dashboards.words import LANGS, Lang

BUILT = Path(__file__).parent / "built"
BOARDS: Mapping[str, Callable[[Lang], Json]] = {
    "overview": overview.build,
    "school": school.build,
    "lines": lines.build,
    "equipment": equipment.build,
    "operations": operations.build,
    "runbook": runbook.build,
}


def files() -> dict[str, bytes]:
    """Path below the folder -> content, as `zh/overview.json` and `zh/rules.yaml`."""
    boards = {
        f"{lang}/{name}.json": _bytes(make(lang)) for lang in LANGS for name, make in BOARDS.items()
    }
    return boards | {f"{lang}/rules.yaml": alerts.provisioned(lang) for lang in LANGS}


def write(folder: Path) -> list[Path]:
    """Write every board below `folder`; the paths written.

    Raises:
        OSError: the folder cannot be written.
    """
    written = []
    for name, content in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def _bytes(board: Json) -> bytes:
    return (json.dumps(board, ensure_ascii=False, indent=1) + "\n").encode()
