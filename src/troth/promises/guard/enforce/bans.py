"""Who is kept out for a while, and who is on somebody's list. Both are asked before anything else.

Fails open where no door vouches for an address: nobody can then be told apart.
"""

from troth.kernel.request import FINE, GuardCheck, Known, Opinion, Refusal, Request
from troth.promises.guard.enforce.limits import ALLOWED
from troth.promises.guard.rules.addresses import client_key
from troth.promises.guard.rules.limits import seconds

BANNED = "auto-response"
LISTED = "ip-blocklist"


def gates() -> tuple[GuardCheck, ...]:
    """Bans, then lists. Whom the operator allowed passes both."""
    return banned, listed


def banned(request: Request, known: Known) -> Opinion:
    """Refuse whom a ban is about, until it ends. The code is the ban's cause."""
    if not known.bans:
        return FINE
    ban = known.bans.get(client_key(request.client))
    if ban is None or ban.until <= known.now or request.client in known.lists.get(ALLOWED, ()):
        return FINE
    wait = b"%d" % max(seconds(ban.until - known.now), 1)
    return Opinion(refusal=Refusal(slug=BANNED, code=ban.cause, headers=((b"retry-after", wait),)))


def listed(request: Request, known: Known) -> Opinion:
    """Refuse who is on a list. The code is its name."""
    for name, addresses in known.lists.items():
        if name != ALLOWED and request.client in addresses:
            if request.client in known.lists.get(ALLOWED, ()):
                return FINE
            return Opinion(refusal=Refusal(slug=LISTED, code=name))
    return FINE
