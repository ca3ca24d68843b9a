"""The log of every command: `time level event key=value ...`, one line an event, standard error.

    log.warning("register_unreadable", file=path, reason=error)
    2026-03-02T09:30:00.123+0800 WARNING register_unreadable file=/var/… reason="OSError: …"

The event's name is a constant; what varies is in the fields. A value with spaces, quotes or
characters that do not print is quoted, those as `\\n`, `\\x1b`: text of others can neither begin
a line of its own nor steer a terminal. An exception is written with its type, since many have
no text. Empty values are left out.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from typing import Any

#: For all events; what libraries log is written in the same form, as event `library`.
_logger = logging.getLogger("schoolpulse")
_FRAMES = 3
#: Characters of a value: a whole message in a reason must not fill the disk.
_MOST = 4000


def debug(event: str, /, **fields: object) -> None:
    """An event that helps only in the search for a fault."""
    _log(logging.DEBUG, event, fields)


def info(event: str, /, **fields: object) -> None:
    """An event in the ordinary run of things."""
    _log(logging.INFO, event, fields)


def warning(event: str, /, **fields: object) -> None:
    """An event that may need action."""
    _log(logging.WARNING, event, fields)


def error(event: str, /, **fields: object) -> None:
    """Data was lost, or the program has a bug."""
    _log(logging.ERROR, event, fields)


def quieten(library: str) -> None:
    """Let a library's own log say errors alone."""
    logging.getLogger(library).setLevel(logging.ERROR)


def configure(level: str = "WARNING") -> None:
    """Log to standard error from `level` on; called again, it changes the level.

    A resident command logs from INFO on, one that answers and ends from WARNING on, and one
    that itself prints whatever the log would say from CRITICAL on, which is nothing. Where
    logging has been set up already (by a test), it is left as it is.
    """
    if not logging.root.handlers:
        handler = _StandardError()
        handler.setFormatter(_Formatter())
        logging.root.addHandler(handler)
        threading.excepthook = _thread_failed
    if any(isinstance(handler, _StandardError) for handler in logging.root.handlers):
        logging.root.setLevel(level)


def where(error: BaseException) -> str:
    """The innermost places in the code that an exception passed, as `file:line < file:line`."""
    places = []
    trace = error.__traceback__
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename.replace("\\", "/")
        places.append(f"{'/'.join(file.rsplit('/', 2)[-2:])}:{trace.tb_lineno}")
        trace = trace.tb_next
    return " < ".join(places[: -_FRAMES - 1 : -1])


def text(event: str, fields: dict[str, object]) -> str:
    """The event and its fields as they stand in the log."""
    pairs = ((key, words(value)) for key, value in fields.items())
    return " ".join([event, *(f"{key}={_quoted(value)}" for key, value in pairs if value)])


def _log(level: int, event: str, fields: dict[str, object]) -> None:
    if _logger.isEnabledFor(level):
        _logger.log(level, "%s", text(event, fields))


def words(value: object) -> str:
    """A field's value before it is quoted; of an exception its type and text."""
    if isinstance(value, BaseException):
        return f"{type(value).__name__}: {_text_of(value)}".removesuffix(": ")
    return "" if value is None else _text_of(value)


def _text_of(value: object) -> str:
    """Never raises: a log call stands where an error is handled."""
    try:
        return str(value)
    except Exception as error:
        return f"({type(error).__name__})"


def _quoted(value: str) -> str:
    if len(value) > _MOST:
        value = f"{value[:_MOST]}…(+{len(value) - _MOST})"
    if value.isprintable() and not any(mark in value for mark in ' "\\'):
        return value
    return '"' + "".join(map(_visible, value)) + '"'


def _visible(char: str) -> str:
    if char in '"\\':
        return f"\\{char}"
    return char if char.isprintable() else char.encode("unicode_escape").decode()


def _thread_failed(args: Any) -> None:
    """A thread ended by an exception: an event like others."""
    name = args.thread.name if args.thread else ""
    if args.exc_type is not SystemExit:
        reason = args.exc_value or args.exc_type()
        error("thread_failed", thread=name, reason=reason, at=where(reason))


class _StandardError(logging.Handler):
    """Standard error at the time of the event: a Windows service redirects it to a file."""

    def emit(self, record: logging.LogRecord) -> None:
        stream = sys.stderr
        if stream is None:
            return
        try:
            stream.write(self.format(record) + "\n")
            stream.flush()
        except Exception:
            self.handleError(record)


class _Formatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        message = record.getMessage()
        if record.name != _logger.name:
            fields: dict[str, object] = {"of": record.name, "text": message}
            if record.exc_info and record.exc_info[1]:
                fields |= {"reason": record.exc_info[1], "at": where(record.exc_info[1])}
            message = text("library", fields)
        return f"{_time(record)} {record.levelname} {message}"


def _time(record: logging.LogRecord) -> str:
    at = time.localtime(record.created)
    stamp, zone = time.strftime("%Y-%m-%dT%H:%M:%S", at), time.strftime("%z", at)
    return f"{stamp}.{int(record.msecs):03d}{zone}"
