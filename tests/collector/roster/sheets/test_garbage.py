"""No bytes make the check crash, and what it takes without an error can be kept."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from collector.roster.book import RegisterBook
from collector.roster.sheets import errors, read_folder
from collector.roster.sheets.layout import SHEETS

_NASTY = st.sampled_from([
    ",", '"', "\n", "\r", "\0", "9.96E+09", "１", "　", "~", "、", "2026-02-30", "630102", "=1+1",
    "\ud7ff", "\U0001f3eb", "é", "\u202e", "-", "1e999", "学期", "放假", "\t", ";", "0", "²", "①",
])  # fmt: skip


def _check(files: dict[str, bytes]) -> None:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for file, data in files.items():
            (folder / file).write_bytes(data)
        rows, problems = read_folder(folder)
        for problem in problems:
            assert problem.file
            assert str(problem)
        if errors(problems):
            assert not any(rows.counts().values())
        else:
            book = RegisterBook(folder / "book" / "register.db")
            book.import_rows(rows)
            assert book.rows() == rows


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.sampled_from([s.file for s in SHEETS.values()]), st.binary(max_size=300)))
def test_any_bytes_in_any_sheet(files: dict[str, bytes]) -> None:
    _check(files)


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_a_good_register_with_anything_put_anywhere(data: st.DataObject) -> None:
    texts = dict(_SHEETS)
    name = data.draw(st.sampled_from(sorted(texts)))
    text = texts[name]
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(text)))
        end = at + data.draw(st.integers(0, 12))
        put = data.draw(_NASTY | st.text(st.characters(codec="utf-8"), max_size=5))
        text = text[:at] + put + text[end:]
    _check({f"{key}.csv": (text if key == name else own).encode() for key, own in texts.items()})


_SHEETS = {
    sheet.name: ",".join(column.name for column in sheet.columns)
    + "\n"
    + ",".join(f'"{column.example}"' for column in sheet.columns)
    + "\n"
    for sheet in SHEETS.values()
}


def test_the_examples_of_the_layout_are_a_register(tmp_path: Path) -> None:
    for name, text in _SHEETS.items():
        (tmp_path / f"{name}.csv").write_text(text, encoding="utf-8")
    rows, problems = read_folder(tmp_path)
    assert problems == []
    assert set(rows.counts().values()) == {1}
