"""Whose a listening port is, by the machine's own books."""

import os
import socket
import subprocess
import sys

import pytest

from troth.adapters import inventory, tcp

PROGRAM = """\
import socket, sys
door = socket.create_server(("127.0.0.1", 0))
print(door.getsockname()[1], flush=True)
sys.stdin.read()
"""
PARENT = """\
import subprocess, sys
subprocess.run([sys.executable, "-c", sys.argv[1]])
"""


@pytest.fixture
def listener():
    """Starts a program that listens; gives its pid and port."""
    children = []

    def start(*argv: str) -> tuple[int, int]:
        child = subprocess.Popen(
            [sys.executable, "-c", *argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        children.append(child)
        assert child.stdout is not None
        return child.pid, int(child.stdout.readline())

    yield start
    for child in children:
        child.communicate()


def owner_of(port: int) -> inventory.Owner:
    (found,) = [each for each in inventory.books().owners if each.port == port]
    return found


def test_a_port_has_the_process_that_holds_it(listener):
    pid, port = listener(PROGRAM)

    assert owner_of(port) == inventory.Owner(port, is_loopback=True, pids=frozenset({pid}))


def test_what_is_reached_from_elsewhere_is_told_apart():
    with socket.create_server(("0.0.0.0", 0)) as door:
        assert not owner_of(door.getsockname()[1]).is_loopback
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as door:
        assert owner_of(door.getsockname()[1]).is_loopback


def test_a_family_are_the_marked_and_their_children(listener):
    mark = f"mark-of-{os.getpid()}-family"
    pid, port = listener(PARENT, PROGRAM, mark)
    stranger, _ = listener(PROGRAM)

    family = inventory.family(mark)

    assert pid in family
    assert owner_of(port).pids <= family
    assert pid not in owner_of(port).pids  # its child holds it
    assert stranger not in family
    assert os.getpid() not in family


def test_processes_that_do_not_let_us_look_are_named(monkeypatch):
    scandir = os.scandir

    def refused(path):
        if str(path) == f"/proc/{os.getpid()}/fd":
            raise PermissionError
        return scandir(path)

    monkeypatch.setattr(inventory.os, "scandir", refused)

    assert os.getpid() in inventory.books().closed


def test_without_books_nothing_is_known(monkeypatch, tmp_path):
    monkeypatch.setattr(inventory, "_PROC", tmp_path / "none")

    with pytest.raises(tcp.TcpError):
        inventory.family("x")


def test_a_socket_that_others_may_connect_to(tmp_path):
    place = tmp_path / "s"
    with socket.socket(socket.AF_UNIX) as door:
        door.bind(str(place))
        place.chmod(0o660)
        assert not inventory.is_open_to_others(str(place))
        place.chmod(0o666)
        tmp_path.chmod(0o700)
        assert not inventory.is_open_to_others(str(place)), "its folder is closed"
        tmp_path.chmod(0o711)
        above = [folder for folder in tmp_path.parents if not folder.stat().st_mode & 0o001]
        assert inventory.is_open_to_others(str(place)) is not bool(above)
    with pytest.raises(FileNotFoundError):
        inventory.is_open_to_others(str(tmp_path / "nothing"))


def test_here_is_the_loopback():
    assert inventory.is_here("localhost")
    assert not inventory.is_here("192.0.2.1")
