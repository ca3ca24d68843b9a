"""`schoolpulse dashboards`: build the Grafana boards as files, or push them to Grafana."""

from __future__ import annotations

import argparse
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from agent.common import textfile
from agent.common.command_line import DONE, FAILED, RefusedError, config_argument
from agent.common.language import of_documents, say
from agent.common.vocabulary.words import LANGS
from collector import indicator_settings
from collector.commands.config_file import REGISTER_FILE, load_config
from collector.config import Config, Figure
from collector.roster.book import NoRegisterError, RegisterBook
from dashboards import alerts, build
from dashboards.edition import Edition, Shown

if TYPE_CHECKING:
    from collector.grafana.boards import Step

TOKEN = "SCHOOLPULSE_GRAFANA_TOKEN"  # noqa: S105 - the variable's name
_FOLDERS = {"zh": "校园脉搏", "en": "SchoolPulse"}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Sub-commands of `dashboards`."""
    choices = parser.add_subparsers(dest="action", required=True, metavar=say("操作", "ACTION"))
    text = say("生成看板与告警规则的文件", "write dashboards and alert rules as files")
    building = choices.add_parser("build", help=text, description=text)
    folder = say(
        "写到哪个文件夹（默认 ./dashboards/built）", "output folder (default: ./dashboards/built)"
    )
    building.add_argument(
        "--out", metavar="DIR", type=Path, default=Path("dashboards/built"), help=folder
    )
    text = say("推送到正在运行的 Grafana", "push to a running Grafana")
    pushing = choices.add_parser("push", help=text, description=text)
    add_grafana(pushing)
    text = say("只说会改什么，什么都不改", "show what would change, change nothing")
    pushing.add_argument("--dry-run", action="store_true", help=text)
    text = say("覆盖别人改过的看板", "overwrite dashboards edited in Grafana")
    pushing.add_argument("--force", action="store_true", help=text)
    text = say("同时推送告警规则", "push alert rules too")
    pushing.add_argument("--alerts", action="store_true", help=text)
    for choice in (building, pushing):
        config_argument(choice)


def add_grafana(parser: argparse.ArgumentParser) -> None:
    """Where Grafana is, and the token."""
    parser.add_argument(
        "--url",
        required=True,
        metavar="http://…:3000",
        help=say("Grafana 的地址", "Grafana's address"),
    )
    text = say(
        f"服务账号的令牌；最好改用环境变量 {TOKEN} 或 {TOKEN}_FILE",
        f"service account token; better set {TOKEN} or {TOKEN}_FILE",
    )
    parser.add_argument("--token", help=text)


def token_of(args: argparse.Namespace) -> str:
    """The token of the arguments, the environment, or a file that it names.

    Raises:
        RefusedError: there is none.
    """
    file = os.environ.get(f"{TOKEN}_FILE")
    try:
        found = args.token or os.environ.get(TOKEN) or (textfile.secret(Path(file)) if file else "")
    except OSError as error:
        raise RefusedError(f"{file}: {error.strerror}") from error
    except textfile.TextFileError as error:
        raise RefusedError(f"{file} {error}") from error
    if not found.strip():
        raise RefusedError(
            say(
                f"没有令牌：设环境变量 {TOKEN}_FILE（令牌文件的路径）或 {TOKEN}，或用 --token",
                f"no token: set {TOKEN}_FILE (path of a file with it) or {TOKEN}, or use --token",
            )
        )
    return str(found).strip()


def run(args: argparse.Namespace) -> int:
    """Build or push."""
    return _build(args) if args.action == "build" else _push(args)


def _editions(rules: Figure, schools: Mapping[str, str] | None = None) -> list[Edition]:
    """The boards of each language, by the settings' indicators, thresholds and targets."""
    shown = {
        name: Shown(
            indicator_settings.title_of(name, row, rules.threshold_mbps),
            indicator_settings.newest_target(name, rules),
        )
        for name, row in rules.indicators.items()
    }
    return [Edition(lang, rules.threshold_mbps, rules.tolerance, shown, schools) for lang in LANGS]


def _schools(config: Config) -> Mapping[str, str]:
    """Code -> name of the register, for the messages of alerts; none before the first import."""
    try:
        register = RegisterBook(config.folder / REGISTER_FILE).load()
    except NoRegisterError:
        return {}
    return {code: school.name for code, school in register.schools.items()}


def _build(args: argparse.Namespace) -> int:
    # Without a file the default threshold: what is built must not depend on the machine.
    config = load_config(args) if args.config else None
    try:
        editions = _editions(config.figure, _schools(config)) if config else _editions(Figure())
        written = build.write(args.out, editions)
    except OSError as error:
        problem = say("写不了看板", "cannot write the dashboards")
        raise RefusedError(f"{args.out}: {problem}: {error.strerror}") from error
    for path in written:
        print(path)
    return DONE


def _push(args: argparse.Namespace) -> int:
    # Imported on use: the other commands do not need requests.
    from collector.grafana import boards, rules
    from collector.grafana.client import Grafana

    chosen = of_documents()
    config = load_config(args)
    editions = _editions(config.figure, _schools(config) if args.alerts else None)
    edition = next(one for one in editions if one.lang == chosen)
    grafana = Grafana(args.url, token_of(args))
    grafana.check()
    sources = grafana.sources()
    made = [make(edition) for make in build.BOARDS.values()]
    planned = boards.plan(grafana, f"schoolpulse-{chosen}", _FOLDERS[chosen], made)
    groups = alerts.groups(edition, lambda name: str(getattr(sources, name)))
    wanted = rules.plan(grafana, groups) if args.alerts else []
    _say([*planned.steps, *wanted])
    if not args.dry_run:
        taken = boards.carry_out(grafana, planned, force=args.force)
        taken += rules.carry_out(grafana, wanted, alerts.FOLDER.of(chosen), force=args.force)
        print(say(f"改了 {len(taken)} 项", f"{len(taken)} changed"))
    kept = [step for step in [*planned.steps, *wanted] if _kept(step, args.force)]
    return _ask(kept) if kept else DONE


def _kept(step: Step, force: bool) -> bool:
    return step.action == "provisioned" or (step.action == "edited" and not force)


def _say(steps: Sequence[Step]) -> None:
    words = {
        "create": say("新建", "create"),
        "update": say("更新", "update"),
        "same": say("不变", "unchanged"),
        "edited": say("有人改过", "edited in Grafana"),
        "provisioned": say("由文件提供", "provisioned from a file"),
    }
    for step in steps:
        print(f"{words[step.action]}  {step.title}  ({step.uid})")
        for difference in step.differences:
            print(f"    {difference}")


def _ask(kept: Sequence[Step]) -> int:
    names = say("、", ", ").join(step.title for step in kept)
    print(
        say(
            f"没有动：{names}。改过的：确认不要那些改动，加 --force；由文件提供的：换文件。",
            f"not changed: {names}. Edited in Grafana: use --force to discard those edits. "
            "Provisioned: change the file.",
        )
    )
    return FAILED
