"""An Envoy of the test's own: how it starts, fails to start, and ends."""

import os
import socket
import time
from dataclasses import replace
from datetime import timedelta

import pytest

from troth.enforce.envoy import compile_edge
from troth.engines.envoy import binary, server
from troth.engines.envoy.errors import EnvoyError
from troth.engines.envoy.resources import bootstrap


@pytest.fixture
def start(open_place, edge_plan, request):
    """Start an Envoy in a folder of its own, with other ports."""
    folder = open_place / f"server-{os.getpid()}-{time.monotonic_ns()}"
    folder.mkdir()

    def begin(program=None, **changes):
        plan = replace(edge_plan, **{"port": 0, "http_port": 0, **changes})
        first = bootstrap(folder, folder / "admin.sock", max_connections=10)
        running = server.start(
            program or binary.locate(), folder, first, compile_edge(plan, ()), workers=1
        )
        request.addfinalizer(running.stop)
        return running

    begin.folder = folder
    return begin


def test_ready_when_it_returns(start):
    running = start(addresses=("127.0.0.1", "127.0.0.2"))

    assert running.admin.is_ready()
    places = running.admin.listeners()
    assert len(places) == 4
    for place in places:
        address, _, port = place.rpartition(":")
        socket.create_connection((address, int(port)), timeout=20).close()


def test_ends_cleanly_and_leaves_no_socket(start):
    running = start()

    assert running.stop() == 0
    assert not running.admin.socket.exists()
    assert not running.admin.is_ready()


def test_a_leftover_socket_is_no_obstacle(start):
    (start.folder / "admin.sock").write_text("left over")

    assert start().admin.is_ready()


def test_a_taken_port_is_one_line(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.3", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(EnvoyError) as caught:
            start(addresses=("127.0.0.3",), http_port=port)

    assert caught.value.hint() == (
        f"127.0.0.3:{port}: the port is taken by another program "
        "(stop it, or set another [edge] port or http_port)"
    )
    assert not (start.folder / "admin.sock").exists()


def test_a_program_that_ends_at_once_is_told(start):
    with pytest.raises(EnvoyError, match="ended at once"):
        start("/bin/false")


def test_connections_are_bounded(start):
    running = start()  # with room for 10
    address, _, port = running.admin.listeners()[0].rpartition(":")
    refused = r"^listener.*downstream_global_cx_overflow$"
    doors = [socket.create_connection((address, int(port)), timeout=20) for _ in range(12)]

    deadline = time.monotonic() + 20
    while not sum(running.admin.stats(refused).values()):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    for door in doors:
        door.close()


def test_drain(start):
    running = start()
    running.admin.drain()
    assert running.admin.is_ready()
    running.admin.quit()
    assert running.child.wait(timedelta(seconds=20)) == 0


def test_admin_questions(start):
    admin = start().admin

    stats = admin.stats(r"^listener_manager\.total_listeners_active$")
    assert stats == {"listener_manager.total_listeners_active": 2}
    assert admin.certificates()["certificates"]
    assert admin.rejected() == ""


def test_nobody_answers(start, open_place):
    admin = server.Admin(open_place / "nobody.sock")

    assert not admin.is_ready()
    with pytest.raises(EnvoyError, match="is the edge running"):
        admin.stats("x")
