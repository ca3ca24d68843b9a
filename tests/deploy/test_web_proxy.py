"""docs/web.md's reverse proxy: a real nginx with the page's own lines, before a server that tells.

What passes through decides who sees which schools: the reader's name and district are nginx's word.
"""

from __future__ import annotations

import base64
import http.server
import json
import re
import ssl
import subprocess
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

import services

ROOT = Path(__file__).parents[2]
_OURS = ("x-schoolpulse-user", "x-schoolpulse-district")
_CONF = """
daemon off;
user root;  # as root, workers would be nobody, who cannot enter the temporary folder
pid {folder}/pid;
error_log stderr;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder};
    proxy_temp_path {folder};
    fastcgi_temp_path {folder};
    uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    {body}
}}
"""


class Telling(http.server.BaseHTTPRequestHandler):
    """Answers with the headers that it got."""

    def do_GET(self) -> None:
        data = json.dumps({name.lower(): value for name, value in self.headers.items()}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


def block(page: str) -> str:
    found = re.search(r"```nginx\n(.*?)```", (ROOT / "docs" / page).read_text("utf-8"), re.DOTALL)
    assert found
    return found[1]


@pytest.fixture
def upstream() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Telling)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=["web.md", "web.zh-CN.md"])
def proxy(request: pytest.FixtureRequest, tmp_path: Path, upstream: int) -> Iterator[str]:
    nginx, openssl = services.require("nginx"), services.require("openssl")
    key, certificate, users = (tmp_path / name for name in ("key", "pem", "users"))
    subprocess.run(
        [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
         "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True,
    )  # fmt: skip
    users.write_text("".join(f"{name}:{{PLAIN}}word\n" for name in ("admin", "east", "west")))
    port, body = services.free_port(), block(request.param)
    for old, new in {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl", "/etc/ssl/pulse.pem": str(certificate),
        "/etc/ssl/pulse.key": str(key), "/etc/nginx/pulse.users": str(users),
        "127.0.0.1:8080": f"127.0.0.1:{upstream}",
    }.items():  # fmt: skip
        assert body.count(old) == 1
        body = body.replace(old, new)
    conf = tmp_path / "nginx.conf"
    conf.write_text(_CONF.format(folder=tmp_path, body=body), "utf-8")
    argv = [nginx, "-c", str(conf), "-p", str(tmp_path), "-e", "stderr"]
    subprocess.run([*argv, "-t"], check=True, capture_output=True)
    with services.started(argv, tmp_path / "log") as process:
        services.wait_port(port, process)
        yield f"https://127.0.0.1:{port}/"


def told(url: str, user: str = "", **more: str) -> dict[str, str]:
    """The headers of ours that arrive, as this reader asks."""
    request = urllib.request.Request(url, headers=more)
    if user:
        words = base64.b64encode(f"{user}:word".encode()).decode()
        request.add_header("Authorization", f"Basic {words}")
    unchecked = ssl.create_default_context()
    unchecked.check_hostname, unchecked.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(request, timeout=30, context=unchecked) as reply:
        found = json.loads(reply.read())
    return {name: found[name] for name in (*_OURS, "x-forwarded-proto") if name in found}


def test_the_page_s_nginx_says_who_reads_and_nobody_else_can(proxy: str) -> None:
    with pytest.raises(urllib.error.HTTPError, match="401"):
        told(proxy)
    user, district = _OURS
    tls = {"x-forwarded-proto": "https"}
    assert told(proxy, "admin") == tls | {user: "admin", district: "*"}
    forged = {"X-SchoolPulse-User": "admin", "X-SchoolPulse-District": "*"}
    assert told(proxy, "east", **forged) == tls | {user: "east", district: "630102"}
    assert told(proxy, "west", **forged) == tls | {user: "west"}
