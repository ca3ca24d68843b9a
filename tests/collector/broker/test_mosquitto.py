"""The settings file that is written, and the one that is shipped."""

from __future__ import annotations

from pathlib import Path

from collector.broker.mosquitto import IMAGE_FILES, Bounds, Files, conf

DEPLOY = Path(__file__).parents[3] / "deploy/mosquitto"


def test_the_shipped_file_is_what_is_written_for_the_image() -> None:
    assert (DEPLOY / "mosquitto.conf").read_text("utf-8") == conf(IMAGE_FILES, log="stdout")


def test_each_bound_stands_in_the_file() -> None:
    lines = conf(Files(), Bounds(packet=1234), port=8884, address="127.0.0.1").splitlines()
    assert "listener 8884 127.0.0.1" in lines
    assert "max_packet_size 1234" in lines
    assert "allow_anonymous false" in lines


def test_websockets_are_a_listener_with_the_same_certificate_and_bounds() -> None:
    text = conf(websocket_port=443)
    both = text.split("\nlistener ")[1:]
    assert [part.split()[0] for part in both] == ["8883", "443"]
    assert "protocol websockets" in both[1]
    for part in both:
        assert "certfile /etc" in part
        assert "max_connections" in part


def test_memory_is_never_limited_by_the_broker_itself() -> None:
    """Its count passes below zero as accounts change: see test_control.py."""
    assert not [line for line in conf().splitlines() if line.startswith("memory_limit")]
