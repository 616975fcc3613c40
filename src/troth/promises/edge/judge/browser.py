"""Judges of what a real browser did; the attack must work where nothing hinders it."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.edge.judge.facts import OK, rate
from troth.promises.edge.settings import EdgeSettings
from troth.promises.judging import Unseen, judging, shaped

# The attacker's own: an inline script, one from another site, and an event handler.
PLANTED = frozenset({"inline", "far", "handler"})
PLAIN = frozenset({"plain", "page.html"})
OWN = "own"


class Planted(Struct, frozen=True):
    """One visit.

    Args:
        ran: the planted scripts that ran.
        allowed_ran: whether the script that the policy names ran, where it is a file.
        reported: statuses of the answers to violation reports.
    """

    ran: list[str]
    allowed_ran: bool
    reported: list[int]


class Csp(Struct, frozen=True):
    """What the drill of the policy brings.

    Args:
        own: the page under its policy.
        bare: the same page without one: the control.
        allowed: how the policy names a script that may run; empty where it names none.
    """

    own: Planted
    bare: Planted
    allowed: str


@judging
def csp(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """No planted script runs, the allowed one does, and the violation is reported.

    On trial (report-only) nothing is stopped, and the report alone is demanded.
    """
    seen = shaped(facts, Csp)
    if not set(seen.bare.ran) >= PLANTED:
        raise Unseen("the planted scripts did not run where there is no policy")
    ran = PLANTED & set(seen.own.ran)
    is_enforced = settings.csp.mode == "enforced"
    if ran and is_enforced:
        return Judgement(Verdict.FAIL, f"{len(ran)} of {len(PLANTED)} planted scripts ran")
    if seen.allowed and is_enforced and not (seen.own.allowed_ran or OWN in seen.own.ran):
        raise Unseen("the script that the policy names did not run")
    if not any(status in OK for status in seen.own.reported):
        return Judgement(Verdict.FAIL, "no violation report arrived")
    said = "were stopped" if is_enforced else "ran, on trial,"
    return Judgement(Verdict.PASS, f"{len(PLANTED)} planted scripts {said} and reported")


class Disguised(Struct, frozen=True):
    """What the drill of types brings; `disguised` names the files that may not run."""

    ran: list[str]
    disguised: list[str]


@judging
def nosniff(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """No disguised file runs; a plain script and a plain page do."""
    seen = shaped(facts, Disguised)
    if not set(seen.ran) >= PLAIN:
        raise Unseen("a plain script or a plain page did not run")
    return rate(
        len(set(seen.ran) - PLAIN),
        len(seen.disguised),
        "disguised files were executed",
        "disguised files were not executed",
    )


class Framed(Struct, frozen=True):
    """What the drill of frames brings: how many routes were framed, and how many refused to be."""

    routes: int
    framed: int
    refused: int
    control: bool


@judging
def clickjacking(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """Every route refuses a foreign frame; a page that allows it is framed."""
    seen = shaped(facts, Framed)
    if not seen.control:
        raise Unseen("a page that may be framed was not")
    if seen.framed <= 0 and seen.refused < seen.routes:
        raise Unseen("a route was neither framed nor refused")
    return rate(
        seen.framed,
        seen.routes,
        "routes were framed by a foreign page",
        "routes refused to be framed by a foreign page",
    )


class Referred(Struct, frozen=True):
    """What the drill of referrers brings: what each sink was told, once for each request."""

    origin: str
    page: str
    foreign: list[str]
    plain: list[str]
    control: list[str]


@judging
def referrer(facts: Mapping[str, Any], _settings: EdgeSettings) -> Judgement:
    """A foreign site hears the origin at most, a plain one nothing; without a policy, all."""
    seen = shaped(facts, Referred)
    if not seen.page or not any(told == seen.page for told in seen.control):
        raise Unseen("the address did not reach the sink where nothing hinders it")
    if not seen.foreign or not seen.plain:
        raise Unseen("a click led nowhere")
    bad = sum(told not in {"", seen.origin} for told in seen.foreign) + sum(map(bool, seen.plain))
    return rate(
        bad,
        len(seen.foreign) + len(seen.plain),
        "clicks told more than they may",
        "clicks told a foreign site the origin at most",
    )


class Read(Struct, frozen=True):
    """What the drill of cookies brings: names kept by the browser, and those a script can read."""

    kept: list[str]
    readable: list[str]
    control: bool


@judging
def cookies(facts: Mapping[str, Any], settings: EdgeSettings) -> Judgement:
    """No script reads a cookie but those that the operator names; it does read the control."""
    seen = shaped(facts, Read)
    if not seen.control:
        raise Unseen("a script could not read a cookie of its own")
    if not seen.kept:
        raise Unseen("the browser kept no cookie of the application")
    bad = set(seen.readable) - set(settings.cookies.readable)
    return rate(
        len(bad),
        len(seen.kept),
        "cookies can be read by a script",
        "cookies are kept from scripts",
    )
