"""The CSV files, as Excel reads them."""

from __future__ import annotations

import zipfile
from io import BytesIO
from typing import Any

from collector import report
from collector.report.actions import plan
from office_files import sheets
from report_cases import ODD_NAMES, almost, odd


def made(figure: Any) -> bytes:
    return report.render(figure, "csv")


def readme(data: bytes) -> str:
    with zipfile.ZipFile(BytesIO(data)) as source:
        return source.read("README.txt").decode("utf-8-sig")


def test_one_file_a_table(town: Any) -> None:
    figure = town.figure()
    found = sheets(made(figure))
    assert set(found) == {
        "summary", "gaps", "actions", "disputes", "districts", "schools", "classes", "lines",
        "evidence", "trend", "doubts",
    }  # fmt: skip
    assert len(found["actions"]) == 1 + len(plan(figure).actions)
    assert len(found["classes"]) == 1 + 5
    for name, lines in found.items():
        assert {len(line) for line in lines} == {len(lines[0])}, name


def test_a_share_is_the_shown_number(town: Any) -> None:
    head, *lines = sheets(made(almost(town.figure())))["summary"]
    line = next(line for line in lines if line[2].startswith("10M"))
    assert line[head.index("核实率（%）")] == "79.9"


def test_what_a_sheet_would_count_or_change_is_text(town: Any) -> None:
    names = [line[3] for line in sheets(made(odd(town)))["classes"]]
    for name in ODD_NAMES:
        said = name.replace("\t", "\\t").replace("\x01", "\\x01")  # control characters are shown
        plain = name in ("<b>&\"'", "𠮷班") or said != name
        assert (said if plain else f"'{said}") in names, name
    assert not [cell for cell in names if cell.startswith(("=", "+", "-", "@", "\t"))]


def test_every_file_has_windows_lines(town: Any) -> None:
    with zipfile.ZipFile(BytesIO(made(town.figure()))) as source:
        for name in source.namelist():
            data = source.read(name)
            assert data.count(b"\n") == data.count(b"\r\n")


def test_our_own_words_are_in_gbk(town: Any) -> None:
    data = made(town.figure())
    for lines in sheets(data).values():
        for line in lines:
            "".join(line).encode("gbk")
    assert "GBK" not in readme(data)


def test_a_name_that_gbk_lacks_is_kept_and_told(town: Any) -> None:
    data = made(odd(town))
    assert "𠮷班" in [line[3] for line in sheets(data)["classes"]]
    assert "classes.csv:" in readme(data)
    assert "𠮷班" in readme(data)


def test_marked_in_every_row_where_simulated(town: Any) -> None:
    town.saw("103", (1,), simulated=True)
    data = made(town.figure())
    assert "模拟数据" in readme(data)
    assert all(line[-1] == "模拟数据" for lines in sheets(data).values() for line in lines)
