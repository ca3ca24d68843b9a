"""What `schoolpulse doctor` checks in the store: buckets, missing reports, clocks."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping

from agent.common.checks import Check
from agent.common.language import counted, say
from agent.wire import TopicError, parse_topic
from collector.config import Config
from collector.doctor import storing
from collector.keeper.audit import CLOCK_MS, Audited, Boot, audit
from collector.roster.register import Register
from collector.service.pipeline.quarantine import FILE, Quarantine
from collector.store.base import StoreError
from collector.store.clocks import APART_S, PCS_APART_S, of_pcs
from collector.store.factory import open_store

_LOOK_BACK_NS = 24 * 3600 * 10**9
_NAMED = 20
_LATELY_NS = 600 * 10**9
#: A keeper that is further behind does not keep up, s.
LAG_S = 600.0


def buckets(config: Config, *, fix: bool) -> Check:
    """Whether both buckets of InfluxDB are there and keep as long as they should."""
    from collector.store import buckets as server

    name = say("桶与保留期", "buckets")
    try:
        found = (server.set_up if fix else server.current)(config.store)
    except StoreError as error:
        return Check(name, False, *storing.explained(error, config))
    ok = all(bucket.ok for bucket in found)
    cure = "" if ok else "schoolpulse doctor --fix"
    return Check(name, ok, say("；", "; ").join(map(str, found)), cure)


#: Iterates over schools, and shows the progress.
Tick = Callable[[list[str]], Iterable[str]]


def audited(config: Config, register: Register, tick: Tick) -> list[Audited]:
    """Every PC's sums of the last day.

    Raises:
        UnavailableError, MisconfiguredError, sqlite3.Error.
    """
    now = time.time_ns()
    with open_store(config) as store:
        schools = sorted(register.schools)
        start, aside = now - _LOOK_BACK_NS, quarantined(config)
        return list(audit(store, tick(schools), start, now + 1, aside))


def quarantined(config: Config) -> Counter[Boot]:
    """How many messages of each boot are in quarantine."""
    found: Counter[Boot] = Counter()
    if not (config.folder / FILE).exists():
        return found
    held = Quarantine(config.folder / FILE, config.quarantine_bytes)
    try:
        for row in held.rows():
            try:
                place = parse_topic(row.topic)
            except TopicError:
                continue
            found[place.school, place.machine, place.boot] += 1
    finally:
        held.close()
    return found


def gaps(found: list[Audited]) -> Check:
    """Reports of the last day that are neither stored nor explained."""
    name = say("送达核对", "delivery")
    missing = [one for one in found if one.missing]
    total = sum(one.produced for one in found)
    dropped = sum(one.dropped for one in found)
    waiting = sum(one.waiting for one in found)
    sums = say(
        f"近 24 小时 {len(found)} 台电脑产生 {total}，丢弃（已计数）{dropped}，待送 {waiting}，"
        f"缺 {sum(one.missing for one in missing)}",
        f"last 24 h: {counted(len(found), 'PC')} produced {total}; dropped and counted {dropped}, "
        f"waiting {waiting}, missing {sum(one.missing for one in missing)}",
    )
    if not missing:
        return Check(name, True, sums)
    fix = say(
        "数据库恢复过？运行 schoolpulse collect --ask-again 起始时间，要回证据",
        "was the database restored? schoolpulse collect --ask-again SINCE requests the evidence",
    )
    lines = (f"{one.school} {one.machine}: {one.missing}" for one in missing)
    return Check(name, False, sums + _listed(lines), fix)


def keeper(config: Config) -> Check:
    """Whether what is stored is derived soon, as collectors and keepers noted last."""
    name, now = say("汇总", "keeper"), time.time_ns()
    try:
        with open_store(config) as store:
            points = store.read("collector", now - _LATELY_NS, now + 1, fields=["keeper_lag_s"])
            lags = [float(point.fields["keeper_lag_s"]) for point in points]
    except StoreError as error:
        return Check(name, False, *storing.explained(error, config))
    if not lags:
        none = say("近 10 分钟没有说明进度", "nothing noted in the last 10 min")
        return Check(name, True, none)
    said = say(
        f"最早的报告等了 {lags[-1]:,.0f} s", f"the oldest report waits for {lags[-1]:,.0f} s"
    )
    if lags[-1] <= LAG_S:
        return Check(name, True, said)
    fix = say(
        "看采集服务的日志：keeper_failed、keeper_ended、day_not_derived 说明原因",
        "the collector's log says why: keeper_failed, keeper_ended, day_not_derived",
    )
    return Check(name, False, said, fix)


def clocks(found: list[Audited]) -> Check:
    """PCs whose own clock is more than five minutes off."""
    name = say("电脑时钟", "PC clocks")
    known = [one for one in found if one.offset_ms is not None]
    off = [one for one in known if abs(one.offset_ms or 0) > CLOCK_MS]
    off.sort(key=lambda one: -abs(one.offset_ms or 0))
    if not off:
        return Check(
            name,
            True,
            say(f"{len(known)} 台都在 5 分钟内", f"{counted(len(known), 'PC')}, all within 5 min"),
        )
    head = say(
        f"{len(off)}/{len(known)} 台差 5 分钟以上（上报时间已自动更正）",
        f"{len(off)} of {len(known)} PCs are more than 5 min off (their reports are corrected)",
    )
    lines = (f"{one.school} {one.machine}: {-(one.offset_ms or 0) / 1000:+,.0f} s" for one in off)
    fix = say("在这些电脑上打开自动对时", "turn on automatic time sync (NTP) on these PCs")
    return Check(name, False, head + _listed(lines), fix)


def own_clock(servers: Mapping[str, float | None], found: list[Audited]) -> Check:
    """This machine's clock against those of servers, by name, and most PCs'."""
    known = {name: ahead for name, ahead in servers.items() if ahead is not None}
    apart = any(abs(ahead) > APART_S for ahead in known.values())
    differences = [
        say(f"比{name} {ahead:+,.0f} s", f"{ahead:+,.0f} s against {name}")
        for name, ahead in known.items()
    ]
    most = of_pcs([one.offset_ms for one in found if one.offset_ms is not None])
    if most is not None:
        apart |= abs(most.ahead_s) > PCS_APART_S
        differences.append(
            say(
                f"比 {most.agree}/{most.asked} 台电脑 {most.ahead_s:+,.0f} s",
                f"{most.ahead_s:+,.0f} s against {most.agree} of {most.asked} PCs",
            )
        )
    detail = say("；", "; ").join(differences) or say(
        "没有别的时钟可比", "no other clock to compare with"
    )
    fix = say(
        "先看哪一台错，再用 NTP（chrony）对时：回执把本机的时间告诉全市电脑",
        "find out which one is wrong, then sync it by NTP (chrony): receipts carry this clock's "
        "time to all PCs",
    )
    return Check(say("本机时钟", "this clock"), not apart, detail, fix if apart else "")


def _listed(lines: Iterator[str]) -> str:
    found = list(lines)
    more = [f"+{len(found) - _NAMED}"] if len(found) > _NAMED else []
    return "".join(f"\n      {line}" for line in [*found[:_NAMED], *more])
