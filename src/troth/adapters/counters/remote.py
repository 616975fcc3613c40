"""Counters in Valkey or Redis, shared by every guard that decides.

One round trip for all that a request asks, and under load for many requests together: what is asked
while a question is under way goes with the next one. The server's clock is the only one, and one
script does it all, so guards cannot admit more together than one alone would.

Fails closed: without an answer in time every future gets a `CountersError`, and for a moment nobody
is made to wait for a server that is gone. Counters that were taken from by a question whose answer
was lost stay taken. A server that evicts (`maxmemory-policy` other than `noeviction`) may forget
counters: it is told at the start.
"""

import asyncio
from collections.abc import Callable, Sequence
from datetime import timedelta
from importlib import resources
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from troth.adapters.counters.errors import CountersError
from troth.adapters.log import Secret
from troth.kernel.request import Ask, Tally

PREFIX = "{troth}:"  # one slot of a cluster, for a script may only touch one
MAX_BATCH = 512  # counters in one question: the server does nothing else meanwhile
MAX_WAITING = 20_000  # counters; more are refused at once
PAUSE_S = 0.1  # after a failure, in which nobody is made to wait
NONE = timedelta(0)

Told = Callable[[str, dict[str, object]], None]
Tallies = dict[str, Tally]


class Remote:
    """Counters elsewhere: `run` in a task group, `ask` from the same event loop.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with its password.
        told: where events go.
        timeout: for an answer, from when it was asked for.
    """

    def __init__(self, url: Secret, told: Told, *, timeout: timedelta) -> None:
        self._timeout_s = timeout.total_seconds()
        try:
            self._client = redis.Redis.from_url(
                url.reveal(),
                socket_timeout=self._timeout_s,
                socket_connect_timeout=self._timeout_s,
                retry=Retry(NoBackoff(), 0),
                protocol=2,
            )
        except ValueError:  # which repeats the address, password and all
            raise CountersError(
                "no address of a Redis server", where="[counters] url",
                mend="redis://, rediss:// or unix://",
            ) from None  # fmt: skip
        self._script = resources.files(__package__).joinpath("take.lua").read_text("utf-8")
        self._digest = ""
        self._told = told
        self._waiting: list[tuple[tuple[Ask, ...], asyncio.Future[Tallies]]] = []
        self._asked = asyncio.Event()
        self._count = 0
        self._back_at = 0.0
        self.is_gone = False

    def ask(self, asks: Sequence[Ask]) -> "asyncio.Future[Tallies]":
        """The tallies by key, or CountersError as the future's exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Tallies] = loop.create_future()
        if loop.time() < self._back_at or self._count + len(asks) > MAX_WAITING:
            future.set_exception(CountersError("the counters do not answer"))
            return future
        self._waiting.append((tuple(asks), future))
        self._count += len(asks)
        self._asked.set()
        return future

    async def look(self) -> str:
        """Reach the server; what an operator should know of it. Raises CountersError."""
        try:
            async with asyncio.timeout(max(self._timeout_s, 2)):
                await self._load()
                kept = await self._client.config_get("maxmemory-policy")
        except RedisError as error:
            if not self._digest:
                raise _gone(error) from None
            return ""  # a server that hides its settings
        except (OSError, TimeoutError) as error:
            raise _gone(error) from None
        policy = str(kept.get("maxmemory-policy", "noeviction"))
        if policy == "noeviction":
            return ""
        return f"maxmemory-policy {policy} may forget counters; noeviction does not"

    async def run(self) -> None:
        """Ask the server whatever is asked, one question at a time. Until it is cancelled."""
        try:
            while True:
                await self._asked.wait()
                batch = self._next()
                if batch:
                    await self._one(batch)
        finally:
            for _, future in self._waiting:
                _refuse(future, CountersError("the counters are closed"))
            await self._client.aclose()

    def _next(self) -> list[tuple[tuple[Ask, ...], "asyncio.Future[Tallies]"]]:
        """As many as one question takes; those who gave up are left out."""
        batch, size = [], 0
        while self._waiting and size < MAX_BATCH:
            asks, future = self._waiting.pop(0)
            self._count -= len(asks)
            if not future.done():
                batch.append((asks, future))
                size += len(asks)
        if not self._waiting:
            self._asked.clear()
        return batch

    async def _one(self, batch: list[tuple[tuple[Ask, ...], "asyncio.Future[Tallies]"]]) -> None:
        asks = [ask for asked, _ in batch for ask in asked]
        try:
            async with asyncio.timeout(self._timeout_s):
                said = await self._evaluated(asks)
        except (RedisError, OSError, TimeoutError) as error:
            self._back_at = asyncio.get_running_loop().time() + PAUSE_S
            if not self.is_gone:
                self._told("counters.gone", {"because": type(error).__name__})
            self.is_gone = True
            for _, future in [*batch, *self._waiting]:
                _refuse(future, _gone(error))
            self._waiting.clear()
            self._count = 0
            return
        if self.is_gone:
            self.is_gone = False
            self._told("counters.back", {})
        tallies = iter([_tally(*said[at : at + 3]) for at in range(0, len(said), 3)])
        for asked, future in batch:
            found = {ask.key: next(tallies) for ask in asked}
            if not future.done():
                future.set_result(found)

    async def _load(self) -> None:
        self._digest = await self._client.script_load(self._script)

    async def _evaluated(self, asks: list[Ask]) -> list[int]:
        if not self._digest:
            await self._load()
        words: list[Any] = [PREFIX + ask.key for ask in asks]
        for ask in asks:
            step = -(-(ask.period // timedelta(microseconds=1)) // ask.limit)
            words += [step, step * ask.burst, ask.cost]
        found: list[int]
        try:
            found = await self._client.evalsha(self._digest, len(asks), *words)
        except NoScriptError:  # the server began anew
            await self._load()
            found = await self._client.evalsha(self._digest, len(asks), *words)
        return found


def _tally(over: int, until_empty: int, remaining: int) -> Tally:
    return Tally(
        is_over=over > 0,
        remaining=remaining,
        reset=timedelta(0, 0, until_empty),
        retry_after=timedelta(0, 0, over) if over > 0 else NONE,
    )


def _gone(error: BaseException) -> CountersError:
    """What went wrong by its kind: the text may hold the address, and that the password."""
    return CountersError(f"the counters do not answer: {type(error).__name__}")


def _refuse(future: "asyncio.Future[Tallies]", error: CountersError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # looked at: one that nobody waits for any more is no bug
