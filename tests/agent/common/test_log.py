"""The log: one line an event, whatever others' text holds, and an exception with its type."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.common import log


def test_an_event_is_its_name_and_its_fields() -> None:
    assert log.text("stored", {"reports": 3, "of": "a", "busy": False}) == (
        "stored reports=3 of=a busy=False"
    )
    assert log.text("started", {}) == "started"


def test_empty_fields_are_left_out() -> None:
    assert log.text("link", {"state": "idle", "reason": "", "since": None}) == "link state=idle"


def test_a_log_line_is_one_line(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO", "schoolpulse"):
        log.info("quarantined", reason='two words\n"and" a line', size=3)
    assert caplog.messages == ['quarantined reason="two words\\n\\"and\\" a line" size=3']


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("\x1b[2J", '"\\x1b[2J"'),
        ("a\r\nb", '"a\\r\\nb"'),
        ("\x9b31m", '"\\x9b31m"'),
        ("a\u2028b", '"a\\u2028b"'),
        ("\u202etxt", '"\\u202etxt"'),
        ("\udcff", '"\\udcff"'),
        ("C:\\data", '"C:\\\\data"'),
        ("西宁", "西宁"),
    ],
)
def test_what_does_not_print_is_made_visible(value: str, shown: str) -> None:
    assert log.text("event", {"said": value}) == f"event said={shown}"


@given(st.dictionaries(st.sampled_from("abc"), st.text(st.characters(), min_size=1)))
def test_no_text_of_others_starts_a_line_or_steers_a_terminal(fields: dict[str, str]) -> None:
    line = log.text("event", dict(fields))
    assert line.isprintable()
    assert line.splitlines() == [line]


def test_an_exception_without_text_still_has_its_name() -> None:
    assert log.text("failed", {"reason": TimeoutError()}) == "failed reason=TimeoutError"
    reason = {"reason": OSError(28, "disk full")}
    assert log.text("failed", reason) == 'failed reason="OSError: [Errno 28] disk full"'


def divide(by: int) -> float:
    return 1 / by


def test_an_exception_that_cannot_say_its_text_is_logged_by_its_name() -> None:
    """A log call stands where an error is handled: it must not raise another."""

    class OddError(Exception):
        def __str__(self) -> str:
            raise RuntimeError

    assert log.text("failed", {"reason": OddError(), "at": 3}) == (
        'failed reason="OddError: (RuntimeError)" at=3'
    )


def test_where_an_exception_came_from_begins_with_the_innermost_place() -> None:
    with pytest.raises(ZeroDivisionError) as caught:
        divide(0)
    innermost, outer = log.where(caught.value).split(" < ")
    assert innermost.startswith("common/test_log.py:")
    assert outer.startswith("common/test_log.py:")
    assert innermost != outer
    assert log.where(ValueError()) == ""


def test_a_level_that_nobody_wants_is_not_written(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("WARNING", "schoolpulse"):
        log.debug("request")
        log.info("started")
        log.warning("failed")
        log.error("lost")
    assert [(one.levelname, one.getMessage()) for one in caplog.records] == [
        ("WARNING", "failed"),
        ("ERROR", "lost"),
    ]


def process(code: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", f"import logging, threading\nfrom agent.common import log\n{code}"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stdout
    return done.stderr.splitlines()


def test_a_process_logs_time_level_and_event_to_standard_error() -> None:
    (line,) = process('log.configure("INFO"); log.debug("no"); log.info("started", at="a b")')
    time, rest = line.split(" ", 1)
    assert len(time) == len("2026-03-02T09:30:00.123+0800")
    assert rest == 'INFO started at="a b"'


def test_a_command_that_only_answers_logs_no_more_than_warnings() -> None:
    lines = process('log.configure(); log.info("no"); log.warning("yes")')
    assert [line.split(" ", 1)[1] for line in lines] == ["WARNING yes"]


def test_the_level_can_be_chosen_again_but_nothing_is_written_twice() -> None:
    lines = process('log.configure(); log.configure("INFO"); log.info("once")')
    assert [line.split()[-1] for line in lines] == ["once"]
    assert process('log.configure(); log.configure("CRITICAL"); log.error("no")') == []


def test_a_library_logs_in_the_same_form() -> None:
    code = """
log.configure()
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("urllib3").exception("it\\nbroke")
"""
    (line,) = process(code)
    assert line.split(" ", 1)[1] == (
        'ERROR library of=urllib3 text="it\\nbroke" reason="ZeroDivisionError: division by zero"'
        " at=<string>:6"
    )


def test_a_thread_that_fails_is_an_event() -> None:
    code = 'log.configure(); threading.Thread(target=lambda: 1 / 0, name="worker").start()'
    (line,) = process(code)
    assert "ERROR thread_failed thread=worker" in line
    assert "division by zero" in line


def test_standard_error_is_the_one_of_the_moment() -> None:
    """A Windows service redirects it to a file after the first set-up, or has none at all."""
    code = """
import contextlib, io, sys
file, sys.stderr = io.StringIO(), None
log.configure("INFO")
log.info("unheard")
with contextlib.redirect_stderr(file):
    log.info("kept")
sys.stderr = sys.__stderr__
assert file.getvalue().endswith("INFO kept\\n"), file.getvalue()
"""
    assert process(code) == []
