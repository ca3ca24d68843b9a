"""This PC's machine id and inventory."""

from agent.identity.identity import HARDWARE_FILE, Identity, identify, inventory, write_hardware

__all__ = ["HARDWARE_FILE", "Identity", "identify", "inventory", "write_hardware"]
