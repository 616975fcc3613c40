"""Counters and trails in Valkey or Redis, shared by every guard that decides.

One round trip for all that a request asks, and under load for many requests together: what is asked
while a question is under way goes with the next one. The server's clock is the only one, and one
script does it all, so guards cannot admit more together than one alone would: what a request marks
on trails it marks in the moment in which it reads them.

A trail is kept under a keyed hash of its name, for as long as its marks are of interest and 256 of
them at most; the server is never told the key. Marks say no account and no password, for those who
mark hash them with that key, too; they may say an address.

Fails closed: without an answer in time every future gets a `CountersError`, and for a moment nobody
is made to wait for a server that is gone. Counters that were taken from by a question whose answer
was lost stay taken, and so do marks. What is only to be marked (`mark`) waits for nobody, and is
lost with a server that is gone: then nothing passes that could be marked, but on routes that fail
open. A server that evicts (`maxmemory-policy` other than `noeviction`) may forget: it is told at
the start.
"""

import asyncio
import hmac
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

import redis.asyncio as redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import NoScriptError, RedisError

from troth.adapters import clock
from troth.adapters.counters.errors import CountersError
from troth.adapters.log import Secret
from troth.kernel.request import Ask, Taken, Tally
from troth.kernel.trail import BEGAN, Look, Looked, Mark, Note, Trail

PREFIX = "{troth}:"  # one slot of a cluster, for a script may only touch one
MAX_BATCH = 512  # counters in one question: the server does nothing else meanwhile
MAX_WAITING = 20_000  # counters; more are refused at once
PAUSE_S = 0.1  # after a failure, in which nobody is made to wait
NONE = timedelta(0)

Told = Callable[[str, dict[str, object]], None]
Step = tuple[str, str, str, int]  # on a trail, as the script reads it: what, key, member, number
Raw = tuple[list[int], int, list[list[bytes]]]  # as the script answers: counters, moment, marks


@dataclass(frozen=True, slots=True)
class _Question:
    """What one request asks in one go, and who waits for it."""

    asks: tuple[Ask, ...]
    steps: tuple[Step, ...]
    read: tuple[str, ...]  # names of the trails that steps read, in order
    future: "asyncio.Future[Taken]"

    @property
    def size(self) -> int:
        return len(self.asks) + len(self.steps)


