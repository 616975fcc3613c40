"""Honest systems whose operators declare something else: nothing of the edge or guard fails."""

from typing import Any

import msgspec
import pytest

from liars.liar import Liar
from liars.matrix import examine
from troth.catalogue import CATALOGUE, Settings, declared
from troth.kernel.model import Verdict

SLUGS = {promise.slug for promise in CATALOGUE if promise.area in ("edge", "guard")}
# What a grader counts is less where the operator turns less on: that is no lie, but no A+ either.
GRADES = {"headers-grade-a", "tls-grade-a-plus"}


def with_edge(**changes: dict[str, Any]):
    def change(settings: Settings) -> Settings:
        edge = msgspec.to_builtins(settings.edge)
        for name, value in changes.items():
            edge[name] = edge[name] | value if isinstance(value, dict) else value
        return msgspec.structs.replace(settings, edge=msgspec.convert(edge, type(settings.edge)))

    return change


OTHERWISE = {
    "a policy on trial": with_edge(csp={"mode": "report-only", "policy": ""}),
    "no policy": with_edge(csp={"mode": "off"}),
    "framed by itself": with_edge(headers={"frame_ancestors": "self"}),
    "the application is not isolated": with_edge(
        headers={"cross_origin_opener_policy": False, "cross_origin_resource_policy": False}
    ),
    "nobody may read": with_edge(cors={"origins": [], "credentials": False}),
    "somebody may read without credentials": with_edge(cors={"credentials": False}),
    "an origin that looks like ours is named": with_edge(
        cors={"origins": ["https://sub.demo.localhost", "https://partner.example:8443"]}
    ),
    "scripts read one cookie": with_edge(cookies={"readable": ["ru*"]}),
    "HTTPS for five minutes": with_edge(hsts={"max_age_s": 300, "include_subdomains": False}),
    "HTTP/3 is offered": with_edge(http3=True),
    "a stricter referrer policy": with_edge(headers={"referrer_policy": "same-origin"}),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_declared_is_what_is_judged(place, name):
    liar = Liar("", name, declared=OTHERWISE[name])

    with place.up(liar) as system:
        verdicts = examine(system, liar, slugs=SLUGS - GRADES)

    assert verdicts.having(Verdict.FAIL) == set(), [
        verdicts.reasons(slug) for slug in verdicts.having(Verdict.FAIL)
    ]
    assert verdicts.having(Verdict.ERROR) == set()
    assert len(verdicts.seen) > 10


def test_what_is_not_declared_does_not_apply(place):
    def not_applicable(name: str) -> set[str]:
        promises = declared(OTHERWISE[name](place.settings))
        return {promise.slug for promise in promises if promise.not_applicable_because}

    assert "csp" in not_applicable("no policy")
    assert "hsts-long-lifetime" in not_applicable("HTTPS for five minutes")
    assert "csp" not in not_applicable("a policy on trial")


def test_a_referrer_policy_that_leaks_is_told_though_it_is_declared(place):
    leaky = with_edge(headers={"referrer_policy": "origin-when-cross-origin"})
    liar = Liar("referrer-policy", "declared so", declared=leaky)

    with place.up(liar) as system:
        verdicts = examine(system, liar, slugs={"referrer-policy"})

    assert verdicts.having(Verdict.FAIL) == {"referrer-policy"}
