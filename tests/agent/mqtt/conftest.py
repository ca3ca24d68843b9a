"""What links are tested with: an agent of their own, and a real Mosquitto."""

from linked_agent import agent, mosquitto

__all__ = ["agent", "mosquitto"]  # fixtures
