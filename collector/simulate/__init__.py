"""Simulated cities with known verdicts, which are designed by hand and not computed.

`cases` has the situations and their verdicts; `build` draws them and lays out a city; `evidence`
makes the points that such schools would have left in the store; `truth` counts the verdicts that
the figure must show. `fleet` and `live` run its PCs as agents over MQTT.
"""
