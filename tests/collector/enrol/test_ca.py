"""The city's CA is renewed: the next one signs once all trust it, and nobody holds that up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.wire.renewal import ca_digest
from collector.enrol import pki
from enrolled_city import SCHOOLS, EnrolledCity

CODE = SCHOOLS[0]
PC = f"{0:032x}"


def test_the_next_ca_signs_once_all_trust_it(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    first = city.place.ca.read_text()
    city.heard(CODE, (PC, "a", 1), ca=ca_digest(first))
    assert city.ca("renew", "--sign") == 2  # there is no next one
    assert city.ca("renew") == 0
    both = city.place.ca.read_text()
    assert len(pki.certificates(both.encode())) == 2
    assert first in both
    renewal = json.loads((city.place.renewals / f"{CODE}.json").read_text())
    assert renewal["ca"] == both
    before = city.files()
    assert city.ca("renew") == 0
    assert city.files() == before
    assert city.ca("renew", "--sign") == 2
    assert CODE in capsys.readouterr().err
    assert city.files() == before
    city.heard(CODE, (PC, "a", 1), (PC, "b", 1), ca=ca_digest(both))
    assert city.ca("status") == 0
    assert city.ca("renew", "--sign") == 0
    after = city.place.ca.read_text()
    assert both == first + after
    assert pki.signed_by(pki.first(city.place.server.read_bytes()), pki.first(after.encode()))
    assert city.enrol("check") == 0
    assert city.setup() == 0
    capsys.readouterr()
    assert city.ca("status", "--json") == 0
    assert json.loads(capsys.readouterr().out)["stage"] == "none"


def test_force_signs_though_some_do_not_trust_it(city: EnrolledCity) -> None:
    city.enrol("--all")
    city.heard(CODE, (PC, "a", 1), ca="0" * 16)
    city.ca("renew")
    assert city.ca("renew", "--sign") == 2
    assert city.ca("renew", "--sign", "--force") == 0
    with city.state() as state:
        assert [e.detail.endswith("--force") for e in state.journal() if e.act == "ca sign"] == [
            True
        ]


def test_invented_pcs_of_one_school_hold_no_other_up(city: EnrolledCity, capsys: Any) -> None:
    city.enrol("--all")
    city.ca("renew")
    both = ca_digest(city.place.ca.read_text())
    city.heard(CODE, (PC, "a", 1), (PC, "b", 1), ca=both)
    city.heard(CODE, *((f"{n:032x}", "a", 1) for n in range(20)), ca="0" * 16)
    assert city.ca("renew", "--sign") == 2
    assert f"{CODE} (20)" in capsys.readouterr().err
    assert city.ca("status") == 0
    assert f"{CODE} (20)" in capsys.readouterr().out
    assert city.ca("renew", "--sign", "--without", "9963009999") == 2
    assert city.ca("renew", "--sign", "--without", "a school") == 2
    assert city.ca("renew", "--sign", "--without", CODE, "--without", "9963009999") == 0
    with city.state() as state:
        signed = [e.detail for e in state.journal() if e.act == "ca sign"]
    assert [text.partition(" ")[2] for text in signed] == [f"--without {CODE}"]


class Killed(BaseException):
    """As SIGKILL: nothing of ours catches it."""


@pytest.mark.parametrize("moment", range(9))
def test_a_ca_renewal_killed_anywhere_is_finished_by_the_next_run(
    city: EnrolledCity, monkeypatch: Any, moment: int
) -> None:
    """Before each file that is replaced, moved or removed."""
    city.enrol("--all")
    city.ca("renew")
    count = iter(range(1000))

    def dying(real: Any) -> Any:
        def call(path: Path, *more: Any, **named: Any) -> Any:
            if path.parent.resolve().name in ("etc", "broker") and next(count) == moment:
                raise Killed
            return real(path, *more, **named)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", dying(Path.replace))
        patch.setattr(Path, "unlink", dying(Path.unlink))
        try:
            city.ca("renew", "--sign")
        except Killed:
            pass
        else:
            pytest.skip("it takes fewer steps")
    status = city.ca("renew", "--sign")
    assert status in (0, 2)  # 2: it was finished but for the journal
    assert city.setup() == 0
    assert city.enrol("--all") == 0
    assert city.enrol("check") == 0
    assert len(pki.certificates(city.place.ca.read_bytes())) == 1
    assert not city.place.next_ca.exists()
