"""A picture of every page of running pages, at each width, in both themes and languages.

schoolpulse up --sample &
make page-pictures PAGES="http://127.0.0.1:8080 build/pages"
make page-pictures PAGES="http://127.0.0.1:8080 build/pages --widths 390 --themes dark --langs en"
"""

from __future__ import annotations

import argparse
import itertools
import re
import tempfile
import urllib.request
from pathlib import Path

from browser import Tab, tab

_FIXED = ("/", "/districts", "/schools", "/faults", "/reports", "/health")
_SCHOOL = re.compile(r'href="(/schools/[^"?]+)"')
#: A picture is at most so high, px: what is below repeats what is above.
_HIGH = 2600


def main() -> None:
    """Take them; the names say page, width, theme and language."""
    parser = argparse.ArgumentParser(description="pictures of every page")
    parser.add_argument("base", help="where the pages are: http://127.0.0.1:8080")
    parser.add_argument("folder", type=Path, help="where the PNG files go")
    parser.add_argument("--widths", default="390,1280,1920")
    parser.add_argument("--themes", default="light,dark")
    parser.add_argument("--langs", default="zh,en")
    args = parser.parse_args()
    args.folder.mkdir(parents=True, exist_ok=True)
    choices = (args.langs.split(","), args.themes.split(","), args.widths.split(","))
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        tab(Path(profile)) as page,
    ):
        for domain in ("Page", "Network", "Runtime", "Log"):
            page.call(f"{domain}.enable")
        for lang, theme, width in itertools.product(*choices):
            _opened(page, f"{args.base}/set?lang={lang}&back=/", int(width))
            _opened(page, f"{args.base}/set?theme={theme}&back=/", int(width))
            for path in _paths(args.base):
                _opened(page, args.base + path, int(width))
                name = path.strip("/").replace("/", "-") or "overview"
                made = args.folder / f"{name}-{width}-{theme}-{lang}.png"
                made.write_bytes(_picture(page, int(width)))
                print(made, flush=True)


def _paths(base: str) -> list[str]:
    """The pages, and the first school of the list."""
    with urllib.request.urlopen(f"{base}/schools", timeout=60) as answer:
        first = _SCHOOL.search(answer.read().decode("utf-8"))
    return [*_FIXED, *([first[1]] if first else [])]


def _opened(page: Tab, url: str, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 700}
    page.call("Emulation.setDeviceMetricsOverride", **size)
    page.call("Page.navigate", url=url)
    page.until("Page.loadEventFired")


def _picture(page: Tab, width: int) -> bytes:
    height = page.call("Page.getLayoutMetrics")["cssContentSize"]["height"]
    size = {"width": width, "height": min(int(height), _HIGH), "deviceScaleFactor": 1}
    page.call("Emulation.setDeviceMetricsOverride", mobile=width < 700, **size)
    return page.picture(full=False)


if __name__ == "__main__":
    main()
