"""The way to the broker: links, their connections, and the loop that serves them."""

from agent.mqtt.link import Link
from agent.mqtt.link_types import Heard, Speaker, State
from agent.mqtt.loop import Loop

__all__ = ["Heard", "Link", "Loop", "Speaker", "State"]
