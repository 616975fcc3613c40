"""HTTP on a unix socket: read strictly, bounded in everything, and never closed from this side."""

import asyncio
import contextlib
import os
import random
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
import uvloop

from troth.adapters import sockets
from troth.adapters.sockets import Peer
from troth.enforce.wire import OK, Door, Limits, Message, Reply, encoded

HOST = b"Host: a\r\n"
LIMITS = Limits(
    head_bytes=2000,
    headers=10,
    body_bytes=1000,
    held_bytes=1500,
    message=timedelta(seconds=0.6),
    connections=20,
)


class Play:
    """A door with a memory, and lines to it."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self.seen: list[Message] = []
        self.events: list[tuple[str, dict[str, object]]] = []
        self.reply = Reply(status=403, headers=((b"a", b"b"),), body=b"no")
        self.door = Door(folder / "d.sock", self.answer, self.told, limits=limits)

    def answer(self, message: Message) -> Reply:
        self.seen.append(message)
        return self.reply

    def told(self, name: str, fields: dict[str, object]) -> None:
        self.events.append((name, fields))

    async def line(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        return await asyncio.open_unix_connection(str(self.door.path))

    async def ask(self, raw: bytes) -> bytes:
        """Everything that comes back until the peer closes, or one answer if it does not."""
        reader, writer = await self.line()
        writer.write(raw)
        got = await answer_of(reader)
        writer.close()
        return got


async def answer_of(reader: asyncio.StreamReader) -> bytes:
    try:
        head = await reader.readuntil(b"\r\n\r\n")
        size = int(re.search(rb"content-length: (\d+)", head)[1])
        return head + (b"" if b"HEAD" in head else await reader.readexactly(size))
    except (asyncio.IncompleteReadError, OSError):
        return b""


Scene = Callable[[Play], Awaitable[None]]


@pytest.fixture
def play(tmp_path: Path) -> Callable[[Scene], Play]:
    def run(scene: Scene, limits: Limits = LIMITS) -> Play:
        made = Play(tmp_path, limits)

        async def whole() -> None:
            await made.door.open()
            try:
                async with asyncio.timeout(20):
                    await scene(made)
            finally:
                await made.door.close(timedelta(seconds=0.1))

        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(whole())
        assert not made.door.path.exists()
        assert made.door.held_bytes == 0
        return made

    return run


def status(answer: bytes) -> int:
    return int(answer.split()[1]) if answer else 0


def test_a_message_arrives_whole_however_it_is_cut(play):
    raw = b"POST /a?b HTTP/1.1\r\n" + HOST + b"X-A: 1\r\nx-a: 2\r\nContent-Length: 4\r\n\r\nbody"

    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        for size in (1, 3, 1000):
            for start in range(0, len(raw), size):
                writer.write(raw[start : start + size])
                await asyncio.sleep(0)
            assert await answer_of(reader) == (
                b"HTTP/1.1 403 Forbidden\r\na: b\r\ncontent-length: 2\r\n\r\nno"
            )
        writer.close()

    seen = play(scene).seen
    assert seen == [seen[0]] * 3
    assert seen[0] == Message(
        method=b"POST",
        target=b"/a?b",
        headers=((b"host", b"a"), (b"x-a", b"1"), (b"x-a", b"2"), (b"content-length", b"4")),
        body=b"body",
    )


def test_several_in_one_breath_are_answered_in_order(play):
    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        writer.write(b"".join(b"GET /%d HTTP/1.1\r\n%b\r\n" % (n, HOST) for n in range(50)))
        for _ in range(50):
            assert status(await answer_of(reader)) == 403
        writer.close()

    assert [m.target for m in play(scene).seen] == [b"/%d" % n for n in range(50)]


def test_a_handshake_is_a_message_like_any_other(play):
    handshake = (
        b"GET /ws HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n"
    )

    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        writer.write(handshake + b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n" + handshake)
        for _ in range(3):
            assert status(await answer_of(reader)) == 403
        writer.write(handshake)
        assert status(await answer_of(reader)) == 403
        writer.close()

    assert [m.target for m in play(scene).seen] == [b"/ws", b"/2", b"/ws", b"/ws"]


def test_a_head_has_no_body_and_the_last_word_closes(play):
    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        writer.write(b"HEAD / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        assert (await reader.read()).endswith(b"content-length: 2\r\nconnection: close\r\n\r\n")
        writer.close()
        reader, writer = await one.line()
        writer.write(b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
        assert (await reader.read()).endswith(b"connection: close\r\n\r\nno")
        writer.close()

    play(scene)


def test_nothing_is_answered_after_the_last_word(play):
    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n")
        writer.write(b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n" * 2)
        assert (await reader.read()).count(b"HTTP/1.1") == 1
        writer.close()
        reader, writer = await one.line()
        writer.write(
            b"GET / HTTP/1.1\r\n" + HOST + b"Connection: close\r\n\r\n"
            b"GET /2 HTTP/1.1\r\n" + HOST + b"\r\n"
        )
        assert (await reader.read()).count(b"HTTP/1.1") == 1
        writer.close()

    assert {m.target for m in play(scene).seen} == {b"/"}


def test_no_content_has_no_length():
    assert encoded(Reply(status=204)) == b"HTTP/1.1 204 No Content\r\n\r\n"


def test_a_status_of_a_rules_own_is_sent():
    assert encoded(Reply(status=499)).startswith(b"HTTP/1.1 499 \r\n")


def test_allowing_is_one_constant():
    assert encoded(OK) == b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"
    assert encoded(OK, is_last=True).endswith(b"connection: close\r\n\r\n")


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"GARBAGE\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/1.1\nHost: a\n\n", 400),
        (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: a\r\n folded\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nA: b\x00c\r\n\r\n", 400),
        (b"foo / HTTP/1.1\r\n" + HOST + b"\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\na", 400),
        (b"POST / HTTP/1.1\r\n" + HOST
         + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked\r\n\r\n"
         b"1\r\na\r\n0\r\nOrigin: https://a\r\n\r\n", 400),
        (b"POST / HTTP/1.1\r\n" + HOST
         + b"Connection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 2\r\n\r\nab", 400),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
         b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 11 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\na: " + b"b" * 2000 + b"\r\n\r\n", 431),
        (b"GET /" + b"a" * 2001 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
        (b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 1001\r\n\r\n" + b"a" * 1001, 413),
    ],
)  # fmt: skip
def test_what_breaks_a_parser_is_refused_and_never_passed(play, raw, expected):
    async def scene(one: Play) -> None:
        one.reply = OK
        reader, writer = await one.line()
        writer.write(raw)
        got = await reader.read()
        assert status(got) == expected
        assert b"connection: close" in got
        writer.close()
        assert status(await one.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")) == 200

    done = play(scene)
    assert [m.target for m in done.seen] == [b"/"]
    assert done.events == [("door.refused", {"status": expected})]


def test_a_head_that_never_ends_is_bounded(play):
    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        writer.write(b"GET / HTTP/1.1\r\na: ")
        with contextlib.suppress(OSError, RuntimeError):  # it is closed from the other side
            while True:
                writer.write(b"b" * 500)
                await writer.drain()
                await asyncio.sleep(0)
        with contextlib.suppress(OSError):
            assert status(await reader.read()) in {431, 0}
        writer.close()

    assert ("door.refused", {"status": 431}) in play(scene).events


def test_bodies_under_way_are_bounded_together(play):
    async def scene(one: Play) -> None:
        lines = [await one.line() for _ in range(2)]
        for _, writer in lines:
            writer.write(
                b"POST / HTTP/1.1\r\n" + HOST + b"Content-Length: 900\r\n\r\n" + b"a" * 899
            )
        done, _ = await asyncio.wait(
            [asyncio.ensure_future(reader.read(12)) for reader, _ in lines],
            return_when=asyncio.FIRST_COMPLETED,
        )
        assert {one.result() for one in done} == {b"HTTP/1.1 503"}
        for _, writer in lines:
            writer.close()

    play(scene)


def test_whoever_stops_within_a_message_is_ended_and_the_idle_never(play):
    async def scene(one: Play) -> None:
        idle, idle_writer = await one.line()
        asked, asked_writer = await one.line()
        asked_writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(await answer_of(asked)) == 403
        slow, slow_writer = await one.line()
        slow_writer.write(b"GET / HTTP/1.1\r\nA")
        after, after_writer = await one.line()
        after_writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\nGET")
        assert status(await answer_of(after)) == 403

        for reader in (slow, after):
            with contextlib.suppress(ConnectionResetError):
                assert await reader.read() == b""

        for reader, writer in ((idle, idle_writer), (asked, asked_writer)):
            writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert status(await answer_of(reader)) == 403
        for writer in (idle_writer, asked_writer, slow_writer, after_writer):
            writer.close()

    assert play(scene).events == [("door.slow", {})] * 2


def test_a_message_byte_by_byte_does_not_hold_a_line_for_long(play):
    async def scene(one: Play) -> None:
        reader, writer = await one.line()
        ended = asyncio.ensure_future(reader.read())
        writer.write(b"GET / HTTP/1.1\r\nA: ")
        while not ended.done():
            writer.write(b"b")
            await asyncio.wait([ended], timeout=0.05)
        with contextlib.suppress(ConnectionResetError):
            ended.result()
        writer.close()

    assert play(scene).events == [("door.slow", {})]


def test_whoever_takes_no_answers_is_ended(play):
    async def scene(one: Play) -> None:
        one.reply = Reply(status=403, body=b"x" * 1_000_000)
        reader, writer = await one.line()
        reader._transport.pause_reading()
        writer.write(b"".join(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n" for _ in range(20)))
        while ("door.slow", {}) not in one.events:
            await asyncio.sleep(0.02)
        writer.close()

    play(scene)


def test_answers_that_are_taken_late_are_given(play):
    async def scene(one: Play) -> None:
        one.reply = Reply(status=403, body=b"x" * 1_000_000)
        reader, writer = await one.line()
        writer.write(b"".join(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n" for _ in range(5)))
        for _ in range(5):
            assert status(await answer_of(reader)) == 403
        writer.close()

    assert play(scene).events == []


def test_there_is_room_for_so_many(play):
    async def scene(one: Play) -> None:
        lines = [await one.line() for _ in range(LIMITS.connections)]
        for reader, writer in lines:
            writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
            assert status(await answer_of(reader)) == 403
        assert await one.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") == b""
        for _, writer in lines:
            writer.close()
        while one.door.lines:
            await asyncio.sleep(0.01)
        assert status(await one.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")) == 403

    assert ("door.full", {"connections": 20}) in play(scene).events


def test_strangers_are_gone_before_they_say_a_word(play, monkeypatch):
    stranger = Peer(pid=1, uid=os.geteuid() + 1, groups=frozenset({2**31}))
    monkeypatch.setattr(sockets, "peer_of", lambda _: stranger)

    async def scene(one: Play) -> None:
        assert await one.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") == b""

    done = play(scene)
    assert done.seen == []
    assert done.events == [("door.stranger", {"uid": stranger.uid, "pid": 1})]


def test_a_peer_that_cannot_be_told_is_a_stranger(play, monkeypatch):
    def fail(_):
        raise OSError("no")

    monkeypatch.setattr(sockets, "peer_of", fail)

    async def scene(one: Play) -> None:
        assert await one.ask(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n") == b""

    assert play(scene).events == [("door.unknown", {"because": "no"})]


def test_closing_answers_what_is_on_its_way_and_says_so(play):
    async def scene(one: Play) -> None:
        idle, idle_writer = await one.line()
        busy, busy_writer = await one.line()
        busy_writer.write(b"GET / HTTP/1.1\r\n")
        idle_writer.write(b"GET / HTTP/1.1\r\n" + HOST + b"\r\n")
        assert status(await answer_of(idle)) == 403
        async with asyncio.TaskGroup() as group:
            group.create_task(one.door.close())
            while one.door.path.exists():
                await asyncio.sleep(0)
            busy_writer.write(HOST + b"\r\n")
            assert (await busy.read()).endswith(b"connection: close\r\n\r\nno")
            assert await idle.read() == b""
        idle_writer.close()
        busy_writer.close()

    play(scene)


def test_closing_does_not_wait_for_ever(play):
    async def scene(one: Play) -> None:
        _, writer = await one.line()
        writer.write(b"GET / HTTP/1.1\r\n")
        while not one.door.lines:
            await asyncio.sleep(0.01)
        await one.door.close(timedelta(seconds=0.7))
        writer.close()

    play(scene, Limits())


def test_a_door_that_was_never_opened_closes(tmp_path):
    door = Door(tmp_path / "d.sock", lambda _: OK, lambda *_: None)

    asyncio.run(door.close())

    assert door.limits == Limits()


def test_garbage_never_passes_and_never_stops_the_door(play):
    rng = random.Random(1)
    good = b"POST /a HTTP/1.1\r\n" + HOST + b"X: y\r\nContent-Length: 3\r\n\r\nabc"

    def garbage() -> bytes:
        raw = bytearray(good * rng.randint(1, 3))
        for _ in range(rng.randint(1, 8)):
            raw[rng.randrange(len(raw))] = rng.randrange(256)
        return bytes(raw) if rng.random() < 0.8 else rng.randbytes(rng.randint(1, 400))

    async def scene(one: Play) -> None:
        for _ in range(400):
            reader, writer = await one.line()
            writer.write(garbage())
            writer.write_eof()
            with contextlib.suppress(OSError):
                got = await reader.read()
                assert got == b"" or re.match(rb"HTTP/1\.1 (403|4\d\d) ", got)
            writer.close()
        assert status(await one.ask(good)) == 403

    play(scene, Limits(connections=4096))


def test_an_answer_that_must_be_waited_for(play):
    async def scene(door):
        reader, writer = await door.line()
        door.reply = asyncio.get_running_loop().create_future()
        writer.write(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")
        while not door.seen:
            await asyncio.sleep(0.001)
        closing = asyncio.ensure_future(door.door.close())  # what is under way is answered
        await asyncio.sleep(0.01)
        door.reply.set_result(Reply(status=429, body=b"no"))
        answer = await answer_of(reader)
        assert status(answer) == 429
        assert b"connection: close" in answer
        writer.close()
        await closing

    play(scene)


@pytest.mark.parametrize("how", ["fails", "is cancelled"])
def test_an_answer_that_never_comes_is_a_refusal(play, how):
    async def scene(door):
        door.reply = asyncio.get_running_loop().create_future()
        if how == "fails":
            door.reply.set_exception(OSError("gone"))
        else:
            door.reply.cancel()
        assert status(await door.ask(b"GET /a HTTP/1.1\r\n" + HOST + b"\r\n")) == 503

    play(scene)


def test_nothing_else_is_answered_while_one_is_waited_for(play):
    async def scene(door):
        door.reply = asyncio.get_running_loop().create_future()
        two = b"GET /a HTTP/1.1\r\n" + HOST + b"\r\nGET /b HTTP/1.1\r\n" + HOST + b"\r\n"
        assert status(await door.ask(two)) == 400
        assert [message.target for message in door.seen] == [b"/a"]
        door.reply.set_result(OK)

    play(scene)
