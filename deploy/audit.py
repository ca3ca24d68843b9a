"""`make audit`: known weaknesses of what installers take, by the public advisories of OSV.

Every library and version of requirements/*.txt is asked about in one request, so that `make check`
can do it each time. Exit code 1: some are known, each named with its advisory. 0: none is, or the
advisories cannot be reached within ten seconds; that is said, with their address and the reason.

Usage: python deploy/audit.py [FOLDER [ADDRESS]]
"""

from __future__ import annotations

import http.client
import json
import re
import sys
import threading
import urllib.request
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

ADDRESS = "https://api.osv.dev/v1/querybatch"
FOLDER = Path(__file__).parents[1] / "requirements"
#: For connecting and for each wait within the answer; and in all, s.
TIMEOUT_S, LONGEST_S = 5.0, 10.0
#: Advisories that do not touch us, each with why: "library advisory" -> reason.
ACCEPTED: dict[str, str] = {}
_PIN = re.compile(r"^([A-Za-z0-9][\w.-]*)==([^\s;\\]+)", re.MULTILINE)


class SilentError(Exception):
    """The advisories gave no answer that can be used; the message says why."""


def pins(folder: Path) -> list[tuple[str, str]]:
    """Library and version of every list in the folder, each once, sorted."""
    texts = [path.read_text("utf-8") for path in sorted(folder.glob("*.txt"))]
    found = sorted({pin for text in texts for pin in _PIN.findall(text)})
    if not found:
        raise SystemExit(f"{folder}: no library==version in any *.txt")
    return found


def known(asked: Sequence[tuple[str, str]], address: str) -> Iterator[str]:
    """`library version advisory` for each that is known, but those that are accepted.

    Raises:
        SilentError: no answer, or none to each question.
    """
    answers = _answers(asked, address)
    if len(answers) != len(asked):
        raise SilentError(f"{len(answers)} answers to {len(asked)} questions")
    for (name, version), answer in zip(asked, answers, strict=True):
        for one in answer.get("vulns", ()):
            if f"{name} {one['id']}" not in ACCEPTED:
                yield f"{name} {version} {one['id']}"


def _answers(asked: Sequence[tuple[str, str]], address: str) -> list[dict[str, Any]]:
    queries = [
        {"package": {"name": name, "ecosystem": "PyPI"}, "version": version}
        for name, version in asked
    ]
    try:
        answers = json.loads(_posted(address, json.dumps({"queries": queries}).encode()))["results"]
        [str(one["id"]) for answer in answers for one in answer.get("vulns", ())]
    except (OSError, http.client.HTTPException) as error:
        raise SilentError(str(error) or type(error).__name__) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise SilentError("the answer is not that of OSV; a proxy's page?") from error
    return list(answers)


def _posted(address: str, body: bytes) -> bytes:
    """The answer's body. Raises OSError, HTTPException."""
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(address, body, headers)  # noqa: S310 - our own address
    found: list[bytes | Exception] = []

    def ask() -> None:
        try:
            with urllib.request.urlopen(request, timeout=TIMEOUT_S) as answer:  # noqa: S310
                found.append(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            found.append(error)

    # A name server that is silent, or an answer byte by byte, heeds no timeout of a socket.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(LONGEST_S)
    if not found:
        raise TimeoutError(f"no answer within {LONGEST_S:.0f} s")
    if isinstance(found[0], Exception):
        raise found[0]
    return found[0]


def main(folder: Path = FOLDER, address: str = ADDRESS) -> int:
    """See the module."""
    asked = pins(folder)
    try:
        found = list(known(asked, address))
    except SilentError as why:
        print(f"audit skipped, nothing is known about {len(asked)} libraries: {address}: {why}")
        return 0
    for line in found:
        print(f"{line}  https://osv.dev/vulnerability/{line.split()[-1]}")
    print(f"audit: {len(asked)} libraries, {len(found)} known weaknesses")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(*map(Path, sys.argv[1:2]), *sys.argv[2:3]))
