"""`schoolpulse roster`: templates, check, import, export and history of the register."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from agent.common.calendar import CITY_TIME
from agent.common.command_line import (
    DONE,
    FAILED,
    RefusedError,
    config_argument,
    json_argument,
)
from agent.common.language import say
from collector.commands.config_file import register_book
from collector.commands.tables import (
    as_json,
    console,
    new_table,
    print_json,
    print_problems,
    this_user,
)
from collector.roster.book import Import, NoRegisterError, RegisterBook
from collector.roster.rows import Rows
from collector.roster.sample import sample_folder
from collector.roster.sheets import (
    SHEETS,
    Change,
    Problem,
    difference,
    errors,
    hashes,
    read_folder,
    write_folder,
    write_template,
)

_NAMED = 10


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    _template(
        actions.add_parser(
            "template",
            help=say("写出空表和填表说明", "write empty sheets and notes on filling them in"),
        )
    )
    _sample(actions.add_parser("sample", help=say("写出示例台账", "write a sample register")))
    _check(
        actions.add_parser(
            "check", help=say("检查一个文件夹的各表", "check the sheets in a folder")
        )
    )
    _import(
        actions.add_parser(
            "import",
            help=say("检查并导入，整体替换台账", "check and import; replaces the whole register"),
        )
    )
    _export(
        actions.add_parser(
            "export", help=say("把现行台账写成各表", "write the current register as sheets")
        )
    )
    _history(actions.add_parser("history", help=say("列出历次导入", "list all imports")))


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


def _template(parser: argparse.ArgumentParser) -> None:
    _out(parser)
    parser.set_defaults(action=lambda args: _written(write_template(Path(args.out))))


def _sample(parser: argparse.ArgumentParser) -> None:
    _out(parser)
    parser.set_defaults(action=_write_sample)


def _check(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    json_argument(parser)
    parser.set_defaults(action=_run_check)


def _import(parser: argparse.ArgumentParser) -> None:
    _folder(parser)
    json_argument(parser)
    config_argument(parser)
    text = say("只说会改什么，不导入", "show what would change, import nothing")
    parser.add_argument("--dry-run", action="store_true", help=text)
    text = say(
        "导入人，记入历史（默认系统用户）", "name for the history (default: the system user)"
    )
    parser.add_argument("--who", default="", help=text)
    parser.set_defaults(action=_run_import)


def _export(parser: argparse.ArgumentParser) -> None:
    _out(parser)
    config_argument(parser)
    parser.set_defaults(
        action=lambda args: _written(write_folder(register_book(args).rows(), Path(args.out)))
    )


def _history(parser: argparse.ArgumentParser) -> None:
    config_argument(parser)
    json_argument(parser)
    parser.set_defaults(action=_run_history)


def _folder(parser: argparse.ArgumentParser) -> None:
    text = say("放着各表 CSV 的文件夹", "folder with the CSV sheets")
    parser.add_argument("folder", metavar="DIR", type=Path, help=text)


def _out(parser: argparse.ArgumentParser) -> None:
    text = say("写到哪个文件夹", "output folder")
    parser.add_argument("--out", metavar="DIR", required=True, help=text)


def _written(files: Sequence[Path]) -> int:
    for file in files:
        print(file)
    return DONE


def _write_sample(args: argparse.Namespace) -> int:
    rows, problems = read_folder(sample_folder())
    if errors(problems):
        raise RefusedError(
            say("示例台账已损坏，请重装", "the sample register is damaged; reinstall")
        )
    return _written(write_folder(rows, Path(args.out)))


def _run_check(args: argparse.Namespace) -> int:
    rows, problems = read_folder(args.folder)
    if errors(problems):
        return _refuse(
            args, problems, say("有错误，不能导入", "there are errors, cannot be imported")
        )
    if args.json:
        print_json({**as_json(problems), "counts": rows.counts()})
        return DONE
    print_problems(problems)
    print(say("没有错误，可以导入：", "no errors, ready to import: ") + _counts(rows.counts()))
    return DONE


def _run_import(args: argparse.Namespace) -> int:
    rows, problems = read_folder(args.folder)
    if errors(problems):
        return _refuse(
            args, problems, say("有错误，一行也没有导入", "there are errors, nothing was imported")
        )
    book = register_book(args)
    before = _before(book)
    changes = difference(before, rows)
    made = None if args.dry_run else _put(book, rows, args)
    if args.json:
        number = made.number if made else None
        counts = {name: _sizes(change) for name, change in changes.items()}
        print_json({**as_json(problems), "import": number, "changes": counts})
        return DONE
    print_problems(problems)
    _print_changes(changes, before, rows)
    print(_done(made, rows))
    return DONE


def _refuse(args: argparse.Namespace, problems: Sequence[Problem], conclusion: str) -> int:
    if args.json:
        print_json(as_json(problems))
    else:
        print_problems(problems)
        print(conclusion)
    return FAILED


def _before(book: RegisterBook) -> Rows:
    try:
        return book.rows()
    except NoRegisterError:
        return Rows()


def _put(book: RegisterBook, rows: Rows, args: argparse.Namespace) -> Import:
    source = str(args.folder.resolve())
    return book.import_rows(
        rows, who=args.who or this_user(), source=source, sheets=hashes(args.folder)
    )


def _sizes(change: Change) -> dict[str, int]:
    return {
        "added": len(change.added),
        "removed": len(change.removed),
        "changed": len(change.changed),
    }


def _print_changes(changes: Mapping[str, Change], before: Rows, after: Rows) -> None:
    titles = (("表", "sheet"), ("行数", "rows"), ("新增", "added"), ("删除", "removed"))
    table = new_table(*titles, ("改动", "changed"))
    counts = after.counts()
    for name, change in changes.items():
        table.add_row(SHEETS[name].title, str(counts[name]), *map(str, _sizes(change).values()))
    console().print(table)
    names = {school.code: school.name for school in before.schools}
    gone = [f"{code} {names[code]}" for (code,) in changes["schools"].removed]
    if gone:
        more = say(f" 等 {len(gone)} 所", f" and more, {len(gone)} in all")
        shown = say("、", ", ").join(gone[:_NAMED]) + (more if len(gone) > _NAMED else "")
        print(say(f"不再在册的学校：{shown}", f"schools no longer in the register: {shown}"))


def _done(made: Import | None, rows: Rows) -> str:
    counts = _counts(rows.counts())
    if made is None:
        return say(f"只是预演，没有导入：{counts}", f"dry run, nothing imported: {counts}")
    return say(
        f"已导入（第 {made.number} 次），整个台账由这些表替换：{counts}",
        f"imported (number {made.number}), the register now holds exactly these sheets: {counts}",
    )


def _counts(counts: Mapping[str, int]) -> str:
    parts = (f"{SHEETS[name].title} {count}" for name, count in counts.items() if name in SHEETS)
    return say("，", ", ").join(parts)


def _run_history(args: argparse.Namespace) -> int:
    imports = register_book(args).history()
    if args.json:
        print_json([_import_json(made) for made in imports])
        return DONE
    titles = (("次", "number"), ("时间", "time"), ("导入人", "who"), ("来自", "from"))
    table = new_table(*titles, ("学校", "schools"), ("总行数", "rows"), ("SHA-256", "SHA-256"))
    for made in imports:
        at = made.at.astimezone(CITY_TIME).strftime("%Y-%m-%d %H:%M")
        schools, rows = made.counts.get("schools", 0), sum(made.counts.values())
        table.add_row(
            f"{made.number}", at, made.who, made.source, f"{schools}", f"{rows}", made.sha256[:8]
        )
    console().print(table)
    return DONE


def _import_json(made: Import) -> dict[str, object]:
    return {**asdict(made), "at": made.at.isoformat()}
