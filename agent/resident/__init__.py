"""The agent while it runs: what it gathers, when, and what it remembers.

Imported module by module: who reads the status file needs no link and no outbox.
"""
