"""The agent as a service of this system."""

from agent.service.service import Late, Refused, install, start, stop, uninstall

__all__ = ["Late", "Refused", "install", "start", "stop", "uninstall"]
