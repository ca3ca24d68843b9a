"""`schoolpulse ca`: the city's CA, and its renewal in two steps."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any, NamedTuple

from cryptography.x509 import Certificate

from agent.common.calendar import CITY_TIME
from agent.common.command_line import DONE, RefusedError, json_argument
from agent.common.language import say
from agent.wire.renewal import ca_digest
from collector.broker.control import ControlError
from collector.commands.enrol.places import City, broker_failed, common, opened
from collector.commands.enrol.places import code as school_code
from collector.commands.tables import print_json
from collector.enrol import authority, brokering, outputs, pki, seen
from collector.enrol.rotation import BEFORE_MS, Standing, trusting
from collector.enrol.standings import retired
from collector.roster.book import BookError
from collector.roster.register import Register


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The sub-commands, each with what it needs."""
    actions = parser.add_subparsers(required=True, metavar=say("操作", "ACTION"))
    text = say(
        "证书的期限，以及更换进行到哪一步", "dates of the certificates, and how a renewal stands"
    )
    status = actions.add_parser("status", help=text)
    json_argument(status)
    common(status, _status)
    text = say(
        "更换 CA：先生成下一个并分发；全部电脑信任后加 --sign",
        "renew the CA: first make and hand out the next one; once all PCs trust it, --sign",
    )
    renew = actions.add_parser("renew", help=text)
    add = renew.add_argument
    text = say("由下一个 CA 签发服务器证书", "have the next CA sign the server's certificate")
    add("--sign", action="store_true", help=text)
    text = say("即使还有电脑不信任它", "even if some PCs do not trust it yet")
    add("--force", action="store_true", help=text)
    text = say(
        "不等这些学校的电脑：还不信任下一个 CA 的会连不上",
        "do not wait for these schools: their PCs that do not trust the next CA are locked out",
    )
    add(
        "--without",
        nargs="+",
        action="extend",
        type=school_code,
        default=[],
        metavar=say("代码", "CODE"),
        help=text,
    )
    text = say("CA 密钥的位置", "where the CA's key is")
    add("--ca-key", type=Path, metavar="FILE", help=text)
    common(renew, _renew)


def run(args: argparse.Namespace) -> int:
    """Do what the sub-command says."""
    action: Callable[[argparse.Namespace], int] = args.action
    return action(args)


class _Trust(NamedTuple):
    """Who trusts the CA that will sign next, by school."""

    moved: int
    behind: dict[str, tuple[str, ...]]


def _status(args: argparse.Namespace) -> int:
    with opened(args) as city:
        place = city.place
        found = pki.certificates(pki.read(place.ca))
        server = pki.first(pki.read(place.server)) if place.server.exists() else None
        trust = _trust(city)
        facts: dict[str, Any] = {
            "stage": authority.stage(place),
            "ca_ends": [_day(one) for one in found],
            "server_ends": _day(server) if server else None,
            "server_names": authority.server_names(place),
            "ca_key_here": place.ca_key.exists(),
            "pcs_trusting": trust.moved,
            "pcs_behind": {code: list(pcs) for code, pcs in trust.behind.items()},
        }
    if args.json:
        print_json(facts)
        return DONE
    _print_status(facts, trust)
    return DONE


def _print_status(facts: dict[str, Any], trust: _Trust) -> None:
    stages = {
        authority.NONE: say("没有在更换", "no renewal is under way"),
        authority.DISTRIBUTING: say("下一个 CA 正在分发", "the next CA is being handed out"),
        authority.SIGNED: say(
            "已由新的 CA 签发，等 Mosquitto 重读证书后再运行 ca renew --sign",
            "signed by the new CA; once Mosquitto has read it, run ca renew --sign again",
        ),
    }
    behind = sum(map(len, trust.behind.values()))
    ends = ", ".join(facts["ca_ends"])
    print(say(f"CA 到期: {ends}", f"CA ends: {ends}"))
    print(
        say(
            f"服务器证书到期: {facts['server_ends']}",
            f"server certificate ends: {facts['server_ends']}",
        )
    )
    print(stages[facts["stage"]])
    print(say(f"信任现有 ca.pem 的电脑 {trust.moved} 台，还没有的 {behind} 台",
              f"{trust.moved} PCs trust the present ca.pem, {behind} do not yet"))  # fmt: skip
    if trust.behind:
        print("  " + _schools(trust.behind))


def _day(certificate: Certificate) -> str:
    return certificate.not_valid_after_utc.astimezone(CITY_TIME).date().isoformat()


