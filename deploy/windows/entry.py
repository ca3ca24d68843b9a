"""What the frozen program runs: the agent's commands, and the one module that it starts itself."""

import runpy
import sys

from agent import cli

#: `agent.probes.line.child` starts `python -m` this; frozen, we are that python.
_CHILD = ["-m", "agent.probes.line.load"]

if __name__ == "__main__":
    if sys.argv[1:3] == _CHILD:
        del sys.argv[1:3]
        runpy.run_module(_CHILD[1], run_name="__main__", alter_sys=True)
    else:
        sys.exit(cli.main())
