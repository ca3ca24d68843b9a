"""A Grafana that already runs: boards, alert rules and silences, by its HTTP API.

Everything is read first and then done: `plan` says what would change, `carry_out` does it.
"""
