"""Whose each port is."""

import os
import socket

import pytest

from troth.adapters import inventory
from troth.promises.edge.probe import ports
from troth.promises.edge.settings import EdgeSettings


@pytest.fixture
def door():
    with socket.create_server(("127.0.0.1", 0)) as made:
        yield made.getsockname()[1]


def test_ours_and_others(played, door, monkeypatch, tmp_path):
    monkeypatch.setattr(ports.inventory, "family", lambda _: frozenset({os.getpid()}))
    owned, listening = ports._books(played(data=tmp_path))
    assert owned[door] == "ours"
    assert door in listening

    monkeypatch.setattr(ports.inventory, "family", lambda _: frozenset())
    owned, listening = ports._books(played(data=tmp_path))
    assert owned[door] == "foreign"
    assert not listening


def test_what_only_this_machine_reaches_is_not_listening_for_others(
    played, door, monkeypatch, tmp_path
):
    monkeypatch.setattr(ports.inventory, "family", lambda _: frozenset({os.getpid()}))

    owned, listening = ports._books(played(data=tmp_path, is_on_loopback=False))

    assert owned[door] == "ours"
    assert door not in listening


def test_a_process_of_ours_that_hides_what_it_holds_leaves_others_unknown(
    played, door, monkeypatch, tmp_path
):
    true_books = inventory.books()
    monkeypatch.setattr(ports.inventory, "family", lambda _: frozenset({1}))
    hidden = inventory.Books(true_books.owners, frozenset({1}))
    monkeypatch.setattr(ports.inventory, "books", lambda: hidden)

    owned, _ = ports._books(played(data=tmp_path))

    assert owned[door] == "unknown"


def test_from_elsewhere_there_are_no_books(played):
    assert ports._books(played()) == ({}, set())


def test_each_address_is_swept_and_has_its_control(played, monkeypatch, tmp_path):
    asked = []

    def sweep(address, wanted, **_):
        asked.append((address, len(wanted)))
        found = {443: ports.tcp.Reach.OPEN, 25: ports.tcp.Reach.REFUSED}
        if address == "2001:db8::1":
            found[25] = ports.tcp.Reach.OPEN
        return {port: reach for port, reach in found.items() if port in wanted}

    monkeypatch.setattr(ports.tcp, "resolve", lambda _: ("192.0.2.1", "2001:db8::1"))
    monkeypatch.setattr(ports.tcp, "sweep", sweep)
    monkeypatch.setattr(ports.tcp, "datagram", lambda *_, **__: b"")

    facts = ports.sweep(played(is_on_loopback=False), EdgeSettings()).facts

    assert [port["port"] for port in facts["open"]] == [25, 443]
    assert (facts["swept"], facts["addresses"], facts["has_books"]) == (65_535, 2, False)
    assert asked == [
        ("192.0.2.1", 65_535),
        ("192.0.2.1", 1),
        ("2001:db8::1", 65_535),
        ("2001:db8::1", 2),
    ]


def test_an_address_without_its_control_was_not_swept(played, monkeypatch):
    monkeypatch.setattr(ports.tcp, "resolve", lambda _: ("192.0.2.1", "192.0.2.2"))
    monkeypatch.setattr(
        ports.tcp,
        "sweep",
        lambda address, wanted, **_: {
            443: ports.tcp.Reach.OPEN if address == "192.0.2.1" else ports.tcp.Reach.SILENT
        },
    )
    monkeypatch.setattr(ports.tcp, "datagram", lambda *_, **__: b"")

    assert ports.sweep(played(is_on_loopback=False), EdgeSettings()).facts["swept"] == 0
