"""The probes: one subject a file, the OS in the suffix, each imported on first use."""

from agent.probes.runner import PROBES, Context, Gathered, run

__all__ = ["PROBES", "Context", "Gathered", "run"]
