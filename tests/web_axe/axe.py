"""axe-core on every page of the web, in both themes and languages: no violation, no CSP report.

    make test-web-axe
    PYTHONPATH=tests/support python tests/web_axe/axe.py en dark /reports,/health    # a part of it

axe-core is installed by npm into a temporary folder; Chromium and npm must be there. It is driven
by its debugging protocol, with the pages' own policy in force: axe runs in an isolated world.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import web_city
from browser import Tab, tab
from collector.web import passwords
from collector.web.server import Server
from web_city import HOSTILE, Rig

_VERSION = "axe-core@4.11"
_WIDTHS = (390, 1280)
_ALL = ("zh,en", "light,dark", "every")
_RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => found.violations)"


def installed(folder: Path) -> str:
    """The source of axe-core."""
    command = ["npm", "install", "--silent", "--no-save", "--prefix", str(folder), _VERSION]
    subprocess.run(command, check=True)
    return (folder / "node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")


def opened(page: Tab, url: str) -> None:
    """Load an address."""
    page.call("Page.navigate", url=url)
    page.until("Page.loadEventFired")


def violations(page: Tab, axe: str) -> list[Any]:
    """What axe finds on the page that is open."""
    frame = page.call("Page.getFrameTree")["frameTree"]["frame"]["id"]
    world = page.call("Page.createIsolatedWorld", frameId=frame, worldName="axe")
    context = world["executionContextId"]
    page.call("Runtime.evaluate", expression=axe, contextId=context)
    answer = page.call("Runtime.evaluate", expression=_RUN, contextId=context,
                       awaitPromise=True, returnByValue=True)  # fmt: skip
    assert "exceptionDetails" not in answer, answer
    found: list[Any] = answer["result"]["value"]
    return found


def main() -> int:
    """Print a line a page; 1 where anything was found."""
    bad = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        axe = installed(folder / "npm")
        for place in web_city.made(folder / "city"):
            rig = Rig(place)
            rig.site._stock._pass()
            school = place.city.schools[0].code
            paths = ("/", "/districts", "/schools", f"/schools/{school}", f"/schools/{HOSTILE}",
                     "/faults", "/reports", "/health", "/nope")  # fmt: skip
            passwords.add(folder / "p", "admin", "*", "correct horse battery")
            locked = Rig(place, password_file=str(folder / "p"))
            with tab(folder / "profile") as page:
                bad = _served(page, axe, rig, paths) + _served(page, axe, locked, ("/login",))
    return 1 if bad else 0


def _served(page: Tab, axe: str, rig: Rig, paths: Sequence[str]) -> int:
    server = Server(rig.app, "127.0.0.1:0")
    threading.Thread(target=server.serve, daemon=True).start()
    try:
        return _every(page, axe, f"http://127.0.0.1:{server.port}", paths)
    finally:
        server.stop()


def _every(page: Tab, axe: str, base: str, paths: Sequence[str]) -> int:
    for domain in ("Page", "Network", "Runtime", "Log"):
        page.call(f"{domain}.enable")
    bad = 0
    langs, themes, some = (part.split(",") for part in sys.argv[1:4] or _ALL)
    for lang in langs:
        for theme in themes:
            opened(page, f"{base}/set?lang={lang}")
            opened(page, f"{base}/set?theme={theme}")
            for path in paths:
                how = f"{lang} {theme}"
                if path in some or some == ["every"]:
                    bad += sum(_one(page, axe, base + path, width, how) for width in _WIDTHS)
    reports = [one for one in page.complaints if "Content Security Policy" in one]
    print(f"reports of the policy: {len(reports)}", *reports)
    return bad + len(reports)


def _one(page: Tab, axe: str, url: str, width: int, how: str) -> int:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
    page.call("Emulation.setDeviceMetricsOverride", **size)
    opened(page, url)
    page.run("document.querySelectorAll('details').forEach(one => one.open = true)")
    found = violations(page, axe)
    print(f"{how} {width} {url.partition('//')[2]}: {len(found)}", flush=True)
    for one in found:
        nodes = [node["html"][:160] for node in one["nodes"]][:3]
        print("   ", one["id"], one["impact"], json.dumps(nodes, ensure_ascii=False))
    return len(found)


if __name__ == "__main__":
    sys.exit(main())
