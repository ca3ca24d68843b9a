"""Who this PC is: its machine id and what it is made of."""

from agent.identity.identity import HARDWARE_FILE, Identity, identify, inventory, write_hardware

__all__ = ["HARDWARE_FILE", "Identity", "identify", "inventory", "write_hardware"]
