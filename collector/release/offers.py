"""Who is offered which version. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

import msgspec

from agent import wire
from agent.wire.release import MANIFEST_PATH, ReleaseOffer, numbers
from collector.release.book import Stage

_MOST = 8


def offers(
    stages: Iterable[Stage], withdrawn: Collection[str], school: str, server: str
) -> tuple[ReleaseOffer, ...]:
    """A school's offers, the newest version first: PCs outside its share get the one before.

    `stages` are those that run; `server` is http://host:port of the measurement server.
    """
    if not server:
        return ()
    shares: dict[str, int] = {}
    for stage in stages:
        if stage.version not in withdrawn and (not stage.schools or school in stage.schools):
            shares[stage.version] = max(stage.percent, shares.get(stage.version, 0))
    newest = sorted(shares, key=numbers, reverse=True)[:_MOST]
    address = server.rstrip("/") + MANIFEST_PATH
    return tuple(ReleaseOffer(version, address, shares[version]) for version in newest)


def offered(
    policies: Mapping[str, wire.Policy], stages: Collection[Stage], withdrawn: Collection[str],
    default_server: str,
) -> dict[str, wire.Policy]:  # fmt: skip
    """The policies with the offers; from a school's own measurement server where it has one."""
    if not stages:
        return dict(policies)
    found = {}
    for school, policy in policies.items():
        servers = [line.server for line in policy.lines if line.server]
        server = servers[0] if servers else default_server
        offer = offers(stages, withdrawn, school, server)
        found[school] = msgspec.structs.replace(policy, releases=offer) if offer else policy
    return found
