"""`schoolpulse report`: the yearly report as files."""

from __future__ import annotations

import argparse
import dataclasses
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from agent.common.command_line import DONE, FAILED, RefusedError
from agent.common.language import say
from collector import config
from collector.commands.progress import Progress
from collector.compliance.model import Figure
from collector.compliance.targets import target
from collector.report import (
    FORMATS,
    BrokenFormatError,
    Context,
    gather,
    heard,
    put,
    render_all,
)
from collector.report.parts import parts
from collector.report.selection import narrowed, resolved
from collector.report.surroundings import context
from collector.store.base import StoreError
from collector.store.factory import open_store

_ALL = "all"
#: What a district or a school gets with `--each`, unless other formats are asked for.
_EACH = ("xlsx", "docx")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    gather.add_arguments(parser)
    gather.live_argument(parser)
    _area_arguments(parser)
    parser.add_argument(
        "--out",
        metavar="DIR",
        type=Path,
        default=Path(),
        help=say("写到哪个文件夹（默认当前文件夹）", "output folder (default: the current one)"),
    )
    known, each = ", ".join(FORMATS), ", ".join(_EACH)
    parser.add_argument(
        "--format",
        metavar="FORMAT,…",
        help=say(
            f"格式，逗号分隔：{known}，或 all（默认 all；用 --each 时默认 {each}）",
            f"formats, comma-separated: {known}, or all (default: all; with --each {each})",
        ),
    )


def _area_arguments(parser: argparse.ArgumentParser) -> None:
    which = parser.add_mutually_exclusive_group()
    which.add_argument(
        "--area",
        metavar="CODE",
        default="",
        help=say(
            "只要一个区县（6 位代码或名称；市直属写市代码）",
            "one district only (code or name; the city's own code for city-run schools)",
        ),
    )
    which.add_argument(
        "--school",
        metavar="CODE",
        default="",
        help=say("只要一所学校（学校标识码）", "one school only (10-digit code)"),
    )
    which.add_argument(
        "--each",
        action="store_true",
        help=say(
            "每个要整改的区县一个文件夹，内有该区县和每所要整改学校的文件",
            "a folder for each district with something to do: its files, and those of each such "
            "school",
        ),
    )


class _File(NamedTuple):
    folder: Path
    name: str
    data: bytes


def run(args: argparse.Namespace) -> int:
    """Judge, render all, write all, and name the files."""
    formats = _formats(args.format, each=args.each)
    try:
        with Progress() as progress:
            files = list(_files(args, formats, progress))
            progress.step(say("写文件", "writing"))
            paths = [path for file in files for path in put(file.folder, {file.name: file.data})]
    except StoreError as error:
        gather.warn(gather.store_failed(error))
        return FAILED
    except OSError as error:
        gather.warn(say(f"写不出报告：{error}", f"cannot write the report: {error}"))
        return FAILED
    except BrokenFormatError as error:
        gather.warn(_broken(error))
        return FAILED
    for path in paths:
        print(path)
    return DONE


def _files(args: argparse.Namespace, formats: Sequence[str], progress: Progress) -> Iterator[_File]:
    """Every file of the report, rendered."""
    progress.step(say("计算指标", "judging"))
    figure = gather.figure(args)
    _name_documents(figure)
    selection = resolved(figure, args.area, args.school)
    figure = narrowed(figure, selection)
    progress.step(say("读取以前的情况", "reading the past"))
    figure, around = _completed(args, figure)
    around = dataclasses.replace(around, selection=selection)
    if not args.each:
        made = _rendered(figure, around, formats, progress)
        yield from (_File(args.out, name, data) for name, data in made.items())
        return
    for part in parts(figure):
        own = dataclasses.replace(around, selection=part.selection)
        made = _rendered(part.figure, own, formats, progress)
        yield from (_File(args.out / part.folder, name, data) for name, data in made.items())


def _name_documents(figure: Figure) -> None:
    """Say where a target's document stands by a shortened title: it is printed and signed so."""
    rows = [row for name in figure.indicators if (row := target(figure, name))]
    for title in dict.fromkeys(row.document for row in rows if "…" in row.document):
        gather.warn(
            say(
                f"目标依据 {title} 不是文件全称；在 [[figure.targets]] 的 document 写全称",
                f"the target's document {title} is no whole title; put it into document of "
                "[[figure.targets]]",
            )
        )


def _completed(args: argparse.Namespace, figure: Figure) -> tuple[Figure, Context]:
    """The figure with what is known of silent units, and what stands beside it."""
    settings, _ = config.load(args.config)  # its warnings were said with the figure
    areas = [area.code for area in figure.areas if area.level != "school"]
    with open_store(settings) as store:
        around = context(settings, store, figure, areas or [figure.areas[0].code])
        return heard.completed(figure, store), around


def _rendered(
    figure: Figure, around: Context, formats: Sequence[str], progress: Progress
) -> Mapping[str, bytes]:
    area = figure.areas[0].name
    return render_all(figure, formats, around, lambda name: progress.step(f"{area}: {name}"))


def _broken(error: BrokenFormatError) -> str:
    name, cause = error.args[0], error.__cause__
    what = f"{type(cause).__name__}: {cause}"
    return say(
        f"{name} 生成失败，什么也没有写：{what}；其他格式可用 --format 单独生成",
        f"{name} failed, nothing was written: {what}; other formats may be had by --format",
    )


def _formats(text: str | None, *, each: bool) -> Sequence[str]:
    if text is None or text.strip() == _ALL:
        return _EACH if each and text is None else list(FORMATS)
    chosen = [word.strip() for word in text.split(",") if word.strip()]
    unknown = [word for word in chosen if word not in FORMATS]
    if unknown or not chosen:
        known = ", ".join([*FORMATS, _ALL])
        raise RefusedError(
            say(
                f"没有这种格式：{text}；可用：{known}",
                f"no such format: {text}; available: {known}",
            )
        )
    return list(dict.fromkeys(chosen))
