"""Attacks from addresses of our own: too many requests, a closed zone, attacks until a ban.

Every client here is a synthetic one, new at each run, so that nothing it earns meets a person, a
vantage or the run before. All of them ask for the sink.
"""

import time
import uuid
from typing import Any

from troth.adapters import http2
from troth.adapters.vantage import Vantage, address_of
from troth.kernel.errors import Failure
from troth.kernel.model import Observation
from troth.kernel.request import MARKER
from troth.promises.guard.rules import limits
from troth.promises.guard.rules.canary import CANARY_ADDRESS, CANARY_ROUTE
from troth.promises.guard.settings import GuardSettings

MORE = 1.2  # of what is allowed at once
MOST = 1_500
LIES = 10  # at once: one may be served, since the counter empties meanwhile
OK, TOO_MANY = 200, 429
ATTACK = "?q=%27%20OR%201%3D1%20--%20-"
MOST_ATTACKS = 40
BAN_TRIES_S = 45.0
MARK = MARKER.decode()
ELSEWHERE = Observation(facts={"is_elsewhere": True}, public=frozenset({"is_elsewhere"}))


def excess(vantage: Vantage, settings: GuardSettings) -> Observation:
    """A burst over the limit from one address; another one, and a lie about where it comes from."""
    rule = next(
        (one for one in settings.limits.rules if one.by == "address" and one.path == "/"), None
    )
    if not vantage.has_clients or rule is None:
        return Observation(facts={"is_elsewhere": not vantage.has_clients, "has_rule": False})
    limit, period = limits.rate(rule.rate)
    burst = min(rule.burst or limit, limit)
    count = int(burst * MORE) + 10
    if count > MOST:
        return Observation(facts={"is_elsewhere": False, "has_rule": False})
    name = f"excess.{nonce(vantage)}"
    greedy = vantage.as_client(name)
    began = time.monotonic()
    answers = _many(greedy, count)
    lasted = time.monotonic() - began
    lying = _many(greedy, LIES, (("x-forwarded-for", "192.0.2.77"),))
    other = vantage.as_client(f"{name}.other").fetch(vantage.site.sink, fresh=True)
    late = [one for one in answers if one.status == TOO_MANY]
    return Observation(
        facts={
            "is_elsewhere": False,
            "has_rule": True,
            "sent": len(answers),
            "served": sum(one.status == OK for one in answers),
            "throttled": len(late),
            "with_retry_after": sum(bool(one.all("retry-after")) for one in late),
            "burst": burst,
            "might": burst + limit * lasted / period.total_seconds(),
            "lies_served": [one.status for one in lying].count(OK) if lying else LIES,
            "other": other.status,
        },
        public=frozenset({"is_elsewhere", "has_rule", "sent", "served", "throttled", "burst"}),
    )


def zone(vantage: Vantage, _settings: GuardSettings) -> Observation:
    """The canary's own route, from its address and from others."""
    if not vantage.has_clients:
        return ELSEWHERE
    url = f"{vantage.site.app}{vantage.site.prefix}{CANARY_ROUTE}"
    allowed = vantage.as_address(CANARY_ADDRESS)
    others = [vantage, vantage.as_client(f"zone.{nonce(vantage)}")]
    spoofed = (("X-Forwarded-For", CANARY_ADDRESS), ("X-Real-IP", CANARY_ADDRESS))
    refused = [client.fetch(url, headers=spoofed, fresh=True) for client in others]
    return Observation(
        facts={
            "is_elsewhere": False,
            "canary": allowed.fetch(url, fresh=True).status,
            "others": [[one.status, one.one(MARK) or ""] for one in refused],
        },
        public=frozenset({"is_elsewhere", "canary"}),
    )


def attacker(vantage: Vantage, settings: GuardSettings) -> Observation:
    """Attacks from one address until it is kept out; how long that took, and when it is over."""
    if not vantage.has_clients:
        return ELSEWHERE
    name = f"attacker.{nonce(vantage)}"
    bad, good = vantage.as_client(name), vantage.as_client(f"{name}.other")
    before = bad.fetch(vantage.site.sink, fresh=True).status
    began = time.monotonic()
    sent, slug = 0, ""
    while sent < MOST_ATTACKS and slug != "auto-response":
        slug = bad.fetch(vantage.site.sink + ATTACK, fresh=True).one(MARK) or ""
        sent += 1
    took = time.monotonic() - began
    harmless = bad.fetch(vantage.site.sink, fresh=True)
    other = good.fetch(vantage.site.sink, fresh=True).status
    ended = _ended(bad, began + settings.bans.drill_s + BAN_TRIES_S) if slug else False
    return Observation(
        facts={
            "is_elsewhere": False,
            "before": before,
            "attacks": sent,
            "seconds": round(took, 3),
            "banned": [harmless.status, harmless.one(MARK) or ""],
            "other": other,
            "has_ended": ended,
        },
        public=frozenset({"is_elsewhere", "attacks", "seconds", "has_ended"}),
    )


def _ended(client: Vantage, deadline: float) -> bool:
    """Whether the ban ends by itself before the deadline."""
    while time.monotonic() < deadline:
        time.sleep(1.0)
        if not client.fetch(client.site.sink, fresh=True).all(MARK):
            return True
    return False


def _many(client: Vantage, count: int, headers: http2.Pairs = ()) -> list[Any]:
    """So many requests on one HTTP/2 connection; fewer when it was broken off."""
    host, port = address_of(client.site.sink)
    path = f"{client.site.prefix}sink"
    answers: list[Any] = []
    try:
        with http2.session(
            host, port, context=client.context(alpn=("h2",)), authority=f"{host}:{port}",
            source=client.source,
        ) as session:  # fmt: skip
            answers.extend(
                session.ask(path, headers=(*headers, *client.introduction(client.site.sink)))
                for _ in range(count)
            )
    except (Failure, TimeoutError):
        pass
    return answers


def nonce(vantage: Vantage) -> str:
    """A word of its own for this run, so that its clients are new."""
    return uuid.UUID(int=vantage.rng.getrandbits(128)).hex[:12]