class Remote:
    """Counters and trails elsewhere: `run` in a task group, ask from the same event loop.

    Args:
        url: `redis://`, `rediss://` or `unix://`, with its password.
        told: where events go.
        timeout: for an answer, from when it was asked for.
        key: under which trails are named, the same for all guards; 32 bytes.
        now: the clock of this machine, in which marks are dated.
    """

    def __init__(
        self,
        url: Secret,
        told: Told,
        *,
        timeout: timedelta,
        key: bytes = b"",
        now: Callable[[], datetime] = clock.now,
    ) -> None:
        self._timeout_s = timeout.total_seconds()
        self._key = key
        self._now = now
        self._client = client(url, self._timeout_s)
        self._script = resources.files(__package__).joinpath("take.lua").read_text("utf-8")
        self._digest = ""
        self._told = told
        self._waiting: deque[_Question] = deque()
        self._asked = asyncio.Event()
        self._count = 0
        self._back_at = 0.0
        self.is_gone = False

    def ask(self, asks: Sequence[Ask], looks: Sequence[Look] = ()) -> "asyncio.Future[Taken]":
        """The tallies and trails, or CountersError as the future's exception.

        The trails are as they were before what the looks mark.
        """
        if not looks:
            return self._put(tuple(asks), (), ())
        keys = tuple(dict.fromkeys(key for look in looks for key in look.keys))
        steps = [("b" if key == BEGAN else "r", self._named(key), "", 0) for key in keys]
        steps += [self._step(note) for look in looks for note in look.notes]
        return self._put(tuple(asks), tuple(steps), keys)

    def mark(self, notes: Sequence[Note]) -> None:
        """Write what was decided, in order, soon; nobody waits for it."""
        if notes:
            future = self._put((), tuple(map(self._step, notes)), ())
            future.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _put(
        self, asks: tuple[Ask, ...], steps: tuple[Step, ...], read: tuple[str, ...]
    ) -> "asyncio.Future[Taken]":
        loop = asyncio.get_running_loop()
        question = _Question(asks, steps, read, loop.create_future())
        if loop.time() < self._back_at or self._count + question.size > MAX_WAITING:
            question.future.set_exception(CountersError("the counters do not answer"))
            return question.future
        self._waiting.append(question)
        self._count += question.size
        self._asked.set()
        return question.future

    def _step(self, note: Note) -> Step:
        if note.is_undone:
            return ("u", self._named(note.key), note.member, note.at_most)
        window = max(note.window // timedelta(milliseconds=1), 1)
        return ("a", self._named(note.key), note.member, window)

    def _named(self, key: str) -> str:
        """A trail's name for the server: its kind, and of whom it is a keyed hash."""
        kind, _, _ = key.partition(":")
        return f"trail:{kind}:{hmac.digest(self._key, key.encode(), 'sha256')[:16].hex()}"

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
                    go_if_told()
        finally:
            for question in self._waiting:
                _refuse(question.future, CountersError("the counters are closed"))
            await self._client.aclose()

    def _next(self) -> list[_Question]:
        """As many as one question takes; those who gave up are left out."""
        batch: list[_Question] = []
        size = 0
        while self._waiting and size < MAX_BATCH:
            question = self._waiting.popleft()
            self._count -= question.size
            if not question.future.done():
                batch.append(question)
                size += question.size
        if not self._waiting:
            self._asked.clear()
        return batch

    async def _one(self, batch: list[_Question]) -> None:
        try:
            async with asyncio.timeout(self._timeout_s):
                said, moment, marks = await self._evaluated(batch)
        except (RedisError, OSError, TimeoutError) as error:
            self._back_at = asyncio.get_running_loop().time() + PAUSE_S
            if not self.is_gone:
                self._told("counters.gone", {"because": type(error).__name__})
            self.is_gone = True
            for question in (*batch, *self._waiting):
                _refuse(question.future, _gone(error))
            self._waiting.clear()
            self._count = 0
            return
        if self.is_gone:
            self.is_gone = False
            self._told("counters.back", {})
        tallies = iter([_tally(*said[at : at + 3]) for at in range(0, len(said), 3)])
        read, now = iter(marks), self._now()
        for question in batch:
            found = {ask.key: next(tallies) for ask in question.asks}
            trails = {key: _trail(next(read), moment, now) for key in question.read}
            if not question.future.done():
                question.future.set_result(Taken(found, Looked(trails)))

    async def _load(self) -> None:
        self._digest = await self._client.script_load(self._script)

    async def _evaluated(self, batch: list[_Question]) -> Raw:
        if not self._digest:
            await self._load()
        keys, words = _words(batch)
        found: Any
        try:
            found = await self._client.evalsha(self._digest, len(keys), *keys, *words)
        except NoScriptError:  # the server began anew
            await self._load()
            found = await self._client.evalsha(self._digest, len(keys), *keys, *words)
        if any(question.steps for question in batch):
            return found[0], int(found[1]), found[2]
        return found, 0, []


def client(url: Secret, timeout_s: float) -> "redis.Redis":
    """A connection to the server, not yet made. Raises CountersError for what is no address."""
    try:
        return redis.Redis.from_url(
            url.reveal(),
            socket_timeout=timeout_s,
            socket_connect_timeout=timeout_s,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except ValueError:  # which repeats the address, password and all
        raise CountersError(
            "no address of a Redis server", where="[counters] url",
            mend="redis://, rediss:// or unix://",
        ) from None  # fmt: skip


def go_if_told() -> None:
    """End here when this task was cancelled: the client library may have swallowed that."""
    task = asyncio.current_task()
    if task is not None and task.cancelling():
        raise asyncio.CancelledError


def _words(batch: list[_Question]) -> tuple[list[str], list[str | int]]:
    """Keys and words for the script: all counters, then all steps on trails in order."""
    asks = [ask for question in batch for ask in question.asks]
    keys = [PREFIX + ask.key for ask in asks]
    words: list[str | int] = [len(asks)]
    for ask in asks:
        step = -(-(ask.period // timedelta(microseconds=1)) // ask.limit)
        words += [step, step * ask.burst, ask.cost]
    places: dict[str, int] = {}
    for question in batch:
        for what, key, member, number in question.steps:
            place = places.setdefault(key, len(keys) + 1)
            if place > len(keys):
                keys.append(PREFIX + key)
            words += [what, place, member, number]
    return keys, words


def _trail(marks: list[bytes], moment: int, now: datetime) -> Trail:
    """Marks by our clock: the two machines need not agree."""
    found = []
    for mark in marks:
        at, _, member = mark.decode("utf-8", "replace").partition(" ")
        found.append(Mark(now - timedelta(microseconds=moment - int(at)), member))
    return tuple(found)


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


def _refuse(future: "asyncio.Future[Taken]", error: CountersError) -> None:
    if not future.done():
        future.set_exception(error)
        future.exception()  # looked at: one that nobody waits for any more is no bug
