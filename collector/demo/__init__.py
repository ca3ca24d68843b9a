"""The whole way once, on this machine: from a real PC to the figure.

    broker ─ measurement server ─ collector ─ this machine's agent ─ a simulated city
    then: derive, judge, report, and stop all of it

DemoError
├── ChildDiedError   a process ended that should run; what it last said is shown
└── LateError        what was waited for did not come in time
"""
