"""Write this PC's hardware digests where the service can read them: `python -m agent.identity`.

Run as root before the service starts; prints the path of the file.
"""

from agent.identity.identity import write_hardware

print(write_hardware())
