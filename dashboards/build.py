"""Build every board in every language: files of JSON, the same bytes for the same source."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from agent.common.vocabulary.words import LANGS
from dashboards import alerts, equipment, lines, operations, overview, runbook, school
from dashboards.edition import Edition
from dashboards.panels import Json

BUILT = Path(__file__).parent / "built"
BOARDS: Mapping[str, Callable[[Edition], Json]] = {
    "overview": overview.build,
    "school": school.build,
    "lines": lines.build,
    "equipment": equipment.build,
    "operations": operations.build,
    "runbook": runbook.build,
}
#: What `dashboards/built` holds: the default threshold.
EDITIONS = tuple(Edition(lang) for lang in LANGS)


def files(editions: Iterable[Edition] = EDITIONS) -> dict[str, bytes]:
    """Path below the folder -> content, as `zh/overview.json` and `zh/rules.yaml`."""
    made = {}
    for edition in editions:
        for name, build in BOARDS.items():
            made[f"{edition.lang}/{name}.json"] = _bytes(build(edition))
        made[f"{edition.lang}/rules.yaml"] = alerts.provisioned(edition)
    return made


def write(folder: Path, editions: Iterable[Edition] = EDITIONS) -> list[Path]:
    """Write every board below `folder`; the paths written.

    Raises:
        OSError: the folder cannot be written.
    """
    written = []
    for name, content in files(editions).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
        written.append(path)
    return written


def _bytes(board: Json) -> bytes:
    return (json.dumps(board, ensure_ascii=False, indent=1) + "\n").encode()
