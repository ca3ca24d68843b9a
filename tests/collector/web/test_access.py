"""Who reads: this machine, and whoever has a password."""

from __future__ import annotations

import io
import re
import stat
from pathlib import Path
from types import SimpleNamespace

import pytest
from werkzeug.test import Client

from agent.common.command_line import RefusedError
from collector import cli
from collector.config import Web
from collector.web import passwords
from collector.web.access import Access
from collector.web.sessions import COOKIE, SECONDS, Sessions, Throttle, signing_key
from web_city import HOSTILE, Place, Rig

GOOD, OTHER = "correct horse battery", "another long one"
FORM = {"user": "admin", "password": GOOD, "back": "/schools"}
ALL = ("/", "/districts", "/schools", "/faults", "/reports", "/health", "/metrics")


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "web.password"
    passwords.add(path, "admin", "*", GOOD)
    passwords.add(path, "east", "630102", OTHER)
    return path


@pytest.fixture
def locked(place: Place, file: Path) -> Rig:
    return Rig(place, password_file=str(file))


def test_beyond_this_machine_it_wants_a_password_or_a_proxy(tmp_path: Path) -> None:
    for address in ("0.0.0.0:8080", "192.168.1.5:80", "[::]:8080", "pulse.example:80", ":8080"):
        with pytest.raises(RefusedError, match="password"):
            Access(Web(address=address), Sessions(b""))
    Access(Web(address="0.0.0.0:8080", proxies=("10.0.0.9",)), Sessions(b""))
    for address in ("127.0.0.1:8080", "[::1]:8080", "localhost:1"):
        Access(Web(address=address), Sessions(b""))
    with pytest.raises(RefusedError, match="nginx"):
        Access(Web(proxies=("nginx",)), Sessions(b""))


def test_others_are_refused_where_only_this_machine_may(rig: Rig) -> None:
    for path in ALL:
        assert rig.get(path, peer="192.168.1.7").status_code == 403
    assert rig.get("/healthz", peer="192.168.1.7").status_code == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil", "pulse.example", "[x]"]
)
def test_a_strange_host_is_dns_rebinding(rig: Rig, host: str) -> None:
    answer = rig.get("/", headers={"Host": host})
    assert answer.status_code == 421
    assert "模拟" not in answer.text


def test_known_hosts(rig: Rig, place: Place) -> None:
    for host in ("127.0.0.1:8080", "localhost", "LOCALHOST:1", "[::1]:80", "192.168.3.4:8080"):
        assert rig.get("/", headers={"Host": host}).status_code == 200
    named = Rig(place, hosts=("Pulse.example",))
    assert named.get("/", headers={"Host": "pulse.EXAMPLE:443"}).status_code == 200


def test_without_a_password_every_page_leads_to_the_log_in(locked: Rig) -> None:
    for path in (*ALL, f"/schools/{HOSTILE}", "/archives/x", "/reports/zh/2026/x"):
        answer = locked.get(path)
        assert (answer.status_code, answer.headers["Location"][:7]) == (303, "/login?")
        assert "模拟" not in answer.text
    page = locked.get("/login?back=/schools")
    assert page.status_code == 200
    assert 'name="password"' in page.text
    assert 'value="/schools"' in page.text


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_file_is_read_as_windows_tools_save_it(file: Path, encoding: str) -> None:
    file.write_bytes(file.read_text().encode(encoding))
    assert set(passwords.read(file)) == {"admin", "east"}


def test_logging_in_and_out(locked: Rig) -> None:
    answer = locked.post("/login", FORM)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/schools")
    cookie = answer.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert GOOD not in cookie
    assert locked.get("/").status_code == 200
    assert "/logout" in locked.get("/").text
    assert locked.post("/logout", {}).status_code == 303
    assert locked.get("/").status_code == 303


def test_over_https_the_cookie_says_so(locked: Rig) -> None:
    answer = locked.post("/login", FORM, headers={"X-Forwarded-Proto": "https"})
    assert "Secure" in answer.headers["Set-Cookie"].split("; ")


@pytest.mark.parametrize(
    "form",
    [{}, {"user": "admin"}, {**FORM, "password": GOOD + "x"}, {**FORM, "user": "nobody"},
     {**FORM, "user": ""}, {**FORM, "password": "x" * 10_000}, {**FORM, "password": OTHER}],
)  # fmt: skip
def test_wrong_passwords(locked: Rig, form: dict[str, str]) -> None:
    answer = locked.post("/login", form)
    assert answer.status_code == 401
    assert "Set-Cookie" not in answer.headers
    assert "不对" in answer.text


def test_guessing_is_slowed_down(locked: Rig) -> None:
    wrong = {**FORM, "password": "guess"}
    codes = [locked.post("/login", wrong).status_code for _ in range(8)]
    assert codes == [401] * 5 + [429] * 3
    assert locked.post("/login", FORM).status_code == 429  # the right one too, until the wait ends
    assert locked.post("/login", {**FORM, "user": "east", "password": OTHER}).status_code == 429
    assert locked.post("/login", FORM, peer="192.168.1.8").status_code == 429  # by the name
    locked.now += 301
    assert locked.post("/login", FORM).status_code == 303
    assert locked.post("/login", wrong).status_code == 401


