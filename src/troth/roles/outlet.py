"""What a child says, from its pipe to a rotating log: no line lost, none held back."""

import asyncio
import contextlib
import os
from pathlib import Path

from troth.roles.rotation import Writer

CHUNK_BYTES = 65536


class Outlet:
    """A pipe whose other end a child writes to, read by the running event loop.

    Give `descriptor` to the child, then call `hand_over`; `close` reads what is left.
    """

    def __init__(self, path: Path) -> None:
        self._writer = Writer(path)
        self._read, self.descriptor = os.pipe2(os.O_CLOEXEC)
        os.set_blocking(self._read, False)
        asyncio.get_running_loop().add_reader(self._read, self._drain)

    def hand_over(self) -> None:
        """The child has its end now: ours is closed, so that its death is the pipe's end."""
        os.close(self.descriptor)
        self.descriptor = -1

    def close(self) -> None:
        """Read the rest and let go; fine to call once."""
        asyncio.get_running_loop().remove_reader(self._read)
        if self.descriptor >= 0:
            self.hand_over()
        with contextlib.suppress(BlockingIOError):
            while self._take():
                continue
        os.close(self._read)
        self._writer.close()

    def _drain(self) -> None:
        with contextlib.suppress(BlockingIOError):
            if not self._take():
                asyncio.get_running_loop().remove_reader(self._read)

    def _take(self) -> bool:
        """Move one piece; False at the end. Raises BlockingIOError while nothing is there."""
        piece = os.read(self._read, CHUNK_BYTES)
        self._writer.write(piece)
        return bool(piece)
