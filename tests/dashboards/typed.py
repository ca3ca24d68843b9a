"""Hold the built boards against the types that Grafana publishes: needs node and npm.

    python tests/dashboards/typed.py [VERSION ...]

For each version of @grafana/schema the boards are written out as TypeScript constants of type
`Dashboard` and compiled. JSON has no enums and no -Infinity: `Plain` lets an enum be its text,
and a number be null, which is how Grafana itself saves the lowest threshold. The types of 9.3
know "utc" and "browser" alone as time zones, where Grafana 9.3 itself takes any: there the
time zone is any text.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

BUILT = Path(__file__).parents[2] / "dashboards" / "built"
VERSIONS = ("9.3.2", "11.4.0", "13.2.3")
_PLAIN = """
type Plain<T> = T extends string ? `${T}` : T extends number ? T | null
  : T extends readonly (infer U)[] ? readonly Plain<U>[]
  : T extends object ? { readonly [K in keyof T]: Plain<T[K]> } : T;
"""
_BOARD = "type Board = Omit<Dashboard, 'timezone'> & { timezone?: string };"
_TSC = ("--noEmit", "--strict", "--skipLibCheck", "--moduleResolution", "node",
        "--target", "es2020", "--module", "es2020")  # fmt: skip


def check(folder: Path, version: str) -> int:
    """Compile all boards against one version; the compiler's exit code."""
    npm = ["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--silent"]
    subprocess.run([*npm, "typescript@5.6.3", f"@grafana/schema@{version}"], cwd=folder, check=True)
    parts = [f"import type {{ Dashboard }} from '@grafana/schema';{_PLAIN}{_BOARD}"]
    boards = sorted(BUILT.rglob("*.json"))
    for number, path in enumerate(boards):
        parts.append(f"const raw{number} = {path.read_text('utf-8').strip()} as const;")
        parts.append(f"export const board{number}: Plain<Board> = raw{number};")
    (folder / "boards.ts").write_text("\n".join(parts), "utf-8")
    ran = subprocess.run(["npx", "tsc", *_TSC, "boards.ts"], cwd=folder, check=False)
    print(f"@grafana/schema {version}: {len(boards)} boards, exit {ran.returncode}")
    return ran.returncode


def main() -> int:
    """Check each version; 1 where one refuses a board."""
    failed = 0
    for version in sys.argv[1:] or VERSIONS:
        with tempfile.TemporaryDirectory(prefix="schoolpulse-types-") as folder:
            failed |= check(Path(folder), version)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
