"""Checking a city of 600 schools in one workbook, and 1,048,576 rows: `make bench-roster`.

Each reading is a process of its own, so that its memory is its own.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

from city_rows import city_rows
from collector.roster.sheets import read_folder, write_book
from collector.roster.sheets.sheetxml import Styles
from collector.roster.sheets.workbook import BookSheet

SCHOOLS, MOST_ROWS = 600, 1_048_576
ALLOWED_S, ALLOWED_MB = 10.0, 200


def check(path: Path) -> str:
    """Read and check a workbook."""
    found, problems = read_folder(path)
    assert found.schools, "\n".join(map(str, problems[:10]))
    return f"{sum(found.counts().values())} rows of {len(found.schools)} schools"


def stream(path: Path) -> str:
    """Read the rows of the largest sheet that there can be."""
    sheet = BookSheet(path, "xl/worksheets/sheet1.xml", "班级", Styles())
    return f"{sum(1 for _ in sheet.rows())} rows"


def largest(path: Path) -> None:
    """A workbook's sheet of as many rows as Excel has, five cells each."""
    with (
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("xl/worksheets/sheet1.xml", "w", force_zip64=True) as target,
    ):
        target.write(b'<worksheet xmlns="x"><sheetData>')
        for block in _blocks():
            target.write(block)
        target.write(b"</sheetData></worksheet>")


def _blocks() -> Iterator[bytes]:
    for row in range(1, MOST_ROWS + 1):
        cells = "".join(
            f'<c r="{letter}{row}" t="inlineStr"><is><t>{text}</t></is></c>'
            for letter, text in zip(
                "ABCDE", (9963020001, row, "0101", "2026-09-01", ""), strict=True
            )
        )
        yield f'<row r="{row}">{cells}</row>'.encode()


def measured(what: str, path: Path) -> tuple[float, int]:
    """Seconds of CPU and MB of memory of one reading in a process of its own."""
    ran = subprocess.run(
        [sys.executable, __file__, what, str(path)], check=True, capture_output=True, text=True
    )
    told, seconds, kilobytes = ran.stdout.rsplit(maxsplit=2)
    print(f"{what}: {told}: {float(seconds):.1f} s of CPU, {int(kilobytes) // 1024} MB")
    return float(seconds), int(kilobytes) // 1024


def _peak_kb() -> int:
    """The peak of this program's memory; what getrusage tells is inherited from the starter."""
    status = Path("/proc/self/status").read_text(encoding="utf-8")
    return int(status.split("VmHWM:")[1].split()[0])


def main() -> None:
    """Print a line each; exit code 1 where the city takes too long or too much."""
    if len(sys.argv) == 3:
        told = {"check": check, "stream": stream}[sys.argv[1]](Path(sys.argv[2]))
        print(told, time.process_time(), _peak_kb())
        return
    with tempfile.TemporaryDirectory() as folder:
        book, large = Path(folder) / "city.xlsx", Path(folder) / "largest.xlsx"
        write_book(book, city_rows(SCHOOLS))
        seconds, megabytes = measured("check", book)
        largest(large)
        measured("stream", large)
    raise SystemExit(seconds > ALLOWED_S or megabytes > ALLOWED_MB)


if __name__ == "__main__":
    main()
