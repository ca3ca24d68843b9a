"""Runs everything once on this machine: from a real PC's report to the figure.

    broker ─ measurement server ─ collector ─ this machine's agent ─ a simulated city
    then: derive, judge, report, and stop all of it

DemoError
├── ChildDiedError   a process ended unexpectedly; the end of its log is shown
└── LateError        a step did not finish in time
"""
