"""A city of known truth: seeded schools whose verdicts are decided by design, not by judging.

The truth stands in the tables of `cases`; `city` lays them out, `evidence` writes what such
schools would have left in the store, `truth` counts what the figure has to say.
"""
