"""Files as Windows tools save them are read, or refused with the fix."""

from __future__ import annotations

import codecs
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common import settings
from agent.common.settings import SettingsError
from agent.common.textfile import TextFileError, read, secret
from agent.config import Config

AS_SAVED = {
    "UTF-8": lambda text: text.encode(),
    "Notepad": lambda text: codecs.BOM_UTF8 + text.encode(),
    "PowerShell": lambda text: codecs.BOM_UTF16_LE + text.encode("utf-16-le"),
    "UTF-16, big end first": lambda text: codecs.BOM_UTF16_BE + text.encode("utf-16-be"),
    "UTF-16 without its mark": lambda text: text.encode("utf-16-le"),
    "GBK": lambda text: text.encode("gbk"),
}


@pytest.mark.parametrize("saved", AS_SAVED)
def test_settings_are_read_as_each_tool_saves_them(tmp_path, saved):
    path = tmp_path / "agent.toml"
    path.write_bytes(AS_SAVED[saved]('school = "9963000001"\r\nroom = "三年级（2）班"\r\n'))
    found, warnings = settings.load(Config, path, {})
    assert (found.school, found.room, warnings) == ("9963000001", "三年级（2）班", [])


@pytest.mark.parametrize("saved", AS_SAVED)
@pytest.mark.parametrize("text", ["s3cret", "s3cret\r\n", " s3cret \n\n", "密码s3cret\n"])
def test_a_secret_is_its_line_as_each_tool_saves_it(tmp_path, saved, text):
    path = tmp_path / "password"
    path.write_bytes(AS_SAVED[saved](text))
    assert secret(path) == text.strip()
    environ = {"SCHOOLPULSE_BROKER_PASSWORD_FILE": str(path)}
    assert settings.load(Config, None, environ)[0].broker.password == text.strip()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\r\n",
        codecs.BOM_UTF8,
        b"one\r\ntwo\r\n",
        "s3\u202dcret".encode(),
        b"s3\x00\x00\x00cret",
        b"\xff\xff\xff\x80",
        "s3cret\ufffd".encode(),
        b"s3\x1b[31mcret",
        bytes(range(256)),
    ],
)
def test_what_is_no_secret_is_refused_by_the_file_and_the_fix(tmp_path, data):
    path = tmp_path / "password"
    path.write_bytes(data)
    with pytest.raises(TextFileError):
        secret(path)
    with pytest.raises(SettingsError, match=r"SCHOOLPULSE_BROKER_PASSWORD_FILE.*password"):
        settings.load(Config, None, {"SCHOOLPULSE_BROKER_PASSWORD_FILE": str(path)})


def test_a_program_named_as_settings_is_refused_and_not_read_whole(tmp_path):
    path = tmp_path / "agent.toml"
    path.write_bytes(b"# \n" * 2_000_000)
    with pytest.raises(SettingsError, match=r"agent\.toml"):
        settings.load(Config, path, {})


@given(st.binary(max_size=200))
def test_no_bytes_end_in_a_traceback_or_leave_a_mark(tmp_path_factory, data):
    path: Path = tmp_path_factory.mktemp("text") / "file"
    path.write_bytes(data)
    for function in (read, secret):
        try:
            found = function(path)
        except TextFileError:
            continue
        assert not found.startswith("\ufeff")
        assert "\ufffd" not in found
