"""What a file really is, and whether it is a workbook that may be opened.

A workbook is a zip of XML parts. Before one is read, the sizes that its parts have unpacked are
compared with limits (`zipfile` reads no part beyond its declared size), and no part may declare a
document type: so no entity is ever expanded or loaded from elsewhere.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import IO
from xml.parsers import expat

from agent.common.language import say
from collector.roster.problems import UnfitError

MAX_BYTES = 64 * 1024 * 1024
#: A sheet is read row by row; the other parts, such as the table of texts, are held in memory.
MAX_SHEET, MAX_PART, MAX_PARTS = 1024**3, 128 * 1024**2, 5000
ZIP, OLE = b"PK\x03\x04", b"\xd0\xcf\x11\xe0"
_PROLOG = 64 * 1024

#: What reading a damaged or hostile zip or XML raises.
DAMAGED = (
    zipfile.BadZipFile, zlib.error, expat.ExpatError, EOFError, NotImplementedError, RuntimeError,
    KeyError, ValueError, IndexError, TypeError, AttributeError, OverflowError,
)  # fmt: skip


def save_as_xlsx() -> str:
    """The fix for a file of another format."""
    return say(
        "用 Excel 或 WPS 打开，另存为「Excel 工作簿（.xlsx）」",
        "open it in Excel or WPS and save it as 'Excel Workbook (.xlsx)'",
    )


def refuse_others(path: Path) -> None:
    """Refuse a file that is no workbook of today's format, whatever its name says.

    Raises:
        UnfitError: it is something else, too large, or would unpack to too much.
        OSError: it cannot be read.
    """
    if path.stat().st_size > MAX_BYTES:
        limit = MAX_BYTES // 1024**2
        raise UnfitError(
            say(f"超过 {limit} MB", f"is larger than {limit} MB"),
            say("看是不是拿错了文件；删去图片", "check that it is the right file; remove pictures"),
        )
    with path.open("rb") as file:
        start = file.read(4096)
        disguise = foreign(start, file)
    if disguise:
        raise disguise
    if not start.startswith(ZIP):
        raise UnfitError(
            say("其实不是工作簿，像是文本", "is no workbook, but text"),
            say("若是 CSV，把扩展名改回 .csv", "if it is CSV, name it .csv again"),
        )
    try:
        _check_parts(path)
    except UnfitError:
        raise
    except DAMAGED as error:
        raise damaged() from error


def foreign(start: bytes, file: IO[bytes] | None = None) -> UnfitError | None:
    """What is wrong with a file that begins so, if it is an old or disguised workbook."""
    if start.startswith(OLE):
        return _old(start + (file.read(MAX_BYTES) if file else b""))
    text = start.lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if text.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<head")):
        return UnfitError(
            say("其实是网页（HTML），只是名字像表格", "is a web page (HTML) named as a sheet"),
            save_as_xlsx(),
        )
    if text.startswith(b"<?xml"):
        return UnfitError(say("其实是 XML 表格", "is an XML spreadsheet"), save_as_xlsx())
    return None


def _old(data: bytes) -> UnfitError:
    if "EncryptedPackage".encode("utf-16-le") in data:
        return UnfitError(
            say("有打开密码", "is protected by a password"),
            say(
                "打开后在「另存为 → 工具 → 常规选项」里清空密码再存",
                "open it, remove the password (File, Info, Protect Workbook), and save",
            ),
        )
    return UnfitError(
        say("是旧格式的工作簿（.xls 或 .et）", "is a workbook of the old format (.xls or .et)"),
        save_as_xlsx(),
    )


def damaged() -> UnfitError:
    """A workbook that cannot be read to its end."""
    return UnfitError(say("文件已损坏", "is damaged"), save_as_xlsx())


def _check_parts(path: Path) -> None:
    with zipfile.ZipFile(path) as archive:
        parts = archive.infolist()
        if len(parts) > MAX_PARTS or any(_too_large(part) for part in parts):
            raise UnfitError(
                say("解开后大得不合理", "unpacks to an unreasonable size"),
                say(
                    "只留台账的表，另存为新的工作簿",
                    "keep the register's sheets only and save them as a new workbook",
                ),
            )
        names = {part.filename for part in parts}
        if "xl/workbook.bin" in names or "mimetype" in names:
            raise UnfitError(say("是别的表格格式", "is another spreadsheet format"), save_as_xlsx())
        if "[Content_Types].xml" not in names:
            raise damaged()
        for part in parts:
            if part.filename.endswith((".xml", ".rels", ".vml")):
                with archive.open(part) as stream:
                    _refuse_types(stream)


def _too_large(part: zipfile.ZipInfo) -> bool:
    sheet = part.filename.startswith("xl/worksheets/")
    return part.file_size > (MAX_SHEET if sheet else MAX_PART)


class _RootReached(Exception):  # noqa: N818  (it is no error)
    """The prolog has ended without a document type."""


def _refuse_types(stream: IO[bytes]) -> None:
    """A document type stands before the root element, so no more than that is parsed."""

    def found(*_: object) -> None:
        raise UnfitError(
            say("里面声明了外部实体，不安全", "declares XML entities, which is unsafe"),
            save_as_xlsx(),
        )

    def root(*_: object) -> None:
        raise _RootReached

    parser = expat.ParserCreate()
    parser.StartDoctypeDeclHandler = found
    parser.StartElementHandler = root
    try:
        while data := stream.read(_PROLOG):
            parser.Parse(data)
    except _RootReached:
        return
