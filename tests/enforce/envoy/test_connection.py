"""The connection manager's options: whose word counts."""

import re
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
