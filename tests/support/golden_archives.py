"""Writes the golden archives of the method in force: `python tests/support/golden_archives.py`.

An archive of a released method is never written anew: it shows that the method still runs.
"""

from __future__ import annotations

import tempfile
from pathlib import Path

from collector.archive import rollup
from collector.archive.method import METHOD
from collector.archive.parts import added
from collector.archive.summary import frozen
from freeze_town import put, town

FOLDER = Path(__file__).parents[1] / "gold" / "archives"
ROOTS = FOLDER / "ROOTS"


def main() -> None:
    """A first revision, a second one, and their sum with nothing: each with its root hash."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for old in FOLDER.glob(f"method-{METHOD}-*.zip"):
        old.unlink()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        made = town()
        first = put(made, folder)
        made.inspected("computer_room", 5, False)
        second = put(made, folder, reason="补录核查")
        parts = [rollup.part(second.path)]
        rollup.write(added(parts, "630000", "青海省"), parts, folder / "sum.zip")
        paths = {"r1": first.path, "r2": second.path, "sum": folder / "sum.zip"}
        for kind, path in paths.items():
            (FOLDER / f"method-{METHOD}-{kind}.zip").write_bytes(path.read_bytes())
    lines = [f"{row.root}  {row.file}\n" for row in frozen(FOLDER)]
    ROOTS.write_text("".join(sorted(lines)), encoding="ascii")


if __name__ == "__main__":
    main()
