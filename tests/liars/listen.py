"""A program of the installation that listens where nobody declared it."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_PROGRAM = """\
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
sys.stdin.read()
"""


@contextmanager
def listening(data: Path) -> Iterator[int]:
    """Its port. It is one of ours by its command line, which names the data directory."""
    child = subprocess.Popen(
        [sys.executable, "-c", _PROGRAM, "--data", str(data)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    with child:
        assert child.stdout is not None
        yield int(child.stdout.readline())
        assert child.stdin is not None
        child.stdin.close()
