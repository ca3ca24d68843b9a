"""What the frozen program runs: the agent's commands, and two modules that are programs."""

import runpy
import sys

from agent import cli

#: `agent.probes.line.child` starts `python -m` the first, Windows the second; frozen, we are that
#: python.
_MODULES = ("agent.probes.line.load", "agent.service.update_service")

if __name__ == "__main__":
    if sys.argv[1:2] == ["-m"] and sys.argv[2:3] and sys.argv[2] in _MODULES:
        _, module = sys.argv.pop(1), sys.argv.pop(1)
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    else:
        sys.exit(cli.main())
