"""The connection manager's options: whose word counts."""

import json
import re
import socket
import time
from dataclasses import replace

import pytest

from troth.adapters import tls
from troth.enforce.envoy.connection import FORWARDED_BUT_FOR, connection


def options(plan):
    made = connection(plan, "app", routes={}, headers=(), codec="AUTO", filters=[])
    return made["typed_config"]


@pytest.mark.parametrize("name", ["host", "proto", "port", "f", "fo", "user", "foo", "forx"])
def test_behind_a_proxy_all_but_the_addresses_are_forgotten(name):
    is_forgotten = re.fullmatch(FORWARDED_BUT_FOR, f"x-forwarded-{name}") is not None

    assert is_forgotten


def test_behind_a_proxy_its_addresses_stay():
    assert re.fullmatch(FORWARDED_BUT_FOR, "x-forwarded-for") is None


def test_the_access_log_is_left_out_without_a_file(edge_plan):
    assert "access_log" in options(edge_plan)
    assert "access_log" not in options(replace(edge_plan, access_log=""))


def test_proxies_in_front_are_counted(edge_plan):
    assert options(edge_plan)["xff_num_trusted_hops"] == 0


def lines(edge, count, mark="mark-of-cards"):
    log, found, deadline = edge.folder / "access.log", [], time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
        edge.server.admin.reopen_logs()  # writes what is held back
        found = [json.loads(line) for line in log.read_text().splitlines()]
        found = [line for line in found if mark in json.dumps(line)]
    return found


def test_the_access_log_holds_no_card_number(edge):
    mark = {"User-Agent": "mark-of-cards"}
    for path, agent in (
        ("/pay/4111111111111111", mark),
        ("/pay/4111%201111%201111%201111", mark),
        ("/mark-of-cards/378282246310005", mark),
        ("/mark-of-cards", {"User-Agent": "n 3782-822463-10005"}),
        ("/mark-of-cards", {"User-Agent": "caf\xe9 378282246310005 \xff"}),
        ("/mark-of-cards/query?of=378282246310005", {"User-Agent": "plain"}),
        ("/mark-of-cards/2026-11-21", {"User-Agent": "Mozilla/5.0 (X11; Linux) Chrome/120.0.0.0"}),
        ("/mark-of-cards/none", {"User-Agent": ""}),
    ):
        edge.ask(path, headers=agent)

    found = [(line["path"], line["agent"]) for line in lines(edge, 8)]
    assert found == [
        ("***", "mark-of-cards"),
        ("***", "mark-of-cards"),
        ("***", "mark-of-cards"),
        ("/mark-of-cards", "***"),
        ("/mark-of-cards", "***"),
        ("/mark-of-cards/query", "plain"),
        ("/mark-of-cards/2026-11-21", "Mozilla/5.0 (X11; Linux) Chrome/120.0.0.0"),
        ("/mark-of-cards/none", found[-1][1]),
    ]
    assert not found[-1][1]


def test_a_request_is_logged_once_though_it_names_no_agent(edge):
    context = tls.client_context(ca_file=edge.ca_file, alpn=("http/1.1",))
    with (
        socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20) as door,
        context.wrap_socket(door, server_hostname="demo.localhost") as secured,
    ):
        secured.sendall(
            b"GET /mark-of-one/bare HTTP/1.1\r\nHost: demo.localhost\r\n\r\n"
            b"GET /mark-of-one/378282246310005 HTTP/1.1\r\nHost: demo.localhost\r\n"
            b"User-Agent: mark-of-one\r\nConnection: close\r\n\r\n"
        )
        while secured.recv(65536):
            pass

    found = [(line["path"], line["agent"]) for line in lines(edge, 2, "mark-of-one")]
    assert found == [("/mark-of-one/bare", None), ("***", "mark-of-one")]
