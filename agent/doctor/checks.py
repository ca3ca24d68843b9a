"""What `doctor` checks on this PC and around it: found, or what is wrong and the fix."""

from __future__ import annotations

import contextlib
import os
import shutil
import socket
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

from agent import identity, probes
from agent.common import tables
from agent.common.checks import Check
from agent.common.language import say
from agent.common.vocabulary import devices as device_words
from agent.config import Config
from agent.probes.network import probe as network
from agent.resident import status
from agent.wire.messages import Device, Policy

_TCP_S = 5.0
_SPARE_BYTES = 50_000_000


def folder(config: Config) -> Check:
    """Whether the data folder can be written, and the disk has room for a full outbox."""
    name = say("数据目录", "data folder")
    path = config.folder
    try:
        path.mkdir(parents=True, exist_ok=True)
        probe = path / f".doctor-{os.getpid()}"
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError as error:
        fix = say(
            "改权限，或在配置里另设 data", "fix its permissions, or set data to another folder"
        )
        return Check(name, False, f"{path}: {error.strerror}", fix)
    return _room(name, path, config.outbox.limit_bytes + _SPARE_BYTES)


def _room(name: str, path: Path, needed: int) -> Check:
    free = shutil.disk_usage(path).free
    detail = f"{path}, {say('可用', 'free')} {tables.size(free)}"
    if free >= needed:
        return Check(name, True, detail)
    fix = say(
        f"至少需要 {tables.size(needed)}：清理磁盘，或调小 outbox.limit_bytes",
        f"at least {tables.size(needed)} needed: free disk space, or lower outbox.limit_bytes",
    )
    return Check(name, False, detail, fix)


def machine() -> Check:
    """Whether the id comes from hardware."""
    who = identity.identify()
    detail = f"{who.machine} ({', '.join(who.sources)})"
    fix = say("弱：固件里没有可用的编号；", "weak: the firmware has no usable id; ")
    if sys.platform == "win32" or Path("/", identity.HARDWARE_FILE).exists():
        fix += say(
            "用的是系统编号，克隆的电脑会相同：做镜像前清掉它（docs/deploy/image.zh-CN.md）",
            "the system's is used, which clones share: empty it before imaging "
            "(docs/deploy/image.md)",
        )
    else:
        fix += say(
            "用 deploy/systemd 的服务单元运行，它先以 root 读取硬件编号",
            "use the unit of deploy/systemd, which reads the hardware's ids as root first",
        )
    return Check(say("机器号", "machine id"), not who.weak, detail, fix if who.weak else "")


def clock(config: Config) -> Check:
    """What the last run learned of the clock; a wrong one is corrected, not a fault."""
    name = say("时钟偏差", "clock offset")
    with contextlib.suppress(OSError):
        last = status.read(config.folder)
        if last is not None and last.offset_ms is not None:
            return Check(name, True, f"{last.offset_ms / 1000:+.3f} s")
    return Check(name, None, say("尚无回执，未知", "unknown, no receipt yet"))


def each_probe(config: Config) -> Iterator[Check]:
    """Whether each enabled probe exists and works here."""
    for name in config.probes.enabled:
        label = f"{say('探测', 'probe')} {name}"
        if name not in probes.PROBES:
            known = ", ".join(probes.PROBES)
            yield Check(
                label, False, say("没有此项", "no such probe"), say("可用：", "available: ") + known
            )
            continue
        context = probes.Context(watched=config.devices, patient=True)
        gathered = probes.run((name,), context)
        timing = gathered.timings[0]
        odd = {**network.unknowable(context), **_asking(gathered)} if name == "network" else {}
        found = say(f"{len(gathered.readings)} 条", f"{len(gathered.readings)} readings")
        took = f"{timing.seconds * 1000:.0f} ms"
        fix = say(
            "更新驱动，或从 probes.enabled 去掉",
            "update the driver, or remove it from probes.enabled",
        )
        if odd:
            fix = "; ".join(f"{host}: {device_words.note(why)}" for host, why in odd.items())
        ok = timing.ok and not odd
        yield Check(label, ok, f"{found}, {took} {timing.reason}".strip(), "" if ok else fix)


def _asking(gathered: probes.Gathered) -> dict[str, str]:
    """What to do about listed devices that are there and cannot be asked, by connector."""
    devices = (one for one in gathered.readings if isinstance(one, Device))
    return {one.connector: fix for one in devices if (fix := device_words.fix(one.fault))}


def line_server(config: Config, policy: Policy | None, *, asked: bool = True) -> Check:
    """Whether the measurement server can be reached, by our settings or the policy.

    `asked`: whether the broker could be asked for the policy.
    """
    name = say("测速服务器可达", "measurement server reachable")
    servers = [config.line.server] + [line.server for line in (policy.lines if policy else ())]
    server = next(filter(None, servers), "")
    if not server and not asked:
        unknown = say(
            "消息服务没有应答，还不知道", "not known while the broker does not answer or let us in"
        )
        return Check(name, None, unknown)
    if not server:
        return Check(name, None, say("未配置，策略里也没有", "not set, and not in the policy"))
    parts = urlsplit(server)
    try:
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        port = None
    if not parts.hostname or port is None:
        fix = say("应为 http://主机:端口", "must be http://host:port")
        return Check(name, False, f"line.server = {server!r}", fix)
    return tcp(name, parts.hostname, port)


def tcp(name: str, host: str, port: int) -> Check:
    """Whether a server listens there."""
    started = time.monotonic()
    try:
        socket.create_connection((host, port), _TCP_S).close()
    except OSError as error:
        fix = say("查地址、端口、网线与防火墙", "check address, port, cable and firewall")
        if isinstance(error, socket.gaierror):
            fix = say(
                f"这里不认识名称 {host}：核对它，或在 DNS、/etc/hosts 里加上它",
                f"the name {host} is not known here: correct it, or add it to DNS or /etc/hosts",
            )
        return Check(name, False, f"{host}:{port}: {error.strerror or error}", fix)
    return Check(name, True, f"{host}:{port}, {(time.monotonic() - started) * 1000:.0f} ms")
