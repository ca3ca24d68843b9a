"""What `schoolpulse doctor` checks: each one says what it found, and the fix."""

from __future__ import annotations

import datetime as dt
import sqlite3
import time
import urllib.error
import urllib.request
from collections.abc import Iterator

from agent.common.calendar import CITY_TIME
from agent.common.checks import Check
from agent.common.command_line import RefusedError
from agent.common.language import counted, say
from collector.config import Config
from collector.doctor import (
    broker,
    calendar,
    delivery,
    disk,
    files,
    held,
    releases,
    schools,
    secrets,
    storing,
)
from collector.keeper.audit import Audited
from collector.roster.book import DamagedBookError, NoRegisterError, RegisterBook
from collector.service.pipeline.quarantine import FILE, Quarantine
from collector.store.base import StoreError
from collector.store.clocks import ahead_of

_SERVER_S = 3.0
_ALMOST = 0.8  # of the quarantine's limit: time to act
REGISTER_FILE = "register.db"


def checks(
    config: Config,
    warnings: list[str],
    now: dt.datetime,
    *,
    fix: bool = False,
    tick: delivery.Tick = lambda schools: schools,
) -> Iterator[Check]:
    """All checks, in the order in which a fix helps the next. Raises nothing.

    `fix` creates what is missing: the data folder, InfluxDB's buckets. `tick` iterates over the
    schools of a long read, and shows the progress.
    """
    clocks: dict[str, float | None] = {}
    audited: list[Audited] | None = None
    yield _settings(warnings)
    yield from secrets.checks(config)
    yield (folder := disk.folder(config, fix=fix))
    stores = folder.ok is True or config.store.kind != "sqlite"
    stored = None
    if folder.ok:
        yield disk.room(config.folder)
    if config.store.kind != "sqlite":  # needs no folder of ours
        yield delivery.buckets(config, fix=fix)
    if stores:
        stored, clocks[say("数据库", "the database")] = storing.check(config)
        yield stored
    if not folder.ok:
        yield _without_folder(folder, stored)
    else:
        yield from _in_folder(config, now)
        audited = _audited(config, tick)
        yield from _told_of(audited, stored)
    yield from broker.checks(config, stores=stores)
    served, clocks[say("测速服务器", "the measurement server")] = _lineserver(config)
    yield served
    yield delivery.own_clock(clocks, audited or [])


def _told_of(audited: list[Audited] | None, stored: Check | None) -> Iterator[Check]:
    if audited is not None:
        yield delivery.gaps(audited)
        yield delivery.clocks(audited)
    elif stored and not stored.ok:
        what = say("学校、送达核对、电脑时钟", "schools, delivery, PC clocks")
        yield _unchecked(what, stored)


def _in_folder(config: Config, now: dt.datetime) -> Iterator[Check]:
    """What rests on the files of the data folder."""
    today = now.astimezone(CITY_TIME).date()
    yield _register(config, today)
    yield from calendar.soon(config, today)
    yield _quarantine(config)
    yield held.check(config, now)
    yield delivery.keeper(config)
    yield from schools.checks(config)
    yield releases.check(config)


def _without_folder(folder: Check, stored: Check | None) -> Check:
    what = say(
        "磁盘空间、台账、隔离区、暂存的上报、汇总、学校、新版本、送达核对",
        "disk, register, quarantine, held reports, keeper, schools, new versions, delivery",
    )
    return _unchecked(what if stored else say("存储、", "store, ") + what, folder)


def _unchecked(what: str, wrong: Check) -> Check:
    """What rests on something that is wrong, and is not looked at: silence would read as health."""
    fix = say(
        f"先解决「{wrong.name}」，再运行一次",
        f"put the {wrong.name} right first, then run it again",
    )
    return Check(say("没有检查", "not checked"), None, what, fix)


def _settings(warnings: list[str]) -> Check:
    name = say("配置", "settings")
    if warnings:
        return Check(name, False, "; ".join(warnings), say("改正这些配置项", "fix these settings"))
    return Check(name, True, say("可用", "OK"))


