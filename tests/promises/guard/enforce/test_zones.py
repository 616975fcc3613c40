"""Zones: routes for some networks only."""

from datetime import UTC, datetime

import msgspec
import pytest

from troth.kernel.request import FINE, Known, Request
from troth.promises.guard.enforce.zones import gates
from troth.promises.guard.rules.canary import CANARY_ADDRESS
from troth.promises.guard.settings.addresses import Zones

KNOWN = Known(now=datetime(2026, 1, 1, tzinfo=UTC))
NAMED = [
    {"name": "office", "networks": ["192.0.2.0/24", "2001:db8::/32"]},
    {"name": "guests", "networks": ["192.0.2.128/25"]},
]


def said(rules, target, client, method=b"GET"):
    _, gate = gates(msgspec.convert({"named": NAMED, "rules": rules}, Zones), "/-/")
    opinion = gate(
        Request(method=method, target=target, host=b"a", headers=(), client=client), KNOWN
    )
    if opinion is FINE:
        return ""
    assert (opinion.refusal.slug, opinion.refusal.status) == ("ip-filtering", 403)
    return opinion.refusal.code


ADMIN = [{"path": "/admin", "allow": ["office"], "deny": ["guests"]}]


@pytest.mark.parametrize(
    "target",
    [b"/admin", b"/ADMIN/users?x", b"//admin", b"/%61dmin", b"/x/../admin", b"/admin;v=1/x",
     b"/%2561dmin", b"/x\\..\\admin"],
)  # fmt: skip
def test_a_route_for_a_zone_however_it_is_spelled(target):
    assert said(ADMIN, target, "198.51.100.1") == "not-allowed"
    assert said(ADMIN, target, "") == "not-allowed"
    assert said(ADMIN, target, "192.0.2.1") == ""
    assert said(ADMIN, target, "2001:db8::1") == ""
    assert said(ADMIN, target, "192.0.2.200") == "denied"


def test_other_routes_are_for_everybody():
    assert said(ADMIN, b"/administration", "198.51.100.1") == ""
    assert said(ADMIN, b"/", "198.51.100.1") == ""


def test_every_rule_that_fits_must_let_pass():
    rules = [{"allow": ["office"]}, {"path": "/write", "methods": ["POST"], "deny": ["guests"]}]

    assert said(rules, b"/a", "198.51.100.1") == "not-allowed"
    assert said(rules, b"/write", "192.0.2.200") == ""
    assert said(rules, b"/write", "192.0.2.200", b"POST") == "denied"


def test_without_rules_only_the_canarys_route_is_shut():
    (gate,) = gates(Zones(), "/-/")

    def code(target, client):
        asked = Request(method=b"GET", target=target, host=b"a", headers=(), client=client)
        refusal = gate(asked, KNOWN).refusal
        return refusal.code if refusal else ""

    assert code(b"/", "192.0.2.1") == ""
    assert code(b"/-/sink", "192.0.2.1") == ""
    assert code(b"/-/sink/zone?x", "192.0.2.1") == "not-allowed"
    assert code(b"/-/sink/zone", CANARY_ADDRESS) == ""


@pytest.mark.parametrize(
    "wrong", [{"rules": [{"allow": ["nowhere"]}]}, {"named": [NAMED[0], NAMED[0]]}]
)
def test_names_are_checked(wrong):
    with pytest.raises(msgspec.ValidationError, match="zone"):
        msgspec.convert(wrong, Zones)
