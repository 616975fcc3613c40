"""The judge of open ports."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.edge.judge.ports import EVERY_PORT, only_declared

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR


def facts(ports=(), **changes):
    found = [(443, "ours"), (80, "ours"), *ports]
    return {
        "swept": EVERY_PORT,
        "is_shared": False,
        "declared": [80, 443],
        "public": 443,
        "open": [{"port": port, "owner": owner} for port, owner in found],
        "listening": [80, 443],
        "quic": False,
        "has_books": True,
    } | changes


def judged(seen, settings, **given):
    return only_declared(seen, settings(**given)).verdict


def test_the_declared_ports_and_no_other(settings):
    assert judged(facts(), settings) is PASS
    assert judged(facts(has_books=False, listening=[]), settings) is PASS


@pytest.mark.parametrize("owner", ["ours", "foreign", "unknown"])
def test_on_an_address_of_its_own_every_port_counts(owner, settings):
    assert judged(facts([(8000, owner)]), settings) is FAIL


@pytest.mark.parametrize(
    ("owner", "verdict"), [("ours", FAIL), ("foreign", PASS), ("unknown", ERROR)]
)
def test_on_a_shared_address_ours_count(owner, verdict, settings):
    assert judged(facts([(8000, owner)], is_shared=True), settings) is verdict


def test_what_a_firewall_hides_is_in_the_books(settings):
    assert judged(facts(listening=[80, 443, 5432]), settings) is FAIL


def test_quic_only_where_it_is_declared(settings):
    assert judged(facts(quic=True), settings) is FAIL
    assert judged(facts(quic=True), settings, http3=True) is PASS


@pytest.mark.parametrize(
    "changes",
    [
        {"swept": EVERY_PORT - 1},
        {"public": 8443},
        {"open": [{"port": 80, "owner": "ours"}]},
        {"listening": [80]},
        {"is_shared": True, "has_books": False},
    ],
)
def test_without_a_control_nothing_is_said(changes, settings):
    assert judged(facts(**changes), settings) is ERROR
