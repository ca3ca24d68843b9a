"""A picture of every board from a Grafana that runs and reads a store with data.

make board-pictures GRAFANA="http://127.0.0.1:3000 --login admin:admin"
make board-pictures GRAFANA="http://127.0.0.1:3000 --out build/boards --langs zh,en --themes dark"

It pushes the boards first, so that a picture is of the boards of this tree. Data sources must be
there, with `evidence` and `telemetry` in their names. The pictures of docs/boards are Chinese and
light: those are called after the board alone.
"""

from __future__ import annotations

import argparse
import itertools
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from browser import Tab, tab
from dashboards import build
from dashboards.edition import Edition
from grafana import Grafana

_DOCS = Path(__file__).parents[2] / "docs" / "boards"
_LOGIN = "SCHOOLPULSE_GRAFANA_LOGIN"


def main() -> None:
    """Take them; the names say board, language and theme."""
    parser = argparse.ArgumentParser(description="pictures of every board")
    parser.add_argument("url", help="where Grafana is: http://127.0.0.1:3000")
    parser.add_argument("--login", default=os.environ.get(_LOGIN, "admin:admin"),
                        help=f"user:password of an editor (or in {_LOGIN})")  # fmt: skip
    parser.add_argument("--out", type=Path, default=_DOCS, help="where the PNG files go")
    parser.add_argument("--langs", default="zh")
    parser.add_argument("--themes", default="light")
    parser.add_argument("--width", type=int, default=1400)
    parser.add_argument("--height", type=int, default=0, help="default: the whole board")
    parser.add_argument("--school", default="", help="the school shown (default: the first)")
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    server = Grafana(args.url, args.login)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile,
        tab(Path(profile)) as page,
    ):
        server.enter(page)
        for lang, name in itertools.product(args.langs.split(","), build.BOARDS):
            board = build.BOARDS[name](Edition(lang))
            server.push(board)
            for theme in args.themes.split(","):
                made = args.out / _name(name, lang, theme)
                made.write_bytes(_picture(server, page, board, theme, args))
                print(made, flush=True)


def _name(board: str, lang: str, theme: str) -> str:
    return (
        board
        + ("" if lang == "zh" else f"-{lang}")
        + ("" if theme == "light" else "-dark")
        + ".png"
    )


def _picture(
    server: Grafana, page: Tab, board: Mapping[str, Any], theme: str, args: argparse.Namespace
) -> bytes:
    chosen = {"theme": theme} | ({"var-school": args.school} if args.school else {})
    if not args.height:
        chosen["kiosk"] = "1"  # the board alone, without Grafana's own bars
    server.open(page, board, chosen, args.width, args.height)
    return page.picture(full=False)


if __name__ == "__main__":
    main()
