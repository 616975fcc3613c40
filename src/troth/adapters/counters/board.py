"""A board in Valkey or Redis on which every guard of every machine reads what each of them writes.

Lines stand under names until they end, and every change is told in one order to whoever listens
(a stream): within a millisecond or two, without asking again and again. Who lost the connection
reads the whole anew, so nothing that was told meanwhile is missed. A board that was lost (a server
that began anew without its data) has another mark than the one that is known.

Fails as the counters do: without the server every call raises `CountersError`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from redis.exceptions import RedisError

from troth.adapters.counters.errors import CountersError
from troth.adapters.counters.remote import PREFIX, client, go_if_told
from troth.adapters.log import Secret

MARK, LINES, ENDS, TOLD = (f"{PREFIX}bans:{name}" for name in ("mark", "lines", "ends", "told"))
LISTEN_S = 1.0  # then the server says that there is nothing, and we know that it lives
AT_ONCE = 1000
MOST = 100_000  # lines; then the one that ends first goes


@dataclass(frozen=True, slots=True)
class Whole:
    """Everything on the board.

    Args:
        mark: of this board; another one means that the board known before was lost.
        is_new: it was empty, and is ours to fill.
        lines: all of them.
        after: where to go on listening.
    """

    mark: str
    is_new: bool
    lines: tuple[bytes, ...]
    after: str


class Board:
    """The board, from one event loop.

    Args:
        url: as of `Remote`.
        timeout: for an answer.
    """

    def __init__(self, url: Secret, *, timeout: timedelta) -> None:
        self._timeout_s = max(timeout.total_seconds(), 1.0)  # nobody's request waits for it
        self._client: Any = client(url, self._timeout_s + LISTEN_S)  # its types say str or bytes
        script = resources.files(__package__).joinpath("board.lua").read_text("utf-8")
        self._script = self._client.register_script(script)

    async def whole(self, mark: str) -> Whole:
        """Everything, and `mark` becomes the board's own where it has none."""
        async with self._asked(within_s=30):
            is_new = bool(await self._client.set(MARK, mark, nx=True))
            found = await self._client.get(MARK)
            last = await self._client.xrevrange(TOLD, count=1)
            lines = [line async for _, line in self._client.hscan_iter(LINES, count=AT_ONCE)]
        after = last[0][0].decode() if last else "0-0"
        return Whole((found or b"").decode(), is_new, tuple(lines), after)

    async def put(self, name: str, line: bytes, until: datetime, *, is_last_word: bool) -> None:
        """Write a line until then; one that stands longer stays, unless this is the last word."""
        what = "set" if is_last_word else "put"
        await self._changed(what, name, line, int(until.timestamp() * 1000))

    async def drop(self, name: str, line: bytes) -> None:
        """Take a line away, and tell so."""
        await self._changed("drop", name, line, 0)

    async def told(self, after: str) -> tuple[str, tuple[bytes, ...]]:
        """What was told since, in order, and where to go on; nothing when nothing was for 1 s."""
        async with self._asked(within_s=self._timeout_s + LISTEN_S):
            found = await self._client.xread(
                {TOLD: after}, count=AT_ONCE, block=int(LISTEN_S * 1000)
            )
        news = found[0][1] if found else []
        return (news[-1][0].decode() if news else after), tuple(each[b"l"] for _, each in news)

    async def close(self) -> None:
        """Let go of the server."""
        await self._client.aclose()

    async def _changed(self, what: str, name: str, line: bytes, until_ms: int) -> None:
        async with self._asked(within_s=self._timeout_s):
            await self._script(keys=[LINES, ENDS, TOLD], args=[what, name, line, until_ms, MOST])

    @asynccontextmanager
    async def _asked(self, *, within_s: float) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(within_s):
                yield
        except (RedisError, OSError, TimeoutError) as error:
            raise CountersError(f"the board does not answer: {type(error).__name__}") from None
        go_if_told()
