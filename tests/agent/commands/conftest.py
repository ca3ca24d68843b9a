"""A PC that the agent is installed on."""

from installing_pc import made, pc

__all__ = ["made", "pc"]  # fixtures
