"""The broker's accounts, roles and settings: files for one that is stopped, commands for one
that runs."""

from collector.broker.accounts import Account

__all__ = ["Account"]
