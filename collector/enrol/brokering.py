"""The broker's accounts brought up to date: of one that runs by its plugin, else in its file.

HiveMQ's are always in its file, which it reads again by itself.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Literal

from cryptography.hazmat.primitives.serialization import Encoding

from agent.common import decoding, textfile
from agent.common.language import say
from agent.common.settings import Broker
from collector.broker import Account, dynsec, hivemq
from collector.broker.accounts import AccountError
from collector.broker.control import Control, ControlError
from collector.config import Mqtt
from collector.enrol import owned, pki
from collector.enrol.place import SERVICES, Place
from collector.enrol.state import Held

#: How long a broker may take to accept a connection before it counts as stopped, s.
_ANSWER_S = 5.0
_ADMIN = "admin"
How = Literal["running", "stopped", "file"]


def accounts(place: Place, held: Mapping[str, Held]) -> list[Account]:
    """Every account that there should be.

    Raises:
        OSError, TextFileError: a service's password cannot be read.
    """
    services = [Account(name, textfile.secret(place.password(name))) for name in SERVICES]
    schools = [one for school in held.values() for one in school.all]
    return [*services, *(Account(one.username, one.password, one.school) for one in schools)]


def apply(place: Place, mqtt: Mqtt, wanted: Iterable[Account]) -> tuple[How, int]:
    """Bring the broker to these accounts: whether it runs, and how many changed.

    Raises:
        ControlError: it runs and refused, or may run where we cannot reach it.
        OSError: its file cannot be written.
    """
    listed = list(wanted)
    if mqtt.hivemq:
        return "file", int(write_hivemq(Path(mqtt.hivemq), listed))
    if asked(mqtt):
        changes = control(place, mqtt).apply(listed)
        return "running", sum(map(len, changes))
    if not place.broker.is_dir():
        raise ControlError(_not_here(mqtt))
    changed = dynsec.write(place.accounts, listed)
    owned.protect(place.accounts, owned.Kind(0o600, owned.BROKER))
    return "stopped", int(changed)


def write_hivemq(path: Path, wanted: Iterable[Account]) -> bool:
    """The file for HiveMQ, its user's own where this machine has that; whether it changed.

    Raises:
        AccountError: see `accounts.check`; or another file lies there.
        OSError: it is as it was.
    """
    former = path.read_bytes() if path.exists() else b""
    if hivemq.others(former):
        text = say("不是账号文件", "is no file of accounts")
        fix = say("[mqtt] hivemq 应写 File RBAC 的 credentials.xml",
                  "[mqtt] hivemq names credentials.xml of File RBAC")  # fmt: skip
        raise AccountError(f"{path}: {text}; {fix}")
    return owned.put(path, hivemq.document(wanted, former), owned.HIVEMQS)


def in_file(mqtt: Mqtt, wanted: Iterable[Account]) -> tuple[set[str], set[str], bool]:
    """The names that HiveMQ's file should have, those that it has, and whether all is as it was
    written, passwords and rights too. Raises OSError."""
    path = Path(mqtt.hivemq)
    found = path.read_bytes() if path.exists() else b""
    made = hivemq.document(wanted, found)
    return hivemq.usernames(made), hivemq.usernames(found), made == found


def control(place: Place, mqtt: Mqtt) -> Control:
    """The running broker, by the account `admin`. Raises OSError, TextFileError."""
    fields = {name: getattr(mqtt, name) for name in Broker.__struct_fields__}
    # The service that ends credentials is given this one password alone, as its own.
    own = {"username": _ADMIN, "password": mqtt.password}
    if mqtt.username != _ADMIN:
        own["password"] = textfile.secret(place.password(_ADMIN))
    if "password_file" in fields:
        own["password_file"] = ""
    return Control(decoding.convert(fields | own, Broker))


def end(place: Place, mqtt: Mqtt, ended: Collection[str]) -> list[str]:
    """End those of these accounts that the running broker still has; which they were.

    Raises:
        ControlError, OSError, TextFileError: see `control`; the next call does what is left.
    """
    by = control(place, mqtt)
    left = [name for name in by.usernames() if name in ended]
    for name in left:
        by.revoke(name)
    return left


def asked(mqtt: Mqtt) -> bool:
    """Whether a broker runs whose accounts change by asking it. Raises ControlError."""
    return not mqtt.hivemq and runs(mqtt)


def runs(mqtt: Mqtt) -> bool:
    """Whether a broker accepts connections.

    Raises:
        ControlError: nobody can know: it does not answer, or runs under a name that is unknown.
    """
    try:
        socket.create_connection((mqtt.host, mqtt.port), _ANSWER_S).close()
    except ConnectionRefusedError:
        return False
    except OSError as error:
        # A name that is not in the DNS yet is no hindrance where no broker runs yet.
        if isinstance(error, socket.gaierror) and not _listens_here(mqtt.port):
            return False
        fix = say("核对 [mqtt] host 与网络", "check [mqtt] host and the network")
        raise ControlError(f"{mqtt.host}:{mqtt.port}: {error}. {fix}") from error
    return True


def _listens_here(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), _ANSWER_S).close()
    except OSError:
        return False
    return True


def presents(place: Place, mqtt: Mqtt) -> bool | None:
    """Whether the running broker shows the certificate that is in its folder; None: it is stopped.

    Raises:
        ControlError, OSError: it may run where we cannot reach it, or shows another's certificate.
    """
    if not runs(mqtt):
        return None
    context = ssl.create_default_context(cafile=str(place.ca))
    with (
        socket.create_connection((mqtt.host, mqtt.port), _ANSWER_S) as plain,
        context.wrap_socket(plain, server_hostname=mqtt.host) as shown,
    ):
        found = shown.getpeercert(binary_form=True)
    return found == pki.first(pki.read(place.server)).public_bytes(Encoding.DER)


def _not_here(mqtt: Mqtt) -> str:
    return say(
        f"{mqtt.host}:{mqtt.port}: 消息服务器没有运行，本机也没有它的文件；先启动它，或运行 setup",
        f"{mqtt.host}:{mqtt.port}: no broker runs there, and its files are not on this machine; "
        "start it, or run setup",
    )
