"""The guard's desk (`run/guard-desk-N.sock`): bans by hand, and those who follow them.

One JSON object a line. The first guard's desk is the one that counts: the others, and the edge,
follow it (`{"do":"follow"}`: everything, then each change with its number) and offer it what they
ban themselves. Who loses the connection keeps what is known and begins anew when it is back. The
peer is checked; what only the operator may ask is refused to other users.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from troth.adapters import sockets
from troth.adapters.files import FileError
from troth.adapters.journal import Journal
from troth.enforce.bans import FOREVER, Bans, Delta
from troth.enforce.snapshot import Told
from troth.kernel.request import Ban
from troth.promises.guard.rules.addresses import LOGIN, client_key
from troth.roles.places import Places

MAX_LINE_BYTES = 512 * 1024
MAX_HELD_BYTES = 4 * 1024**2  # of a follower that does not read; then it must begin anew
MAX_CONNECTIONS = 64
MAX_SHOWN = 10_000
IDLE_S = 60
AGAIN_S = 0.25
REST_S = 1.0
MOST_LINES = 50_000  # of a journal, beyond twice what is in force
OPERATOR = "operator"

Address = Annotated[str, Meta(min_length=2, max_length=64)]
Seconds = Annotated[int, Meta(ge=1, le=10 * 365 * 86_400)]


class _Ban(Struct, tag_field="do", tag="ban", forbid_unknown_fields=True):
    address: Address
    for_s: Seconds
    because: Annotated[str, Meta(max_length=200)] = ""


class _Unban(Struct, tag_field="do", tag="unban", forbid_unknown_fields=True):
    address: Address


class _Allow(Struct, tag_field="do", tag="allow", forbid_unknown_fields=True):
    network: Address
    for_s: Seconds | None = None


class _Disallow(Struct, tag_field="do", tag="disallow", forbid_unknown_fields=True):
    network: Address


class _Bans(Struct, tag_field="do", tag="bans", forbid_unknown_fields=True):
    pass


class _Follow(Struct, tag_field="do", tag="follow", forbid_unknown_fields=True):
    bans: list[Delta] = []


class _Offer(Struct, tag_field="do", tag="offer", forbid_unknown_fields=True):
    ban: Delta


Ask = _Ban | _Unban | _Allow | _Disallow | _Bans | _Follow | _Offer
_OPERATORS = (_Ban, _Unban, _Allow, _Disallow)


def desk(places: Places, index: int) -> Path:
    """The socket of one guard's desk."""
    return places.socket(f"guard-desk-{index}")


