"""Before anything looks into a body it is uncompressed, so that nothing passes unread in a wrapper.

Fails closed: what cannot be read is refused (415, 400, 413), but where the rules only watch.
"""

from collections.abc import Callable
from dataclasses import replace

from troth.kernel.request import Refusal, Request
from troth.promises.guard.rules.encodings import UnreadError, plain
from troth.promises.guard.settings.waf import Rules

SLUG = "waf-owasp-top10"
# Source: RFC 9110, 15.5.16 (Unsupported Media Type, for codings too), 15.5.1, 15.5.14.
STATUS = {"encoding": 415, "broken": 400, "too-long": 413}


def opened(rules: Rules) -> Callable[[Request], Request | Refusal]:
    """The request as the checks see it; the application gets it as it was sent."""

    def uncompressed(request: Request) -> Request | Refusal:
        if not request.body:
            return request
        encodings = request.values(b"content-encoding")
        if not encodings:
            return request
        try:
            return replace(request, body=plain(request.body, encodings, rules.body_bytes))
        except UnreadError as unread:
            if rules.mode != "block":
                return request
            code = str(unread)
            return Refusal(slug=SLUG, code=f"body-{code}", status=STATUS[code])

    return uncompressed
