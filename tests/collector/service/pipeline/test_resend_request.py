"""What is asked for after a restore begins no later than the moment that was named."""

from __future__ import annotations

from pathlib import Path

import pytest

from collector.service.pipeline import resend_request as again_module
from collector.service.pipeline.resend_request import ResendRequest, ask

SINCE, NOW = 1_793_577_600_000, 1_793_600_000_000


@pytest.mark.parametrize("millis", [0, 1, 900, 999])
def test_evidence_of_the_named_second_is_asked_for_too(tmp_path: Path, millis: int) -> None:
    ask(tmp_path, SINCE, NOW + millis)
    since = ResendRequest(tmp_path, now=lambda: NOW / 1000 + 1).since
    assert since is not None
    assert SINCE - 1000 <= since <= SINCE
    assert since % 1000 == millis, "each asking is another one"


@pytest.mark.parametrize("damage", [b"", b'{"since":17', b"\xff\xfe\x00", b'{"since":"x","at":1}'])
def test_a_damaged_file_is_logged_once_with_its_name_and_the_fix(
    tmp_path: Path,
    damage: bytes,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(again_module, "_READ_EVERY_S", 0.0)
    ask(tmp_path, SINCE, NOW)
    again = ResendRequest(tmp_path, now=lambda: NOW / 1000)
    before = again.since
    (tmp_path / "again.json").write_bytes(damage)
    assert [again.since for _ in range(3)] == [before] * 3, "what was asked for is still asked for"
    (told,) = caplog.messages
    assert told.startswith("resend_request_unreadable ")
    assert str(tmp_path / "again.json") in told
    assert "ask-again" in told
    assert ResendRequest(tmp_path, now=lambda: NOW / 1000).since is None
    assert len(caplog.messages) == 2
    ask(tmp_path, SINCE, NOW + 5)
    assert again.since == (before or 0) + 5


def test_a_file_that_is_cut_off_while_it_is_written_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ask(tmp_path, SINCE, NOW)
    whole = (tmp_path / "again.json").read_bytes()

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr("os.fsync", full)
        with pytest.raises(OSError, match="space"):
            ask(tmp_path, SINCE, NOW + 5)
    assert (tmp_path / "again.json").read_bytes() == whole
    assert [path.name for path in tmp_path.iterdir()] == ["again.json"]
