"""The README quotes the sample settings, and names only commands that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from agent import cli as agent_cli
from collector import cli as collector_cli

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
QUOTES = re.findall(r"<!-- quoted from (\S+) -->\n```toml\n(.*?)```", README, re.DOTALL)
COMMANDS = {"schoolpulse-agent": agent_cli.COMMANDS, "schoolpulse": collector_cli.COMMANDS}


@pytest.mark.parametrize(("file", "quote"), QUOTES, ids=[file for file, _ in QUOTES])
def test_settings_are_quoted_from_the_samples(file: str, quote: str) -> None:
    lines = iter((ROOT / file).read_text(encoding="utf-8").splitlines())
    wanted = [line for line in quote.splitlines() if line]
    assert all(line in lines for line in wanted), "not there, or in another order"


def test_both_samples_are_quoted() -> None:
    assert {file for file, _ in QUOTES} == {"deploy/agent.toml", "deploy/collector.toml"}


def test_commands_named_exist() -> None:
    named = re.findall(r"\b(schoolpulse(?:-agent)?) ([a-z]+(?:-[a-z]+)*)\b", README)
    assert len(named) > 10
    assert [pair for pair in named if pair[1] not in COMMANDS[pair[0]]] == []


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
