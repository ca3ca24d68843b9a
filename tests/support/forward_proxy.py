"""An HTTP proxy for machines that have no way out of their own: pages by GET, TLS by CONNECT.

python tests/support/forward_proxy.py ADDRESS PORT
"""

from __future__ import annotations

import asyncio
import contextlib
import sys
import threading
from collections.abc import Iterator
from urllib.parse import urlsplit

_CHUNK = 1 << 16


async def _carry(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        while data := await reader.read(_CHUNK):
            writer.write(data)
            await writer.drain()
    writer.close()


async def _serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        first, _, rest = head.partition(b"\r\n")
        method, target, version = first.decode("ascii").split()
        connects = method == "CONNECT"
        parts = urlsplit(f"//{target}" if connects else target)
        there = await asyncio.open_connection(parts.hostname, parts.port or 80)
    except (OSError, ValueError, asyncio.IncompleteReadError):
        writer.close()
        return
    if connects:
        writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    else:  # one request a connection, or the next could be for another server
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        rows = [row for row in rest.split(b"\r\n") if row and b"connection:" not in row.lower()]
        asked = [f"{method} {path} {version}".encode(), *rows, b"Connection: close", b"", b""]
        there[1].write(b"\r\n".join(asked))
    await asyncio.gather(_carry(reader, there[1]), _carry(there[0], writer))


@contextlib.contextmanager
def forward_proxy(address: str, port: int) -> Iterator[None]:
    """Run it in a thread until the block ends. Raises OSError: it cannot listen there."""
    loop = asyncio.new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(_serve, address, port))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.close()
        loop.call_soon_threadsafe(loop.stop)
        thread.join()


if __name__ == "__main__":
    with forward_proxy(sys.argv[1], int(sys.argv[2])):
        threading.Event().wait()