def _register(config: Config, today: dt.date) -> Check:
    name, path = say("台账", "register"), config.folder / REGISTER_FILE
    fill = say(
        "schoolpulse roster template --out 文件夹，填好后 schoolpulse roster import 文件夹",
        "schoolpulse roster template --out DIR, fill in the sheets, schoolpulse roster import DIR",
    )
    if not path.exists():
        return Check(name, False, say("还没有台账", "no register yet"), fill)
    try:
        register = RegisterBook(path).load()
    except NoRegisterError as error:
        return Check(name, False, str(error), fill)
    except DamagedBookError as error:
        fix = files.fix_of(error, path) or say(
            "从备份恢复；没有备份就移开它，重新导入", "restore a backup; or import again"
        )
        return Check(name, False, str(error), fix)
    except RefusedError as error:  # it names the file
        return Check(name, False, str(error), files.fix_of(error, path))
    if not register.schools:
        return Check(name, False, say("台账里没有学校", "no schools in the register"), fill)
    schools = say(f"{len(register.schools)} 所学校", counted(len(register.schools), "school"))
    ends = max((last for _, last in register.calendar.terms), default=None)
    if ends is not None and ends < today:
        detail = say(f"{schools}；校历已于 {ends} 结束", f"{schools}; its calendar ended on {ends}")
        fix = say("导入新学年的校历（calendar 表）", "import the new school year's calendar sheet")
        return Check(name, False, detail, fix)
    until = say("无学期行", "no term rows") if ends is None else say(f"校历到 {ends}", f"to {ends}")
    return Check(name, True, say(f"{schools}；{until}", f"{schools}; calendar: {until}"))


def _audited(config: Config, tick: delivery.Tick) -> list[Audited] | None:
    """The last day's sums of every PC; None where the checks before say why they are not known."""
    if not (config.folder / REGISTER_FILE).exists():
        return None
    try:
        return delivery.audited(config, RegisterBook(config.folder / REGISTER_FILE).load(), tick)
    except (StoreError, RefusedError, sqlite3.Error):
        return None


def _quarantine(config: Config) -> Check:
    name = say("隔离区", "quarantine")
    try:
        quarantine = Quarantine(config.folder / FILE, config.quarantine_bytes)
    except RefusedError as error:  # it names the file and the fix
        return Check(name, False, str(error))
    except (sqlite3.Error, OSError) as error:
        fix = files.fix_of(error, config.folder / FILE)
        return Check(name, False, f"{config.folder / FILE}: {error}", fix)
    try:
        rows, size = quarantine.size()
    finally:
        quarantine.close()
    limit = config.quarantine_bytes
    detail = say(f"{rows} 条，{size}/{limit} 字节", f"{rows} messages, {size} of {limit} bytes")
    if size >= _ALMOST * limit:
        fix = say(
            "查看原因并清理，或调大 quarantine_bytes；满了以后新的坏报文会留在学校电脑上",
            "review the reasons and empty it, or raise quarantine_bytes; once full, new bad "
            "messages stay on the school PCs",
        )
        return Check(name, False, detail, fix)
    return Check(name, True, detail)


def _lineserver(config: Config) -> tuple[Check, float | None]:
    """Also returns how far this clock is ahead of its, s."""
    name, server = say("测速服务器", "measurement server"), config.lines.server
    if not server:
        detail = say("未设置，各校线路不会被测", "not set, no line will be tested")
        fix = say(
            "运行 schoolpulse lineserver，并设置 [lines] server",
            "run schoolpulse lineserver, and set server in [lines]",
        )
        return Check(name, False, detail, fix), None
    try:
        date = _healthy(server)
    except (OSError, ValueError) as error:
        fix = say(
            "启动 schoolpulse lineserver，核对地址与防火墙",
            "start schoolpulse lineserver; check address and firewall",
        )
        cause = getattr(error, "reason", error)  # urllib's own text is `<urlopen error …>`
        short = getattr(cause, "strerror", None) or str(cause)
        return Check(name, False, f"{server}: {short}", fix), None
    said = say(f"{server} 有应答", f"{server} responds")
    return Check(name, True, said), ahead_of(date, time.time())


def _healthy(server: str) -> str | None:
    """The Date of its answer. Raises OSError, ValueError."""
    if not server.startswith(("http://", "https://")):
        raise ValueError(say("不是 http:// 地址", "not an http:// address"))
    url = server.rstrip("/") + "/healthz"
    with urllib.request.urlopen(url, timeout=_SERVER_S) as reply:  # noqa: S310 (scheme checked)
        date: str | None = reply.headers.get("Date")
        return date
