"""Leave this PC's hardware facts where the service may read them: `python -m agent.identity`.

Run as root before the service starts; prints the file's path.
"""

from agent.identity.identity import write_hardware

print(write_hardware())