class Desk:
    """Bans of one guard: journal, socket, followers.

    Args:
        places: the data directory.
        index: of the guard; all but the first follow the first.
        bans: what is in force here.
        told: where events go.
        now: the clock.
    """

    def __init__(
        self, places: Places, index: int, bans: Bans, told: Told, now: Callable[[], datetime]
    ) -> None:
        self._places, self._index, self._bans, self._told, self._now = (
            places, index, bans, told, now,
        )  # fmt: skip
        self._journal = Journal(places.spool / f"guard-bans-{index}.jsonl", Delta)
        self._group = places.run.stat().st_gid
        self._open = 0
        self._listener: sockets.Listener | None = None
        self._server: asyncio.Server | None = None
        self._following: set[asyncio.StreamWriter] = set()
        self._leader: asyncio.StreamWriter | None = None
        self._own: list[Delta] = []  # placed here since nobody was followed
        self.lists: Callable[[], list[dict[str, Any]]] = list

    def load(self) -> None:
        """Read the journal, and keep it. What is broken is kept aside and told."""
        try:
            found = self._journal.read(lambda: self._now().strftime("%Y%m%dT%H%M%S"))
            sound = []
            for delta in found.lines:
                try:
                    self._bans.read([delta], self._now())
                    sound.append(delta)
                except ValueError:
                    continue
            if found.torn or found.broken or len(sound) != len(found.lines):
                aside = str(found.aside or "")
                self._told("bans.damaged", {"lost": found.broken, "aside": aside})
            self._journal.rewrite(self._bans.state())
        except FileError as error:
            self._told("bans.unsaved", {"because": str(error)})
        self._bans.followers.append(self._changed)

    async def open(self) -> None:
        """Listen. Raises SocketError."""
        self._listener = sockets.listen_unix(desk(self._places, self._index))
        self._server = await asyncio.start_unix_server(
            self._serve, sock=self._listener.door, limit=MAX_LINE_BYTES
        )

    async def run(self) -> None:
        """Follow and expire until it is cancelled; then let go of everything."""
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._rest())
                if self._index:
                    group.create_task(self._follow())
        finally:
            if self._server is not None and self._listener is not None:
                self._server.close()
                self._listener.unlink()
            for writer in tuple(self._following):
                writer.close()
            self._journal.close()

    # -- what changes ----------------------------------------------------------------------------

    def _changed(self, delta: Delta) -> None:
        """Write it, tell it."""
        try:
            self._journal.append(delta)
        except FileError as error:
            self._told("bans.unsaved", {"because": str(error)})
        self._tell(delta)
        if delta.do != "ban" or not self._index:
            return
        if self._leader is not None:
            self._leader.write(msgspec.json.encode(_Offer(ban=delta)) + b"\n")
        else:
            self._own = [*self._own[-999:], delta]

    def _tell(self, delta: Delta) -> None:
        """Tell our followers; one that does not read must begin anew."""
        line = msgspec.json.encode(delta) + b"\n"
        for writer in tuple(self._following):
            writer.write(line)
            if writer.transport.get_write_buffer_size() > MAX_HELD_BYTES:
                self._following.discard(writer)
                writer.transport.abort()

    async def _rest(self) -> None:
        """What is done now and then: forget, and keep the journal short and durable."""
        while True:
            await asyncio.sleep(REST_S)
            self._bans.expire(self._now())
            try:
                if self._journal.count > 2 * len(self._bans.by_subject) + MOST_LINES:
                    self._journal.rewrite(self._bans.state())
                await asyncio.to_thread(self._journal.sync)
            except FileError as error:
                self._told("bans.unsaved", {"because": str(error)})

    # -- others follow ---------------------------------------------------------------------------

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        peer = sockets.peer_of(writer.get_extra_info("socket"))
        self._open += 1
        try:
            is_friend = sockets.is_friend(peer, uid=os.geteuid(), group=self._group)
            while is_friend and self._open <= MAX_CONNECTIONS:
                idle = None if writer in self._following else IDLE_S
                async with asyncio.timeout(idle):
                    line = await reader.readuntil(b"\n")
                answer = self._answer(line[:-1], peer, writer)
                if answer is not None:
                    writer.write(msgspec.json.encode(answer) + b"\n")
                await writer.drain()
        except (TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            pass  # a peer that left, idles or says too much is not answered
        finally:
            self._open -= 1
            self._following.discard(writer)
            writer.close()

    def _answer(
        self, line: bytes, peer: sockets.Peer, writer: asyncio.StreamWriter
    ) -> dict[str, Any] | None:
        try:
            asked = msgspec.json.decode(line, type=Ask, strict=True)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return _no("not-understood", str(error)[:200])
        is_ours = peer.uid in (0, os.geteuid())
        if isinstance(asked, _OPERATORS) and not is_ours:
            return _no("not-allowed", "only the operator may ask this")
        try:
            return self._do(asked, writer, is_ours=is_ours)
        except ValueError as error:
            return _no("refused", str(error)[:200])

    def _do(
        self, asked: Ask, writer: asyncio.StreamWriter, *, is_ours: bool
    ) -> dict[str, Any] | None:
        now, bans = self._now(), self._bans
        match asked:
            case _Ban():
                ban = self._ordered(asked, now)
                return {"ok": True, "subject": ban.subject, "until": ban.until}
            case _Unban(address=address):
                subject = _subject(address)
                was_banned, was_at_login = bans.lift(subject), bans.lift(LOGIN + subject)
                return {"ok": True, "was": was_banned or was_at_login}
            case _Allow(network=network, for_s=for_s):
                until = now + (timedelta(seconds=for_s) if for_s else FOREVER)
                bans.allow(network, until)
                return {"ok": True, "until": until}
            case _Disallow(network=network):
                return {"ok": True, "was": bans.disallow(network)}
            case _Bans():
                return {"ok": True} | self._shown(now)
            case _Offer(ban=delta) if is_ours:
                _placed(bans, delta)
            case _Follow(bans=theirs):
                for delta in theirs if is_ours else ():
                    _placed(bans, delta)
                self._begin(writer)
        return None

    def _begin(self, writer: asyncio.StreamWriter) -> None:
        """Tell a new follower everything; from then on each change."""
        whole = Delta(n=self._bans.number, do="whole", subject="")
        for delta in (*self._bans.state(), whole):
            writer.write(msgspec.json.encode(delta) + b"\n")
        self._following.add(writer)

    def _ordered(self, asked: _Ban, now: datetime) -> Ban:
        subject = _subject(asked.address)
        cause = f"{OPERATOR}:{asked.because}" if asked.because else OPERATOR
        ban = self._bans.rules.ordered(subject, cause, timedelta(seconds=asked.for_s), now)
        if ban is None:
            raise ValueError(f"{asked.address} is protected by [guard.bans] protected")
        self._bans.lift(subject)
        self._bans.place(ban)
        return ban

    def _shown(self, now: datetime) -> dict[str, Any]:
        live = self._bans.live(now)
        return {
            "number": self._bans.number,
            "count": len(live),
            "bans": [
                {"subject": ban.subject, "cause": ban.cause, "since": ban.since,
                 "until": ban.until, "times": ban.times}
                for ban in live[:MAX_SHOWN]
            ],
            "allowed": [
                {"network": network, "until": until}
                for network, until in self._bans.allowed.until.items()
            ],
            "lists": self.lists(),
        }  # fmt: skip

    # -- following -------------------------------------------------------------------------------

    async def _follow(self) -> None:
        while True:
            try:
                await self._followed()
            except (OSError, ValueError, asyncio.LimitOverrunError):
                pass  # it is gone, or says nonsense: what is known stays, and we ask again
            except FileError as error:
                self._told("bans.unsaved", {"because": str(error)})
            finally:
                self._leader = None
            await asyncio.sleep(AGAIN_S)

    async def _followed(self) -> None:
        """Take over everything from the first guard, then each change, until it is gone."""
        reader, writer = await asyncio.open_unix_connection(
            str(desk(self._places, 0)), limit=MAX_LINE_BYTES
        )
        try:
            writer.write(msgspec.json.encode(_Follow(bans=self._own)) + b"\n")
            whole: list[Delta] = []
            async for delta in deltas(reader):
                if delta.do == "whole":
                    break
                whole.append(delta)
            else:
                return
            self._bans.replace(whole, self._now())
            self._bans.number = number = delta.n
            self._own, self._leader = [], writer
            for each in tuple(self._following):
                each.transport.abort()  # whoever follows us begins anew, too
            self._journal.rewrite(self._bans.state())
            self._told("bans.followed", {"number": number, "count": len(whole)})
            async for delta in deltas(reader):
                if delta.n != number + 1:
                    raise ValueError("a change is missing")
                number = delta.n
                self._bans.read([delta], self._now())
                self._journal.append(delta)
                self._tell(delta)
        finally:
            writer.close()


async def deltas(reader: asyncio.StreamReader) -> AsyncIterator[Delta]:
    """Each change that is told, until the other side ends. Raises ValueError for nonsense."""
    while line := await reader.readline():
        yield msgspec.json.decode(line, type=Delta)


def _subject(address: str) -> str:
    """Who is banned with an address. Raises ValueError for what is none."""
    subject = client_key(address)
    if not subject:
        raise ValueError(f"{address} is no address; networks belong into [[guard.lists]] or zones")
    return subject


def _placed(bans: Bans, delta: Delta) -> None:
    """Put in force what another guard banned."""
    if delta.do == "ban" and delta.since is not None and delta.until is not None:
        bans.place(
            Ban(subject=delta.subject, cause=delta.cause, since=delta.since, until=delta.until,
                times=delta.times)
        )  # fmt: skip


def _no(code: str, why: str) -> dict[str, Any]:
    return {"ok": False, "code": code, "why": why}
