"""Inner listeners: taken over without a gap, and only for friends."""

import contextlib
import os
import socket
import stat
import threading
from pathlib import Path

import pytest

from troth.adapters.sockets import (
    Peer,
    SocketError,
    ask,
    is_free,
    is_friend,
    listen_unix,
    peer_of,
)


def connect(path: Path) -> socket.socket:
    door = socket.socket(socket.AF_UNIX)
    door.settimeout(5)
    door.connect(str(path))
    return door


@pytest.fixture
def path(tmp_path):
    return tmp_path / "a.sock"


def test_a_listener_has_its_mode_and_leaves_nothing_behind(path):
    listener = listen_unix(path)

    assert stat.S_IMODE(path.stat().st_mode) == 0o660
    assert [item.name for item in path.parent.iterdir()] == ["a.sock"]
    connect(path).close()
    listener.unlink()
    assert not path.exists()
    listener.unlink()
    listener.door.close()


def test_the_second_takes_over_and_the_first_does_not_take_it_away(path):
    first, second = listen_unix(path), listen_unix(path)

    connect(path).close()
    first.unlink()

    second.door.accept()[0].close()
    connect(path).close()
    second.unlink()
    assert not path.exists()
    first.door.close()
    second.door.close()


def test_there_is_no_moment_without_a_listener(path):
    listeners = [listen_unix(path)]
    stop, failed = threading.Event(), []

    def knock() -> None:
        while not stop.is_set():
            try:
                connect(path).close()
            except OSError as error:
                failed.append(error)

    visitor = threading.Thread(target=knock)
    visitor.start()
    listeners += [listen_unix(path) for _ in range(50)]
    stop.set()
    visitor.join()
    for listener in listeners:
        listener.door.close()

    assert failed == []


def test_a_path_that_is_too_long_says_what_to_do(tmp_path):
    with pytest.raises(SocketError, match="shorter data directory"):
        listen_unix(tmp_path / ("x" * 110))


def test_a_folder_that_is_not_there_is_named(tmp_path):
    with pytest.raises(SocketError, match="cannot listen"):
        listen_unix(tmp_path / "no" / "a.sock")


def test_the_peer_is_who_connected(path):
    listener = listen_unix(path)
    client = connect(path)
    server, _ = listener.door.accept()

    peer = peer_of(server)

    assert (peer.pid, peer.uid) == (os.getpid(), os.geteuid())
    assert peer.groups >= {os.getegid(), *os.getgroups()}
    for door in (client, server, listener.door):
        door.close()
    with pytest.raises(OSError, match="Bad file"):
        peer_of(server)


@pytest.mark.parametrize(
    ("uid", "groups", "expected"),
    [
        (0, set(), True),
        (1000, set(), True),
        (1001, {2000}, True),
        (1001, {2001, 2000}, True),
        (1001, {2001}, False),
        (1001, set(), False),
    ],
)
def test_friends_are_root_ourselves_and_our_group(uid, groups, expected):
    peer = Peer(pid=1, uid=uid, groups=frozenset(groups))

    assert is_friend(peer, uid=1000, group=2000) is expected


def test_a_port_that_is_taken_is_not_free():
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert not is_free("127.0.0.1", port)
    assert is_free("127.0.0.1", port)


def test_a_question_and_its_answer(tmp_path):
    listener = listen_unix(tmp_path / "s")

    def answer() -> None:
        for reply in (b"pong\n", b"cut", b"x" * 200_000 + b"\n"):
            door, _ = listener.door.accept()
            # The last asker hangs up at its limit, before or after all of it was sent.
            with door, contextlib.suppress(BrokenPipeError, ConnectionResetError):
                door.recv(100)
                door.sendall(reply)

    listener.door.setblocking(True)
    listener.door.settimeout(10)
    thread = threading.Thread(target=answer)
    thread.start()
    try:
        assert ask(listener.path, b"ping") == b"pong"
        with pytest.raises(SocketError, match="cut off"):
            ask(listener.path, b"ping")
        with pytest.raises(SocketError, match="s: "):
            ask(listener.path, b"ping", limit_bytes=1000)
    finally:
        thread.join(15)
        listener.door.close()
    with pytest.raises(SocketError, match="cannot be asked"):
        ask(listener.path, b"ping", timeout_s=2)
