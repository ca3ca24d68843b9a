"""The folder from which HiveMQ runs, laid out from deploy/hivemq as its distribution has it.

conf/config.xml; extensions/hivemq-file-rbac-extension/conf with config.xml and credentials.xml,
where there are accounts. The extension's program is for whoever starts HiveMQ.
"""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from xml.etree import ElementTree as Xml

DEPLOY = Path(__file__).parents[2] / "deploy/hivemq"
_PASSWORD = "SCHOOLPULSE_KEYSTORE"


def lay_out(folder: Path, port: int, *, queue: str = "", accounts: bytes = b"") -> None:
    """The shipped settings, without TLS, at `port` of 127.0.0.1; another length of the `queue`."""
    tree = _shipped(port)
    listener = _one(tree, "listeners/tls-tcp-listener")
    listener.tag = "tcp-listener"
    listener.remove(_one(listener, "tls"))
    if queue:
        _one(tree, "mqtt/queued-messages/max-queue-size").text = queue
    _write(tree, folder, accounts)


def lay_out_tls(folder: Path, port: int, keystore: Path, password: str, accounts: bytes) -> None:
    """The shipped settings, with the keystore at another place."""
    tree = _shipped(port)
    store = _one(tree, "listeners/tls-tcp-listener/tls/keystore")
    _one(store, "path").text = str(keystore)
    for one in store.iter():
        one.text = (one.text or "").replace(f"${{ENV:{_PASSWORD}}}", password)
    _write(tree, folder, accounts)


def add_accounts(folder: Path, accounts: bytes) -> None:
    """The extension's settings as they are shipped, and its accounts."""
    place = folder / "extensions/hivemq-file-rbac-extension/conf"
    place.mkdir(parents=True, exist_ok=True)
    shutil.copy(DEPLOY / "file-rbac.xml", place / "config.xml")
    (place / "credentials.xml").write_bytes(accounts)


def queue_of(more: str) -> str | None:
    """The queue's length that settings of Mosquitto ask for, "" for none; None: other settings."""
    found = re.fullmatch(r"(?:max_queued_messages (\d+)\n)?", more)
    return found and (found[1] or "")


def _shipped(port: int) -> Xml.Element:
    tree = Xml.parse(DEPLOY / "config.xml").getroot()
    _one(tree, "listeners/tls-tcp-listener/port").text = str(port)
    _one(tree, "listeners/tls-tcp-listener/bind-address").text = "127.0.0.1"
    return tree


def _one(tree: Xml.Element, path: str) -> Xml.Element:
    found = tree.find(path)
    assert found is not None, path
    return found


def _write(tree: Xml.Element, folder: Path, accounts: bytes) -> None:
    (folder / "conf").mkdir(parents=True, exist_ok=True)
    Xml.ElementTree(tree).write(folder / "conf/config.xml", "UTF-8", xml_declaration=True)
    if accounts:
        add_accounts(folder, accounts)
