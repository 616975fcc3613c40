"""The connection manager's options: whose word counts."""

import json
import re
import time
from dataclasses import replace

import pytest

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


def lines(edge, count):
    log, found, deadline = edge.folder / "access.log", [], time.monotonic() + 30
    while len(found) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
        edge.server.admin.reopen_logs()  # writes what is held back
        found = [json.loads(line) for line in log.read_text().splitlines()]
        found = [line for line in found if "mark-of-cards" in json.dumps(line)]
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
