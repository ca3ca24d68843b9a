"""The agent's MQTT side: links, their connections, and the loop that serves them."""

from agent.mqtt.link import Link
from agent.mqtt.link_types import Callbacks, Sender, State
from agent.mqtt.loop import Loop

__all__ = ["Callbacks", "Link", "Loop", "Sender", "State"]
