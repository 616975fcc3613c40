"""Guesses passwords: of accounts that do not exist, and of the canary's.

Every guess comes from a synthetic client. Names of accounts are made anew at each run and end in
`.invalid` (RFC 2606), so that no person's counter moves.
"""

import time
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import msgspec

from troth.adapters import files, http
from troth.adapters.vantage import Vantage
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.probe.addresses import nonce
from troth.promises.guard.rules.presets import Shape, shape
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.login import LoginRoute

MARK = MARKER.decode()
KNOWN = "__Host-known"
LATER_S = 2.0
HEARD_S = 5.0  # within which the guard has heard of an answer
MAX_SECRET_BYTES = 256
PUBLIC = frozenset({"has_route", "is_elsewhere", "failures", "accounts", "distributed", "sprayed"})


class Guesser:
    """Guesses on one route."""

    def __init__(self, vantage: Vantage, route: LoginRoute) -> None:
        self._vantage, self._route = vantage, route
        self._shape: Shape = shape(route)
        self._count = 0
        self.run = nonce(vantage)

    def client(self, name: str) -> Vantage:
        """A synthetic client of this run."""
        return self._vantage.as_client(f"login.{self.run}.{name}")

    def nobody(self, name: str) -> str:
        """An account that does not exist."""
        return f"{name}-{self.run}@canary.invalid"

    def guess(
        self, client: Vantage, account: str, password: str = "", cookie: str = ""
    ) -> http.Response:
        """One attempt; without a password with one that nobody ever tried."""
        self._count += 1
        password = password or f"wrong-{self.run}-{self._count}"
        fields = {self._shape.account: account, self._shape.password: password}
        kind, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        if self._route.preset == "json":
            kind, body = "application/json", msgspec.json.encode(_nested(fields))
        headers = [("Origin", client.site.app), ("Content-Type", kind)]
        if cookie:
            headers.append(("Cookie", cookie))
        url = client.site.app + self._route.path
        return client.fetch(url, method=self._route.method, headers=headers, body=body, fresh=True)

    def told(self, client: Vantage, account: str, password: str = "") -> list[Any]:
        """Status and refusing promise of one attempt."""
        answer = self.guess(client, account, password)
        return [answer.status, answer.one(MARK) or ""]


def from_one_address(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Failures from one address until it is blocked, and an attempt from another."""
    route = _route(vantage, settings)
    if route is None:
        return _nowhere(vantage)
    guesser = Guesser(vantage, route)
    bad, other = guesser.client("bad"), guesser.client("other")
    account = guesser.nobody("one")
    before = [guesser.told(bad, account) for _ in range(settings.lockout.failures)]
    blocked = _until_refused(guesser, bad, account)
    time.sleep(LATER_S)
    return Observation(
        facts={
            "is_elsewhere": False,
            "has_route": True,
            "failures": settings.lockout.failures,
            "before": before,
            "blocked": blocked,
            "later": guesser.told(bad, guesser.nobody("two")),
            "other": guesser.told(other, guesser.nobody("three")),
        },
        public=PUBLIC,
    )


def guessing(vantage: Vantage, settings: GuardSettings) -> Observation:
    """One account from many addresses, one password at many accounts; and the owner gets in."""
    route = _route(vantage, settings)
    if route is None:
        return _nowhere(vantage)
    guesser, lockout = Guesser(vantage, route), settings.lockout
    target = guesser.nobody("target")
    distributed = [
        guesser.told(guesser.client(f"many{number}"), target)
        for number in range(lockout.account_failures + 3)
    ]
    spray = f"Spring-{guesser.run}"
    sprayed = [
        guesser.told(guesser.client(f"spray{number}"), guesser.nobody(f"s{number}"), spray)
        for number in range(lockout.same_password + 3)
    ]
    return Observation(
        facts={
            "is_elsewhere": False,
            "has_route": True,
            "distributed": [mark for _, mark in distributed],
            "sprayed": [mark for _, mark in sprayed],
            "statuses": sorted({status for status, mark in distributed + sprayed if not mark}),
            "owner": _owner(guesser, vantage, settings),
        },
        public=PUBLIC,
    )


def _owner(guesser: Guesser, vantage: Vantage, settings: GuardSettings) -> dict[str, Any] | None:
    """The canary logs in, strangers guess at it, and it logs in again; None without a canary."""
    canary = settings.canary
    if not canary.account or vantage.data is None:
        return None
    secret = _secret(vantage.data)
    password = canary.password.replace("{canary}", secret)
    home = guesser.client("owner")
    if canary.signup is not None:
        fields = {k: v.replace("{canary}", secret) for k, v in canary.signup.fields.items()}
        home.fetch(
            home.site.app + canary.signup.path,
            method="POST",
            headers=(
                ("Origin", home.site.app),
                ("Content-Type", "application/x-www-form-urlencoded"),
            ),
            body=urlencode(fields).encode(),
            fresh=True,
        )
    first = guesser.guess(home, canary.account, password)
    known = next((c for c in first.all("set-cookie") if c.startswith(f"{KNOWN}=")), "")
    strangers = [
        guesser.told(guesser.client(f"stranger{number}"), canary.account)[1]
        for number in range(settings.lockout.account_failures + 3)
    ]
    again = guesser.guess(home, canary.account, password, known.partition(";")[0])
    return {
        "first": [first.status, first.one(MARK) or ""],
        "is_known": bool(known),
        "strangers": strangers,
        "again": [again.status, again.one(MARK) or ""],
    }


def _secret(data: Path) -> str:
    """This installation's own; the application's forms are filled in with it, so it is there."""
    path = data / "keys" / "canary"
    return files.read_capped(path, MAX_SECRET_BYTES).decode("ascii") if path.exists() else ""


def _until_refused(guesser: Guesser, client: Vantage, account: str) -> list[Any]:
    """The next attempt; the guard hears of the last answer a moment later than we do."""
    deadline = time.monotonic() + HEARD_S
    while True:
        told = guesser.told(client, account)
        if told[1] or time.monotonic() > deadline:
            return told
        time.sleep(0.2)


def _route(vantage: Vantage, settings: GuardSettings) -> LoginRoute | None:
    """The first login route that is one path."""
    if not vantage.has_clients:
        return None
    return next((one for one in settings.login if not set(one.path) & set("{}*")), None)


def _nowhere(vantage: Vantage) -> Observation:
    facts = {"is_elsewhere": not vantage.has_clients, "has_route": False}
    return Observation(facts=facts, public=PUBLIC)


def _nested(fields: dict[str, str]) -> dict[str, Any]:
    """`user.email` is a member of a member."""
    made: dict[str, Any] = {}
    for name, value in fields.items():
        *outer, last = name.split(".")
        place = made
        for each in outer:
            place = place.setdefault(each, {})
        place[last] = value
    return made