def test_behind_a_proxy_one_guesser_does_not_lock_out_the_others(locked: Rig) -> None:
    for number in range(8):
        wrong = {**FORM, "user": f"guess{number}", "password": "guess"}
        locked.post("/login", wrong, headers={"X-Forwarded-For": "9.9.9.9, 192.168.1.66"})
    others = {"X-Forwarded-For": "192.168.1.66, 192.168.1.5"}
    assert locked.post("/login", FORM, headers=others).status_code == 303
    again = {"X-Forwarded-For": "192.168.1.5, 192.168.1.66"}
    assert locked.post("/login", FORM, headers=again).status_code == 429


def test_the_throttle_forgets_the_oldest() -> None:
    throttle = Throttle(lambda: 0.0)
    for number in range(20_000):
        throttle.failed(str(number))
    assert len(throttle._failed) <= 10_000


@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"},
     {"Origin": "https://evil.example"}, {"Origin": "null"}],
)  # fmt: skip
def test_a_form_of_another_site_is_refused(locked: Rig, headers: dict[str, str]) -> None:
    answer = locked.post("/login", FORM, headers=headers)
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers


def test_sessions_end_and_cannot_be_made_up(file: Path) -> None:
    users = passwords.read(file)
    now = [1000.0]
    sessions = Sessions(b"k" * 32, lambda: now[0])
    cookie = sessions.begin(users["admin"])
    assert sessions.user(cookie, users) == users["admin"]
    for wrong in (
        "",
        "x",
        cookie[:-4],
        cookie[::-1],
        "ö",
        Sessions(b"other").begin(users["admin"]),
    ):
        assert sessions.user(wrong, users) is None
    assert sessions.user(cookie, {"east": users["east"]}) is None
    wider = {"east": users["east"]._replace(district="*")}
    assert sessions.user(sessions.begin(users["east"]), wider) is None
    passwords.add(file, "admin", "*", "a new password")
    assert sessions.user(cookie, passwords.read(file)) is None
    fresh = sessions.begin(passwords.read(file)["admin"])
    now[0] += SECONDS + 1
    assert sessions.user(fresh, passwords.read(file)) is None


def test_a_changed_file_counts_at_once(locked: Rig, file: Path) -> None:
    locked.post("/login", FORM)
    assert locked.get("/").status_code == 200
    passwords.add(file, "admin", "*", "a new password")
    assert locked.get("/").status_code == 303
    file.unlink()
    assert locked.post("/login", {**FORM, "password": "a new password"}).status_code == 401


def test_files_of_secrets(file: Path, tmp_path: Path) -> None:
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert GOOD not in file.read_text()
    assert re.match(r"admin:\*:scrypt\$16384\$8\$1\$[0-9a-f]{32}\$[0-9a-f]{64}\n", file.read_text())
    key = signing_key(tmp_path)
    assert len(key) == 32
    assert signing_key(tmp_path) == key
    assert stat.S_IMODE((tmp_path / "web.key").stat().st_mode) == 0o600


@pytest.mark.parametrize("text", ["", "\n", "admin", "admin:*", "a b:*:scrypt$1$1$1$0$0", "\x00"])
def test_a_file_that_is_none_of_ours_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "p"
    path.write_text(text)
    with pytest.raises(RefusedError, match="new-password"):
        passwords.read(path)


@pytest.mark.parametrize(
    ("user", "district", "password"),
    [("a:b", "*", GOOD), ("a", "63", GOOD), ("a", "*", "short"), ("", "*", GOOD)],
)
def test_what_cannot_be_a_user(tmp_path: Path, user: str, district: str, password: str) -> None:
    with pytest.raises(RefusedError):
        passwords.add(tmp_path / "p", user, district, password)
    assert not (tmp_path / "p").exists()


def test_the_command_makes_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "collector.toml"
    settings.write_text(f'data = "{tmp_path}"\n')
    line = f"schoolpulse web --new-password --district 630102 --user li --config {settings}"
    monkeypatch.setattr("sys.argv", line.split())
    typed = SimpleNamespace(isatty=lambda: False, readline=io.StringIO(GOOD + "\n").readline)
    monkeypatch.setattr("sys.stdin", typed)
    assert cli.main() == 0
    (user,) = passwords.read(tmp_path / "web.password").values()
    assert (user.name, user.district) == ("li", "630102")
    assert passwords.check({"li": user}, "li", GOOD) == user
    assert "password_file" in capsys.readouterr().out


def test_a_district_by_password(locked: Rig, place: Place) -> None:
    client = Client(locked.app)
    locked.client = client
    locked.post("/login", {"user": "east", "password": OTHER, "back": "/"})
    page = locked.get("/schools").text
    codes = set(re.findall(r"/schools/(\d{10})\"", page))
    assert codes == {row.code for row in place.schools("630102")} & codes
    assert codes
    assert client.get_cookie(COOKIE, domain="127.0.0.1") is not None
