"""Pure arithmetic of the guard, one file a topic.

`origin` (methods, paths, who is who), `address` (who a client is, ranges of addresses), `limits`
(rates, routes, tokens), `bans` (escalation).
"""

from troth.promises.guard.rules.origin import (
    AMBIENT_SCHEMES,
    SLUG,
    is_exempt,
    is_identity,
    is_plain,
    is_safe,
)

__all__ = ["AMBIENT_SCHEMES", "SLUG", "is_exempt", "is_identity", "is_plain", "is_safe"]
