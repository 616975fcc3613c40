"""Many slow connections at once."""

import socket
import threading
from contextlib import contextmanager

import pytest

from troth.adapters.crowd import MAX_CROWD, Crowd, gather


@contextmanager
def server(answer):
    with socket.create_server(("127.0.0.1", 0), backlog=64) as door:
        doors = []

        def accept():
            while True:
                try:
                    one, _ = door.accept()
                except OSError:
                    return
                doors.append(one)
                answer(one)

        thread = threading.Thread(target=accept, daemon=True)
        thread.start()
        yield door.getsockname()[1]
        door.shutdown(socket.SHUT_RDWR)
        thread.join(5)
        for one in doors:
            one.close()


def test_who_hangs_up_is_counted():
    with server(lambda door: door.close()) as port:
        met = gather("127.0.0.1", port, (Crowd(name="c", source="127.66.0.1", count=5),), for_s=10)

    assert (met["c"].opened, met["c"].refused, met["c"].ended) == (5, 0, 5)


def test_who_waits_is_not():
    heard = []
    with server(lambda door: heard.append(door.recv(10))) as port:
        crowds = (
            Crowd(name="talks", source="", count=3, opening=b"hello", drip=b"x"),
            Crowd(name="talks too", source="", count=2, opening=b"hello"),
        )
        met = gather("127.0.0.1", port, crowds, for_s=1.5)

    assert heard == [b"hello"] * 5
    assert (met["talks"].opened, met["talks"].ended) == (3, 0)
    assert (met["talks too"].opened, met["talks too"].ended) == (2, 0)


def test_nobody_there():
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    met = gather("127.0.0.1", port, (Crowd(name="c", source="", count=2),), for_s=2)

    assert (met["c"].opened, met["c"].refused) == (0, 2)


@pytest.mark.parametrize(("count", "for_s"), [(0, 1), (MAX_CROWD + 1, 1), (1, 0), (1, 61)])
def test_a_crowd_has_bounds(count, for_s):
    with pytest.raises(ValueError, match="without bounds"):
        gather("127.0.0.1", 1, (Crowd(name="c", source="", count=count),), for_s=for_s)
