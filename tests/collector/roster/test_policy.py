"""`schoolpulse policy`: a line over its school, district and city; bad values refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent.common.command_line import DONE, REFUSED
from agent.common.command_line import main as run
from collector.cli import COMMANDS
from collector.config import Config
from collector.lineserver.limits import PolicyLimits
from collector.lineserver.turns import Limits, Wish
from collector.roster.book import RegisterBook
from collector.roster.register import Register
from collector.service.policies import policies


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """The sample register, imported; its settings file."""
    path = tmp_path / "collector.toml"
    path.write_text(f'data = "{tmp_path}/data"\n[lines]\nserver = "http://city:8095"\n')
    sheets = str(tmp_path / "sheets")
    assert run("schoolpulse", COMMANDS, ["roster", "sample", "--out", sheets]) == DONE
    assert run("schoolpulse", COMMANDS, ["roster", "import", sheets, "--config", str(path)]) == DONE
    return path


class Policy:
    def __init__(self, path: Path, capsys: Any) -> None:
        self.path, self._capsys = path, capsys
        self.book = RegisterBook(path.parent / "data/register.db")
        self.register: Register = self.book.load()

    def __call__(self, *words: str) -> Any:
        """What a sub-command prints, as JSON; the complaint where it refuses."""
        self._capsys.readouterr()
        code = run(
            "schoolpulse", COMMANDS, ["policy", *words, "--config", str(self.path), "--json"]
        )
        out, err = self._capsys.readouterr()
        return json.loads(out) if code == DONE else (code, err)

    def sent(self, school: str) -> Any:
        config = Config(data=str(self.path.parent / "data"))
        return policies(self.book.load(), config)[school]


@pytest.fixture
def policy(place: Path, capsys: Any) -> Policy:
    return Policy(place, capsys)


def first_line(policy: Policy) -> Any:
    return policy.register.lines[0]


def test_the_narrower_scope_wins_value_by_value(policy: Policy) -> None:
    line = first_line(policy)
    district = policy.register.district_of(line.school)
    policy("set", "city", "quiet_per_day=5", "lesson_per_day=2", "month_bytes=1000")
    policy("set", f"district:{district}", "quiet_per_day=6", "lesson_per_day=3")
    policy("set", f"school:{line.school}", "quiet_per_day=7", "report_s=60")
    policy("set", f"line:{line.school}/{line.line}", "quiet_per_day=8")
    told = policy.sent(line.school)
    (mine,) = [row for row in told.lines if row.line == line.line]
    assert (mine.quiet_per_day, mine.lesson_per_day, mine.month_bytes) == (8, 3, 1000)
    assert told.report_s == 60
    rows = {row["key"]: row for row in policy("show", line.school) if line.line in row["where"]}
    assert rows["quiet_per_day"]["set_by"] == f"line:{line.school}/{line.line}"
    assert rows["lesson_per_day"]["set_by"] == f"district:{district}"
    assert rows["max_seconds"]["set_by"] == "default"


def test_show_and_set_take_the_same_names(policy: Policy) -> None:
    line = first_line(policy)
    district, school = policy.register.district_of(line.school), line.school
    policy("set", district, "quiet_per_day=6")
    policy("set", school, "report_s=60")
    policy("set", f"{school}/{line.line}", "lesson_per_day=4")
    names = (district, school, f"{school}/{line.line}")
    kinds = (f"district:{district}", f"school:{school}", f"line:{school}/{line.line}")
    for word, scope in zip(names, kinds, strict=True):
        assert policy("show", word) == policy("show", scope)
        rows = {row["key"]: row for row in policy("show", scope)}
        assert rows["quiet_per_day"]["value"] == 6
    rows = {row["key"]: row for row in policy("show", kinds[2])}
    assert rows["lesson_per_day"]["set_by"] == kinds[2]
    assert {row["where"] for row in policy("show", "city")} == {"city"}


def test_other_schools_keep_theirs(policy: Policy) -> None:
    line = first_line(policy)
    other = next(code for code in policy.register.schools if code != line.school)
    before = policy.sent(other)
    policy("set", f"school:{line.school}", "quiet_per_day=7")
    assert policy.sent(other) == before


def test_an_empty_value_unsets(policy: Policy) -> None:
    school = first_line(policy).school
    before = policy.sent(school)
    policy("set", "city", "quiet_per_day=5", "metered=true")
    assert policy.sent(school) != before
    policy("set", "city", "quiet_per_day=", "metered=")
    assert policy.sent(school) == before
    assert policy.book.policies() == {}


def test_diff_shows_what_would_change_and_saves_nothing(policy: Policy) -> None:
    line = first_line(policy)
    version = policy.book.version()
    changes = policy("diff", f"school:{line.school}", "quiet_per_day=9")
    assert {change["key"] for change in changes} == {"quiet_per_day"}
    assert {(change["before"], change["after"]) for change in changes} == {(3, 9)}
    assert all(line.school in change["where"] for change in changes)
    assert policy.book.version() == version
    assert policy("diff", "city", "quiet_per_day=3") == []


@pytest.mark.parametrize(
    "pair",
    ["quiet_per_day=97", "quiet_per_day=-1", "quiet_per_day=x", "max_seconds=1e9", "report_s=1",
     "server=ftp://x", "server=city", "max_bytes=5", "metered=perhaps", "nonsense=1",
     "quiet_per_day", "month_bytes=9223372036854775808", "server=http://a b",
     "server=http://" + "h" * 256],
)  # fmt: skip
def test_bad_values_are_refused_and_the_old_ones_stay(policy: Policy, pair: str) -> None:
    policy("set", "city", "quiet_per_day=5")
    code, complaint = policy("set", "city", "lesson_per_day=2", pair)
    assert code == REFUSED
    assert pair.partition("=")[0] in complaint
    assert [layer.quiet_per_day for layer in policy.book.policies().values()] == [5]
    assert policy.book.policies()["city"].lesson_per_day is None


@pytest.mark.parametrize(
    "scope",
    ["town", "district:1", "district:999999", "school:1234567890", "line:x", "line:9/a", ""],
)
def test_unknown_scopes_are_refused(policy: Policy, scope: str) -> None:
    code, complaint = policy("set", scope, "quiet_per_day=5")
    assert code == REFUSED
    assert scope in complaint


def test_all_faults_are_reported_at_once(policy: Policy) -> None:
    _, complaint = policy("set", "school:1", "quiet_per_day=x", "report_s=1")
    assert all(word in complaint for word in ("school:1", "quiet_per_day", "report_s"))


def test_the_measurement_server_follows_without_a_restart(policy: Policy) -> None:
    line = first_line(policy)
    limits = PolicyLimits(Config(data=str(policy.path.parent / "data")))
    wish = Wish(line.school, "ab" * 16, line.line)
    assert limits(wish).quiet == 3
    policy("set", f"line:{line.school}/{line.line}", "quiet_per_day=8", "month_bytes=5")
    assert (limits(wish).quiet, limits(wish).month_bytes) == (8, 5)
    assert limits(Wish("9999999999", "ab" * 16, line.line)) == "unknown_line"
    assert limits(Wish(line.school, "ab" * 16, "x")) == "unknown_line"
    more = Wish(line.school, "ab" * 16, line.line, quiet_per_day=96, month_bytes=10**18)
    assert (limits(more).quiet, limits(more).month_bytes) == (8, 5)


def test_a_measurement_server_without_keys_lets_a_wish_lower_its_limits_alone(
    tmp_path: Path,
) -> None:
    limits = PolicyLimits(Config(data=str(tmp_path)), any_line=True)
    told = Wish("9963010001", "ab" * 16, "x", quiet_per_day=5, lesson_per_day=0, month_bytes=7)
    found = Limits(quiet=3, lesson=0, by_hand=20, month_bytes=7, max_seconds=15.0)
    assert limits(told) == found
    greedy = Wish("9963010001", "ab" * 16, "x", quiet_per_day=96, month_bytes=10**18)
    assert limits(greedy) == Limits(3, 1, 20, 20_000_000_000, 15.0)


def test_a_measurement_server_without_any_register_knows_no_line(tmp_path: Path) -> None:
    assert (
        PolicyLimits(Config(data=str(tmp_path)))(Wish("9963010001", "ab" * 16, "x")) == "no_lines"
    )


def test_without_a_register_the_fix_is_named(tmp_path: Path, capsys: Any) -> None:
    path = tmp_path / "collector.toml"
    path.write_text(f'data = "{tmp_path}/none"\n')
    assert run("schoolpulse", COMMANDS, ["policy", "show", "--config", str(path)]) == REFUSED
    assert "roster import" in capsys.readouterr().err
