"""Judges of guessing passwords."""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from troth.kernel.model import Judgement, Verdict
from troth.promises.guard.settings import GuardSettings
from troth.promises.judging import Unseen, judging, shaped

BLOCKED, SLOWED = "ip-block-after-failures", "brute-force-blocking"
SILENT = frozenset({429, 502, 503, 504})  # no word of the application's about a password
Told = tuple[int, str]  # a status, and the promise that refused


class FromOne(Struct, frozen=True):
    """Attempts from one address: `before` the block, the `blocked` one, one `later`; another's."""

    failures: int
    before: list[Told]
    blocked: Told
    later: Told
    other: Told


class Owner(Struct, frozen=True):
    """The canary: its `first` log-in, whether its device `is_known`, then strangers, `again`."""

    first: Told
    is_known: bool
    strangers: list[str]
    again: Told


class Guessing(Struct, frozen=True):
    """Who refused each guess at one account, and with one password; and how the owner fared."""

    distributed: list[str]
    sprayed: list[str]
    statuses: list[int]
    owner: Owner | None


@judging
def blocked(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """After the declared failures the address is kept out, and no other is."""
    _demand(facts)
    seen = shaped(facts, FromOne)
    if any(mark or status in SILENT for status, mark in seen.before):
        raise Unseen("the application did not answer every attempt before the block")
    if seen.other[1]:
        raise Unseen("another address was refused, too")
    if seen.blocked[1] != BLOCKED or seen.later[1] != BLOCKED:
        return Judgement(
            Verdict.FAIL, f"{seen.failures} wrong passwords from one address had no consequence"
        )
    return Judgement(
        Verdict.PASS,
        f"an address was kept out of the login after {seen.failures} wrong passwords, for"
        f" {settings.lockout.block_s // 60} minutes; another was not",
    )


@judging
def slowed(facts: Mapping[str, Any], settings: GuardSettings) -> Judgement:
    """Guessing from many addresses and with one password is stopped; the owner gets in."""
    _demand(facts)
    seen = shaped(facts, Guessing)
    if not seen.statuses or SILENT & set(seen.statuses):
        raise Unseen("the application did not answer every attempt that was let through")
    free = settings.lockout.account_failures
    if SLOWED not in seen.distributed:
        return Judgement(
            Verdict.FAIL, f"{len(seen.distributed)} addresses guessed at one account unhindered"
        )
    if SLOWED not in seen.sprayed:
        return Judgement(
            Verdict.FAIL, f"one password was tried at {len(seen.sprayed)} accounts unhindered"
        )
    told = (
        f"guessing at one account from many addresses was slowed after"
        f" {seen.distributed.index(SLOWED)} attempts (declared: {free}), and one password at many"
        f" accounts after {seen.sprayed.index(SLOWED)}"
    )
    if seen.owner is None:
        return Judgement(Verdict.PASS, told)
    return _with_owner(seen.owner, told)


def _with_owner(owner: Owner, told: str) -> Judgement:
    if owner.first[1] or owner.first[0] in SILENT:
        raise Unseen("the canary could not log in at all")
    if not owner.is_known:
        raise Unseen("the application did not let the canary in")
    if SLOWED not in owner.strangers:
        return Judgement(Verdict.FAIL, "strangers guessed at the canary's account unhindered")
    if owner.again[1]:
        return Judgement(Verdict.FAIL, "guessing by strangers keeps the account's owner out")
    return Judgement(Verdict.PASS, f"{told}; meanwhile the account's owner got in")


def _demand(facts: Mapping[str, Any]) -> None:
    if facts.get("is_elsewhere"):
        raise Unseen("without its key a vantage has no synthetic clients")
    if not facts.get("has_route"):
        raise Unseen("no login route that could be tried is named ([[guard.login]])")
