"""speedtest-cli unchanged, against speedtest.net: `python -m agent.probes.line.public`.

For IT staff who want to compare the line with the Internet. It measures what an application
receives from a server we know nothing about, so it is never evidence and never scheduled. It uses
the system's proxies, as speedtest-cli does. Runs in its own process, which prints one JSON object.
"""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

#: speedtest-cli counts each failed latency request as an hour, and goes on with wrong results.
_UNREACHED_MS = 100_000
_PATIENCE_S = 120.0


def run(*, secure: bool = True, seconds: float = _PATIENCE_S) -> dict[str, Any]:
    """{down_mbps, up_mbps, latency_ms, server, bytes}, or {error}; rates of payload in Mbit/s."""
    argv = [sys.executable, "-m", "agent.probes.line.public", "secure" if secure else "plain"]
    try:
        done = subprocess.run(  # noqa: S603 - our own module
            argv, capture_output=True, text=True, timeout=seconds
        )
        found = json.loads(done.stdout.splitlines()[-1])
    except subprocess.TimeoutExpired:
        return {"error": f"not through in {seconds:g} s"}
    except (OSError, IndexError, ValueError) as error:
        return {"error": f"speedtest-cli ended without a result: {error}"}
    return found if isinstance(found, dict) else {"error": "no result"}


def _measure(secure: bool) -> dict[str, Any]:
    import speedtest

    test = speedtest.Speedtest(secure=secure)
    server = test.get_best_server()
    if test.results.ping >= _UNREACHED_MS:
        return {"error": "the server's latency.txt cannot be read"}
    test.download()
    # With pre_allocate the bodies would take 160 MB.
    test.upload(pre_allocate=False)
    found = test.results
    if not found.bytes_received or not found.bytes_sent:
        return {"error": "nothing came or went"}
    return {
        "down_mbps": round(found.download / 1e6, 3),
        "up_mbps": round(found.upload / 1e6, 3),
        "latency_ms": round(found.ping, 3),
        "server": f"{server['sponsor']}, {server['name']}",
        "bytes": found.bytes_received + found.bytes_sent,
    }


def main() -> int:
    """Run one test and print its result."""
    try:
        found = _measure(sys.argv[1:] != ["plain"])
    except Exception as error:  # speedtest-cli raises anything
        found = {"error": f"{type(error).__name__}: {error}"[:256]}
    print(json.dumps(found))
    return 1 if "error" in found else 0


if __name__ == "__main__":
    sys.exit(main())
