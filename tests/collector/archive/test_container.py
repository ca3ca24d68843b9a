"""The bytes of an archive: fixed by its members, read by other programs, every byte known."""

from __future__ import annotations

import io
import zipfile

import pytest

from collector.archive import container
from collector.archive.container import Entry, TooLargeError, by_directory, by_headers, pack

MEMBERS = {"README.txt": "说明".encode(), "a/b.csv": b"", "c.json": b"{}" * 1000}


def test_other_programs_read_it() -> None:
    with zipfile.ZipFile(io.BytesIO(pack(MEMBERS))) as archive:
        assert archive.testzip() is None
        assert {name: archive.read(name) for name in archive.namelist()} == MEMBERS
        assert {one.date_time for one in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}


def test_both_ways_in_lead_to_the_same_members() -> None:
    data = pack(MEMBERS)
    entries = by_headers(data)
    assert entries
    assert [(one.name, one.size) for one in entries] == [(k, len(v)) for k, v in MEMBERS.items()]
    assert by_directory(data) == entries


def test_a_changed_byte_anywhere_but_in_the_data_breaks_one_way_in() -> None:
    data = pack(MEMBERS)
    inside = {at for at, _ in enumerate(data) if at in _places(data)}
    for at in range(len(data)):
        hurt = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        ways = by_headers(hurt), by_directory(hurt)
        assert (ways == (by_headers(data), by_directory(data))) == (at in inside), at


def _places(data: bytes) -> set[int]:
    """Where the members' data lies, by their content."""
    found: set[int] = set()
    for member in filter(None, MEMBERS.values()):
        begin = data.index(member)
        found.update(range(begin, begin + len(member)))
    return found


@pytest.mark.parametrize("data", [b"", b"PK\5\6", b"PK\5\6" + b"\0" * 18, b"x" * 100])
def test_what_is_no_archive_has_no_members(data: bytes) -> None:
    assert by_directory(data) is None
    assert by_headers(data) is None


def test_too_much_is_refused_instead_of_written_wrongly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container, "_LARGEST", len(pack(MEMBERS)) - 1)
    with pytest.raises(TooLargeError):
        pack(MEMBERS)
    assert Entry("x", 0, 5).length == 36
