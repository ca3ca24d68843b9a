"""`schoolpulse inspect sheet`: the forms that are filled in at schools."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from agent.common.command_line import DONE, RefusedError, config_argument
from agent.common.language import for_documents, say
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.commands.inspect.shared import Actions, today
from collector.roster.areas import Areas
from collector.roster.book import RegisterBook
from collector.roster.forms import file_name, form_of, write_form
from collector.roster.problems import UnfitError
from collector.roster.register import Register, School


def add(actions: Actions) -> None:
    """Register the sub-command."""
    text = say("写出现场核查表（xlsx），每校一份", "write forms to fill in, a workbook a school")
    parser = actions.add_parser("sheet", help=text)
    which = parser.add_mutually_exclusive_group(required=True)
    text = say("这所学校（学校标识码，可多次写）", "this school (10-digit code, may be repeated)")
    which.add_argument("--school", metavar="CODE", action="append", default=[], help=text)
    text = say("这个责任单位的所有学校（代码或名称）", "all schools of this unit (code or name)")
    which.add_argument("--district", metavar="CODE", default="", help=text)
    text = say("写到哪个文件夹", "output folder")
    parser.add_argument("--out", metavar="DIR", type=Path, required=True, help=text)
    config_argument(parser)
    parser.set_defaults(action=_run)


def _run(args: argparse.Namespace) -> int:
    config = load_config(args)
    book = RegisterBook(config.folder / REGISTER_FILE)
    register, day = book.load(), today()
    made_from, threshold = book.history()[-1].number, config.figure.threshold_mbps
    with for_documents():
        forms = [
            form_of(register, school, made_from, threshold, day)
            for school in _schools(args, register, day)
        ]
    paths = [args.out / file_name(form) for form in forms]
    _check(paths)
    for form, path in zip(forms, paths, strict=True):
        print(write_form(form, path, day))
    return DONE


def _check(paths: Sequence[Path]) -> None:
    """Before any is written: none is there already."""
    known = [path.name for path in paths if path.exists()]
    if known:
        names = say("、", ", ").join(known[:5])
        text = say(f"已有 {names}，不覆盖。换一个文件夹", f"{names} exist; name another folder")
        raise RefusedError(f"{paths[0].parent}: {text}")


def _schools(args: argparse.Namespace, register: Register, day: dt.date) -> list[School]:
    if args.school:
        return [_school(code, register) for code in dict.fromkeys(args.school)]
    unit = _unit(args.district, register)
    found = [
        school
        for school in register.schools.values()
        if school.responsible == unit and (school.closed is None or school.closed >= day)
    ]
    if not found:
        text = say(f"{args.district}: 没有在办的学校", f"{args.district}: has no open school")
        raise RefusedError(text)
    return found


def _school(code: str, register: Register) -> School:
    if code not in register.schools:
        text = say(
            f"{code}: 台账里没有这所学校。核对学校标识码",
            f"{code}: is not a school in the register. Check the code",
        )
        raise RefusedError(text)
    return register.schools[code]


def _unit(given: str, register: Register) -> str:
    try:
        return Areas(dict(register.areas)).resolve(given)[0]
    except UnfitError as error:
        raise RefusedError(f"--district {given}: {error.wrong}; {error.fix}") from error
