"""The resident agent: when it reports and tests the line, and the status it leaves.

Imported module by module: a command that reads the status file needs no link and no outbox.
"""
