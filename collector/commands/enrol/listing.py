"""`schoolpulse enrol list`: who has which credential, and which PCs still use the former one."""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.table import Table
from rich.text import Text

from agent.common.command_line import DONE, FAILED, json_argument
from agent.common.language import say
from agent.common.tables import moment
from collector.commands.enrol.places import City, common, opened
from collector.commands.tables import new_table, print_json, print_table
from collector.enrol import seen, standings
from collector.enrol.rotation import waits
from collector.enrol.seen import Seen
from collector.enrol.standings import Rotating
from collector.enrol.state import Held
from collector.roster.book import BookError
from collector.roster.register import Register
from collector.store.base import StoreError


def add(actions: Any) -> None:
    """The sub-command."""
    text = say(
        "列出凭据、换发进度、仍用旧凭据的电脑", "list credentials, rotations, and the PCs behind"
    )
    parser = actions.add_parser("list", help=text)
    parser.add_argument(
        "--journal", action="store_true", help=say("列出谁在何时做了什么", "who did what, and when")
    )
    json_argument(parser)
    common(parser, _run)


def _run(args: argparse.Namespace) -> int:
    with opened(args) as city:
        if args.journal:
            return _journal(args, city)
        register = _register(city)
        said, problem = seen.read(city.place.seen), ""
        try:
            rotating = standings.under_way(city.place, city.config, city.state, register)
        except StoreError as error:
            rotating, problem = {}, str(error)
        held = city.state.held()
        rows = [_row(held[c], register, said.get(c, ()), rotating.get(c)) for c in held]
    if args.json:
        print_json(rows)
    else:
        _table(rows)
    if problem:
        text = say("数据库没有回答，换发进度不明", "the store does not answer: rotations unknown")
        print(f"{text}: {problem}")
    return FAILED if problem else DONE


def _register(city: City) -> Register:
    try:
        return city.register()
    except BookError:
        return Register(schools={})


def _row(
    held: Held, register: Register, said: Sequence[Seen], rotating: Rotating | None
) -> dict[str, Any]:
    code = held.now.school
    school = register.schools.get(code)
    return {
        "school": code,
        "name": school.name if school else None,
        "generation": held.now.generation,
        "enrolled_ms": held.now.made_ms,
        "by": held.now.made_by,
        "pcs": dict(sorted(Counter(one.generation for one in said).items())),
        "behind": list(rotating.standing.behind) if rotating else [],
        "until": (rotating.rotation.until or None) if rotating else None,
        "rotation": waits(rotating.rotation, rotating.standing) if rotating else None,
    }


def _table(rows: Sequence[dict[str, Any]]) -> None:
    table = new_table(
        ("学校", "school"), ("校名", "name"), ("代次", "generation"), ("发放时间", "made"),
        ("经手", "by"), ("各代次电脑数", "PCs by generation"), ("换发", "rotation"),
    )  # fmt: skip
    _whole(table, 0, 2, 3)
    for row in rows:
        name = row["name"] or say("已不在台账", "left the register")
        cells = row["school"], name, row["generation"], moment(row["enrolled_ms"]), row["by"]
        said = row["rotation"] or ""
        if row["behind"]:
            said = "\n".join([said, *_shown(row["behind"])])
        table.add_row(*(Text(str(cell)) for cell in (*cells, _counts(row["pcs"]), said)))
    print_table(table)


def _whole(table: Table, *columns: int) -> None:
    """Codes, dates and numbers stay in one piece on a narrow terminal; the words fold."""
    for column in columns:
        table.columns[column].no_wrap = True


def _shown(machines: Sequence[str], most: int = 5) -> Iterator[str]:
    yield from machines[:most]
    if len(machines) > most:
        rest = len(machines) - most
        yield say(f"… 另 {rest} 台，见 --json", f"… {rest} more, see --json")


def _counts(pcs: dict[int, int]) -> str:
    """`1: 38, 2: 2`; generation 0 was not said."""
    return ", ".join(f"{generation or '?'}: {count}" for generation, count in pcs.items())


def _journal(args: argparse.Namespace, city: City) -> int:
    entries = city.state.journal()
    if args.json:
        print_json([entry._asdict() for entry in entries])
        return DONE
    table = new_table(("时间", "time"), ("经手", "who"), ("动作", "act"), ("学校", "school"),
                      ("说明", "detail"))  # fmt: skip
    _whole(table, 0, 2, 3)
    for one in entries:
        cells = moment(one.at_ms), one.who, one.act, one.school, one.detail
        table.add_row(*map(Text, cells))
    print_table(table)
    return DONE
