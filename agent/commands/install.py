"""`schoolpulse-agent install`: a service that starts with the PC, without a login.

From the school's bundle: checked, put in its place for the service alone, installed, and seen by
`doctor` as the service sees it. Done twice it changes nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

from agent import config as settings
from agent import service
from agent.commands import prepare_image
from agent.commands.config_file import cannot
from agent.common import secret_files, secret_reading, textfile
from agent.common.command_line import DONE, RefusedError
from agent.common.language import say
from agent.common.settings import SettingsError, peek
from agent.config import Config
from agent.service import bundle, place, program

_DOCTOR_S = 120


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The bundle, or where the settings come from, and which file also gets the result."""
    add = parser.add_argument
    text = say("学校的配置包（zip 或解压后的文件夹）", "the school's bundle (zip, or a folder)")
    add("bundle", metavar="BUNDLE", nargs="?", type=Path, help=text)
    text = say(
        "没有配置包时：配置文件，连同它点名的文件复制到默认位置",
        "without a bundle: settings file; it and the files it names are copied",
    )
    add("--config", metavar="FILE", help=text)
    add("--room", help=say("这台电脑所在的教室", "the room this PC stands in"))
    text = say("换成另一所学校的配置包", "replace the settings of another school")
    add("--replace", action="store_true", help=text)
    text = say("换学校时，未送达的报告丢掉", "with --replace: delete unsent reports")
    add("--discard", action="store_true", help=text)
    text = say("把结果也写进这个文件（UTF-8）", "also write the result to this file (UTF-8)")
    add("--log", metavar="FILE", type=Path, help=text)


def run(args: argparse.Namespace) -> int:
    """Check everything, put it in its place, install, and let `doctor` look."""
    try:
        result = _install(args)
    except (RefusedError, SettingsError) as error:
        _log(args.log, str(error))
        raise
    _log(args.log, result)
    print(result, flush=True)
    told = _doctor()
    _log(args.log, f"{result}\n{told}")
    print(told)
    return DONE


def _install(args: argparse.Namespace) -> str:
    files, config = _wanted(args)  # refuse settings with which the service could not start
    try:
        service.check()
        program.check()
        _leave_school(config, args)
        changed = place.put(files, settings.DEFAULT_FILE.parent, config.folder)
        copies = _copies()
        if not changed and service.current(copies):
            return say(
                f"已经装好，没有改动：学校 {config.school}",
                f"installed already, nothing changed: school {config.school}",
            )
        name = service.install(copies, config)
    except service.Late as error:
        return say(
            f"注意：服务还没有运行：{error}", f"note: the service is not running yet: {error}"
        )
    except (OSError, service.Refused) as error:
        raise RefusedError(cannot(say("装不上", "cannot install"), error)) from error
    return say(
        f"已安装并启动服务 {name}，学校 {config.school}；用 status 和 doctor 查看",
        f"service {name} installed and started, school {config.school}; "
        "check with status and doctor",
    )


def _wanted(args: argparse.Namespace) -> tuple[dict[str, bytes], Config]:
    """The files to be put in place, and the settings that they make."""
    if args.bundle and args.config:
        raise RefusedError(
            say("配置包和 --config 只能给一个", "give a bundle or --config, not both")
        )
    if not args.bundle:
        return _beside(args)
    found = bundle.read(args.bundle)
    room = args.room or _kept_room(found.school)
    known = bundle.rooms(found)
    if args.room and known and args.room not in known:
        raise RefusedError(
            say(
                f"没有教室 {args.room!r}；配置包里有：{'、'.join(known[:20])}",
                f"no room {args.room!r}; the bundle has: {', '.join(known[:20])}",
            )
        )
    files = {**found.files}
    if room:
        files[secret_files.SETTINGS] = with_room(files[secret_files.SETTINGS], room)
    return files, found.config


def _beside(args: argparse.Namespace) -> tuple[dict[str, bytes], Config]:
    """A settings file of one's own, and what it names in its own folder."""
    config, warnings = settings.load(args.config)
    for warning in warnings:
        print(warning, file=sys.stderr)
    path = Path(args.config) if args.config else settings.present()
    if path is None:
        return {}, config
    try:
        files = {secret_files.SETTINGS: path.read_bytes()}
        for _, named in secret_reading.named(config):
            if Path(named).parent == path.parent and Path(named).is_file():
                files[Path(named).name] = Path(named).read_bytes()
    except OSError as error:
        raise RefusedError(cannot(say("读不了", "cannot read"), error)) from error
    return files, config


def _copies() -> list[str]:
    """The files beside the installed settings that the service reads."""
    file = settings.DEFAULT_FILE
    if not file.exists():
        return []
    config, _ = settings.load(str(file), environ={})
    named = [Path(name) for _, name in secret_reading.named(config)]
    beside = [one.name for one in named if one.parent == file.parent and one.is_file()]
    return list(dict.fromkeys([file.name, *beside]))


def _kept_room(school: str) -> str:
    """The room that was set on this PC, which no bundle knows."""
    file = settings.DEFAULT_FILE
    room = peek(file, "room") if peek(file, "school") == school else ""
    return room if isinstance(room, str) else ""


def with_room(toml: bytes, room: str) -> bytes:
    """The settings with `room` set."""
    lines = textfile.decoded(toml).splitlines()
    tables = next(
        (at for at, line in enumerate(lines) if line.lstrip().startswith("[")), len(lines)
    )
    kept = [
        line
        for at, line in enumerate(lines)
        if at >= tables or line.partition("=")[0].strip() != "room"
    ]
    return "\n".join([f"room = {json.dumps(room, ensure_ascii=False)}", *kept, ""]).encode()


def _leave_school(config: Config, args: argparse.Namespace) -> None:
    """Of another school nothing may stay: its unsent reports would count for the new one."""
    file = settings.DEFAULT_FILE
    before = peek(file, "school")
    if not isinstance(before, str) or before in ("", config.school):
        return
    if not args.replace:
        raise RefusedError(
            say(
                f"这台电脑装的是学校 {before}，给的是 {config.school}：确实要换学校就加 --replace",
                f"this PC is installed for school {before}, this is for {config.school}: use"
                " --replace if it has moved",
            )
        )
    try:
        old, _ = settings.load(str(file), need_school=False)
    except SettingsError:
        old = config
    prepare_image.clear(old, discard=args.discard)


def _doctor() -> str:
    """What `doctor` says, which takes the rights of the service's account for it."""
    call = [*service.command(), "doctor"]
    environ = {**os.environ, "SCHOOLPULSE_LANG": say("zh", "en"), "PYTHONIOENCODING": "utf-8"}
    try:
        done = subprocess.run(  # noqa: S603
            call, capture_output=True, timeout=_DOCTOR_S, env=environ, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return say(f"doctor 没有结果：{error}", f"doctor gave no result: {error}")
    return (done.stdout + done.stderr).decode("utf-8", "replace").replace("\r", "").rstrip()


def _log(file: Path | None, text: str) -> None:
    """For an installer, which has no terminal; an unwritable file does not stop the install."""
    if file is None:
        return
    try:
        file.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        print(f"{file}: {error.strerror}", file=sys.stderr)
