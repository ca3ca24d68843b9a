"""Rights of files in Windows' notation; descriptors as Windows 10 gives them."""

from __future__ import annotations

import re

import pytest

from agent.windows import sddl

SERVICE = "SchoolPulseAgent"
SID = sddl.service_sid(SERVICE)
#: C:\Program Files: TrustedInstaller, system, administrators; users read.
PROGRAM_FILES = (
    "O:S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    "D:PAI(A;;FA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;CIIO;GA;;;S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464)"
    "(A;;0x1301bf;;;SY)(A;OICIIO;GA;;;SY)(A;;0x1301bf;;;BA)(A;OICIIO;GA;;;BA)"
    "(A;;0x1200a9;;;BU)(A;OICIIO;GXGR;;;BU)(A;OICIIO;GA;;;CO)(A;;0x1200a9;;;AC)"
)
#: A folder made in C:\ : whoever is logged in may change it.
IN_THE_ROOT = (
    "O:BAD:AI(A;OICIID;FA;;;BA)(A;OICIID;FA;;;SY)(A;OICIID;0x1200a9;;;BU)(A;ID;0x1301bf;;;AU)"
)
#: ProgramData: users read, and make files and folders.
PROGRAM_DATA = (
    "O:SYD:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIIOID;GA;;;CO)(A;OICIID;0x1200a9;;;BU)"
    "(A;CIID;DCLCRPCR;;;BU)"
)


def test_the_sid_of_a_service_is_the_one_that_windows_computes() -> None:
    """TrustedInstaller's is in Microsoft's documents."""
    known = "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464"
    assert sddl.service_sid("TrustedInstaller") == known
    assert sddl.service_sid("trustedinstaller") == known


@pytest.mark.parametrize(
    ("text", "wanted", "who"),
    [
        (PROGRAM_FILES, sddl.CHANGE, []),
        (PROGRAM_FILES, sddl.READ, ["BU", "AC"]),
        (IN_THE_ROOT, sddl.CHANGE, ["AU"]),
        (PROGRAM_DATA, sddl.CHANGE, ["BU"]),
        (PROGRAM_DATA, sddl.READ, ["BU"]),
        ("O:BAD:(A;;FA;;;WD)", sddl.CHANGE, ["WD"]),
        ("O:BAD:(A;;FR;;;WD)", sddl.CHANGE, []),
        ("O:BAD:(A;;GAGR;;;S-1-5-21-1-2-3-1001)", sddl.CHANGE, ["S-1-5-21-1-2-3-1001"]),
        ("O:BAD:(D;;FA;;;WD)(A;;FA;;;BA)", sddl.CHANGE, []),
        ("O:BAD:NO_ACCESS_CONTROL", sddl.READ, ["everybody"]),
        ("O:BA", sddl.READ, ["everybody"]),
        ("O:BAD:", sddl.READ, []),
        ("O:BAD:P", sddl.READ, []),
    ],
)
def test_who_else_may(text: str, wanted: int, who: list[str]) -> None:
    assert sddl.others(text, wanted) == who


def test_what_we_set_is_for_the_system_administrators_and_the_service_alone() -> None:
    for text in (sddl.folder(SERVICE), sddl.secret(SERVICE)):
        assert text.startswith("D:P(")
        assert sddl.named(text) == {"SY", "BA", SID}
        assert sddl.others(text, sddl.READ | sddl.CHANGE, SID) == []
        assert sddl.others(text, sddl.READ) == [SID]
    assert not sddl.allowed(sddl.secret(SERVICE), SID) & sddl.CHANGE
    working = sddl.allowed(sddl.folder(SERVICE), SID)
    reads_writes_deletes, rights_and_owner = 0x1 | 0x2 | 0x10000, 0x40000 | 0x80000
    assert working & (reads_writes_deletes | rights_and_owner) == reads_writes_deletes


def test_a_folder_of_others_too_gets_the_service_added_once() -> None:
    once = sddl.granted("O:BAD:(A;OICI;FA;;;BU)(A;OICIID;FA;;;SY)", SERVICE)
    assert once == f"D:(A;OICI;FA;;;BU)(A;OICIIO;0x1301bf;;;{SID})(A;;0x1201bf;;;{SID})"
    assert sddl.granted(once, SERVICE) == once


def test_the_account_works_in_its_folder_and_cannot_put_another_in_its_place() -> None:
    for text in (sddl.folder(SERVICE), sddl.granted("D:", SERVICE)):
        on_itself = [
            one for one in re.findall(r"\(([^)]*)\)", text) if "IO" not in one.split(";")[1]
        ]
        (own,) = [one.split(";")[2] for one in on_itself if one.endswith(SID)]
        assert not int(own, 16) & 0x10000, "DELETE"
        assert int(own, 16) & 0x2, "files may be made in it"
