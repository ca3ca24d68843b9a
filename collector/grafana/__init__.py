"""A Grafana that already runs: boards, alert rules and silences, by its HTTP API.

Everything is looked at first and then done: `plan` says what would change, `carry out` does it.
"""
