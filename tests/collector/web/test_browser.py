"""The pages in a real browser: search, sort, language, a school, a download, and who may read."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from agent.common.calendar import CITY_TIME
from browser import Tab, tab
from collector.web import passwords
from collector.web.server import Server
from web_city import Place, Rig

pytestmark = pytest.mark.chromium

SHOWN = "[...document.querySelectorAll('#schools tbody tr')].filter(row => !row.hidden)"
NAMES = f"{SHOWN}.map(row => row.cells[0].querySelector('a').textContent)"
HANDY = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
PASSWORD, EAST = "correct horse battery", "another long one"


class Opened:
    """A browser with the pages of one set of rules."""

    def __init__(self, page: Tab, base: str) -> None:
        self.page, self.base = page, base
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        self.wide(1280)

    def wide(self, width: int) -> None:
        """A window so many pixels wide."""
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
        self.page.call("Emulation.setDeviceMetricsOverride", **size)

    def go(self, path: str) -> None:
        """Load an address."""
        self.page.call("Page.navigate", url=self.base + path)
        self.page.until("Page.loadEventFired")

    def does(self, script: str) -> None:
        """Run what leads to another page, and wait for that."""
        self.page.run(f"void setTimeout(() => {{ {script} }})")
        self.page.until("Page.loadEventFired")


def served(place: Place, folder: Path, **web: object) -> Iterator[Opened]:
    server = Server(Rig(place, **web).app, "127.0.0.1:0")
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        with tab(folder / "profile") as page:
            yield Opened(page, f"http://127.0.0.1:{server.port}")
    finally:
        server.stop()


@pytest.fixture(scope="module")
def opened(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    yield from served(place, tmp_path_factory.mktemp("open"))


@pytest.fixture(scope="module")
def locked(place: Place, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Opened]:
    folder = tmp_path_factory.mktemp("locked")
    passwords.add(folder / "p", "admin", "*", PASSWORD)
    passwords.add(folder / "p", "east", "630102", EAST)
    yield from served(place, folder, password_file=str(folder / "p"))


def test_search_filter_and_sort(opened: Opened, place: Place) -> None:
    page = opened.page
    opened.go("/set?lang=zh&back=/schools")
    every = page.run(f"{SHOWN}.length")
    assert every > 12
    page.press("/", "/")
    page.type("第1")
    assert page.run("document.querySelector('[name=q]').value") == "第1"
    found = page.run(NAMES)
    assert found
    assert all("第1" in name for name in found)
    assert len(found) < every
    assert page.run("location.search") == "?q=%E7%AC%AC1"
    assert page.run("document.getElementById('count').textContent") == (
        f"{len(found)} 所，共 {every} 所"
    )
    page.run("document.querySelector('.reset').click()")
    assert page.run(f"{SHOWN}.length") == every
    page.run(
        "(() => { const one = document.forms[0].elements.district; one.value = '630103';"
        "one.dispatchEvent(new Event('input', {bubbles: true})) })()"
    )
    own = {row.code for row in place.schools("630103")}
    assert page.run(f"{SHOWN}.every(row => row.dataset.d === '630103')")
    assert 0 < page.run(f"{SHOWN}.length") <= len(own)
    page.run("document.querySelector('.reset').click()")
    sort = "[...document.querySelectorAll('#schools thead a')].at({}).click()"
    page.run(sort.format(0))
    page.run(sort.format(0))
    up = page.run(NAMES)
    page.run(sort.format(0))
    assert page.run(NAMES) == up[::-1]
    assert page.run("document.querySelectorAll('#schools [aria-sort]').length") == 1
    assert page.complaints == []


def test_a_filter_that_finds_none_says_so(opened: Opened) -> None:
    opened.go("/schools")
    opened.page.press("/", "/")
    opened.page.type("没有这所")
    assert opened.page.run("document.getElementById('none').checkVisibility()")


def test_without_scripts_the_form_works(opened: Opened) -> None:
    opened.page.call("Emulation.setScriptExecutionDisabled", value=True)
    try:
        opened.go("/schools?q=第1&sort=pcs&down=1")
        found = opened.page.call("Runtime.evaluate", expression=f"JSON.stringify({NAMES})")
        assert all("第1" in name for name in json.loads(found["result"]["value"]))
    finally:
        opened.page.call("Emulation.setScriptExecutionDisabled", value=False)


def test_language_by_the_switch(opened: Opened) -> None:
    opened.go("/set?lang=zh&back=/")
    assert opened.page.run("document.querySelector('h1 small').textContent") == "三率总览"
    opened.does("document.querySelector('.choice a[lang=en]').click()")
    assert opened.page.run("document.documentElement.lang") == "en"
    assert "glance" in opened.page.run("document.querySelector('h1 small').textContent")
    opened.does("document.querySelector('.choice a[lang=zh]').click()")
    assert opened.page.run("document.documentElement.lang") == "zh-CN"


def test_the_school_page_by_keyboard(opened: Opened, place: Place) -> None:
    tested = next(line.school for line in place.city.lines if line.script.flaw == "")
    opened.go(f"/schools/{tested}")
    page = opened.page
    assert page.run("document.querySelectorAll('svg.tests circle').length") > 20
    page.run("document.querySelector('.units summary').focus()")
    page.press("Enter", "\r")
    assert page.run("document.querySelector('.units details').open")
    assert page.run("document.querySelector('.units details li').checkVisibility()")
    page.run("document.activeElement.blur()")
    page.run("schoolpulse.again()")
    assert page.run("document.querySelector('.units details').open")
    assert page.complaints == []


@pytest.mark.parametrize("width", [390, 1280, 1920])
def test_nothing_is_wider_than_the_window(opened: Opened, place: Place, width: int) -> None:
    school = f"/schools/{place.city.schools[0].code}"
    opened.wide(width)
    try:
        for path in ("/", "/districts", "/schools", school, "/faults", "/reports", "/health"):
            opened.go(path)
            assert opened.page.run(HANDY), path
    finally:
        opened.wide(1280)


def test_a_report_is_downloaded(place: Place, opened: Opened, tmp_path: Path) -> None:
    year = dt.datetime.now(CITY_TIME).year
    folder = place.config.folder / f"web/reports/zh/city/{year}"
    folder.mkdir(parents=True)
    (folder / f"schoolpulse-{year}.csv.zip").write_bytes(b"the report")
    page = opened.page
    page.call("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path),
              eventsEnabled=True)  # fmt: skip
    opened.go("/set?lang=zh&back=/reports?fresh=1")
    page.run("document.querySelector('.files a[download]').click()")
    while page.until("Browser.downloadProgress")["state"] != "completed":
        pass
    (file,) = tmp_path.iterdir()
    assert (file.name, file.read_bytes()) == (f"schoolpulse-{year}.csv.zip", b"the report")


def test_the_password(locked: Opened) -> None:
    page = locked.page
    locked.go("/schools")
    assert page.run("location.pathname") == "/login"
    _log_in(locked, "admin", "wrong password")
    assert page.run("document.querySelector('[role=alert]').checkVisibility()")
    _log_in(locked, "admin", PASSWORD)
    assert page.run("location.pathname") == "/schools"
    assert page.run(f"{SHOWN}.length") > 12
    locked.does("document.querySelector('form[action=\"/logout\"] button').click()")
    assert page.run("location.pathname") == "/login"


def test_a_districts_reader_sees_no_other(locked: Opened, place: Place) -> None:
    locked.go("/login?back=/schools")
    _log_in(locked, "east", EAST)
    rows = locked.page.run(f"{SHOWN}.map(row => row.dataset.d)")
    assert set(rows) == {"630102"}
    other = next(row for row in place.city.schools if row.responsible != "630102")
    locked.go(f"/schools/{other.code}")
    assert locked.page.run("document.querySelector('h1').textContent").startswith("404")
    assert other.name not in locked.page.run("document.body.textContent")
    locked.go("/")
    assert locked.page.run("document.querySelectorAll('nav.main a').length") == 5
    locked.does("document.querySelector('form[action=\"/logout\"] button').click()")


def _log_in(opened: Opened, user: str, password: str) -> None:
    fields = json.dumps({"user": user, "password": password})
    opened.does(
        f"const given = {fields}, form = document.querySelector('form.login');"
        "for (const name in given) form.elements[name].value = given[name];"
        "form.querySelector('button').click();"
    )
