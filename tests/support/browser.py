"""A headless Chromium that opens a page of ours from a file, driven by its debugging protocol."""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

import services

_LISTENS = re.compile(rb"DevTools listening on (ws://\S+)")


class Tab:
    """One page; what it asked for and what its scripts complained of is kept."""

    def __init__(self, link: ClientConnection, session: str) -> None:
        self._link, self._session = link, session
        self._numbers = itertools.count(10)
        self.asked: list[str] = []
        self.complaints: list[str] = []

    def call(self, method: str, **params: Any) -> Any:
        """A command's result; events that come meanwhile are noted."""
        number = next(self._numbers)
        _send(self._link, number, method, params, self._session)
        while True:
            answer = json.loads(self._link.recv(services.PATIENCE_S))
            if answer.get("id") == number:
                assert "error" not in answer, answer
                return answer["result"]
            self._note(answer)

    def until(self, event: str) -> Any:
        """Wait for an event; returns what it says."""
        while True:
            answer = json.loads(self._link.recv(services.PATIENCE_S))
            self._note(answer)
            if answer.get("method") == event:
                return answer["params"]

    def _note(self, answer: dict[str, Any]) -> None:
        if answer.get("method") == "Network.requestWillBeSent":
            self.asked.append(answer["params"]["request"]["url"])
        if answer.get("method") in ("Runtime.exceptionThrown", "Log.entryAdded"):
            self.complaints.append(json.dumps(answer["params"]))

    def open(self, page: Path, width: int, height: int = 900) -> None:
        """Load a file in a window so many CSS pixels wide."""
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 700}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Page.navigate", url=page.as_uri())
        self.until("Page.loadEventFired")

    def run(self, script: str) -> Any:
        """The value of a JavaScript expression."""
        result = self.call(
            "Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True
        )
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def press(self, key: str, text: str = "") -> None:
        """A key of the keyboard, with the text that it types."""
        codes = {"Tab": 9, "Enter": 13, "Escape": 27, " ": 32}
        event = {"key": key, "windowsVirtualKeyCode": codes.get(key, ord(key[0].upper()))}
        self.call("Input.dispatchKeyEvent", type="keyDown", text=text, **event)
        self.call("Input.dispatchKeyEvent", type="keyUp", **event)

    def type(self, text: str) -> None:
        """What an input method hands over."""
        self.call("Input.insertText", text=text)

    def picture(self, full: bool = True) -> bytes:
        """A PNG of the whole page."""
        shot = self.call("Page.captureScreenshot", captureBeyondViewport=full)
        return base64.b64decode(shot["data"])

    def printed(self) -> bytes:
        """The page as the printer gets it: a PDF."""
        made = self.call("Page.printToPDF", preferCSSPageSize=True, printBackground=True)
        return base64.b64decode(made["data"])


@contextmanager
def tab(folder: Path) -> Iterator[Tab]:
    """A page of a new browser, whose profile is kept in `folder`."""
    program = services.program("chromium") or services.program("chromium-browser")
    if program is None:
        services.missing("chromium")
    command = [
        str(program), "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run",
        "--disable-dev-shm-usage", "--remote-debugging-port=0", f"--user-data-dir={folder}",
        "about:blank",
    ]  # fmt: skip
    with subprocess.Popen(command, stderr=subprocess.PIPE) as process:
        try:
            with connect(_address(process), max_size=None) as link:
                yield Tab(link, _attached(link))
        finally:
            process.terminate()


def _address(process: subprocess.Popen[bytes]) -> str:
    """What the browser prints when it is ready."""
    assert process.stderr is not None
    for line in process.stderr:
        if found := _LISTENS.search(line):
            return found[1].decode()
    raise AssertionError(f"chromium ended with {process.wait()}")


def _attached(link: ClientConnection) -> str:
    _send(link, 1, "Target.createTarget", {"url": "about:blank"})
    target = _answer(link, 1)["targetId"]
    _send(link, 2, "Target.attachToTarget", {"targetId": target, "flatten": True})
    return str(_answer(link, 2)["sessionId"])


def _send(
    link: ClientConnection, number: int, method: str, params: dict[str, Any], session: str = ""
) -> None:
    message: dict[str, Any] = {"id": number, "method": method, "params": params}
    link.send(json.dumps(message | ({"sessionId": session} if session else {})))


def _answer(link: ClientConnection, number: int) -> Any:
    while True:
        answer = json.loads(link.recv(services.PATIENCE_S))
        if answer.get("id") == number:
            return answer["result"]