def _renew(args: argparse.Namespace) -> int:
    with opened(args) as city:
        if args.ca_key:
            city = city._replace(place=city.place._replace(ca_key=args.ca_key))
        said = _sign(args, city) if args.sign else _begin(city)
        try:
            outputs.bring(city.place, city.config, city.state)
        except ControlError as error:
            return broker_failed(error)
        print(said)
        _bundles(city)
    return DONE


def _begin(city: City) -> str:
    """Make the next CA; what to say once it is handed out."""
    if authority.begin_renewal(city.place, dt.datetime.now(dt.UTC)):
        city.state.note("ca renew", str(city.place.next_ca))
        return say(
            "下一个 CA 已生成，在用的电脑马上收到，其余的开机后收到；"
            "用 schoolpulse ca status 看进度，然后 schoolpulse ca renew --sign",
            "the next CA is made; PCs that are on receive it now, others once they are. See "
            "schoolpulse ca status, then run schoolpulse ca renew --sign",
        )
    return say("已在分发", "it is being handed out already")


def _sign(args: argparse.Namespace, city: City) -> str:
    """Have the next CA sign, or end the former one; what to say then.

    Raises:
        RefusedError: there is no next one, or PCs do not trust it yet.
    """
    place = city.place
    if authority.stage(place) == authority.NONE:
        text = say("先运行 schoolpulse ca renew", "run schoolpulse ca renew first")
        raise RefusedError(text)
    if authority.stage(place) == authority.DISTRIBUTING:
        behind = _trust(city).behind
        waited = {code: pcs for code, pcs in behind.items() if code not in args.without}
        if waited and not args.force:
            raise RefusedError(_refusal(waited))
        authority.sign(place, dt.datetime.now(dt.UTC))
        city.state.note("ca sign", f"{place.server}{_forced(behind, waited)}")
        print(say("服务器证书已由新的 CA 签发", "the server's certificate is by the new CA now"))
    # While the broker shows the former certificate, the city's own services need the former CA.
    if brokering.presents(place, city.config.mqtt) is False:
        return say(
            "让 Mosquitto 重读证书：systemctl reload mosquitto；再运行一次本命令，旧 CA 才作废",
            "have Mosquitto read it: systemctl reload mosquitto. Then run this again, so that the "
            "former CA is trusted no longer",
        )
    authority.finish_renewal(place)
    city.state.note("ca finish", str(place.ca))
    return say("更换完成，旧 CA 不再受信任", "renewed; the former CA is trusted no longer")


def _forced(behind: Collection[str], waited: Collection[str]) -> str:
    """How it was forced, for the journal."""
    if waited:
        return " --force"
    return f" --without {' '.join(sorted(behind))}" if behind else ""


def _refusal(behind: dict[str, tuple[str, ...]]) -> str:
    pcs = sum(map(len, behind.values()))
    listed = _schools(behind)
    return say(
        f"还有 {pcs} 台电脑不信任下一个 CA，签发后它们会连不上：{listed}。"
        "等它们上线并重启过；--without 代码：不等某校（编造的电脑永远等不到），--force：都不等",
        f"{pcs} PCs do not trust the next CA yet and would be locked out: {listed}. Wait until "
        "they have been online and restarted; --without CODE does not wait for a school (invented "
        "PCs never come), --force for none",
    )


def _schools(behind: dict[str, tuple[str, ...]]) -> str:
    """The first ten, those with most PCs first: `9900000001 (40)`."""
    most = sorted(behind, key=lambda code: (-len(behind[code]), code))
    listed = " ".join(f"{code} ({len(behind[code])})" for code in most[:10])
    return listed + (" …" if len(behind) > 10 else "")


def _trust(city: City) -> _Trust:
    """PCs that hold the present ca.pem, the next CA within it; all that were seen since 30 days
    before it was made must, retired ones aside."""
    pem = pki.read(city.place.ca)
    digests = {ca_digest(pem.decode())}
    start = _made_ms(pki.certificates(pem)[-1]) - BEFORE_MS
    register = _register(city)
    moved, behind = 0, {}
    for code, said in seen.read(city.place.seen, start).items():
        gone = retired(register, code)
        found: Standing = trusting([one for one in said if one.machine not in gone], digests, start)
        moved += len(found.moved)
        if found.behind:
            behind[code] = found.behind
    return _Trust(moved, behind)


def _register(city: City) -> Register:
    try:
        return city.register()
    except BookError:
        return Register(schools={})


def _made_ms(certificate: Certificate) -> int:
    return int(certificate.not_valid_before_utc.timestamp() * 1000) + 86_400_000


def _bundles(city: City) -> None:
    """What is installed from now on trusts the same as the PCs in use."""
    register, held = _register(city), city.state.held()
    chosen = [held[code] for code in held if code in register.schools]
    out = city.place.data / "bundles"
    outputs.bundles(city.place, city.config, register, chosen, out)
