"""The promises of the guard. Read this first; the words stand in `sentences.toml`.

- `origin`: who may ask for a change
- `waf`: attacks that show in a request
- `addresses`: how often they may ask, and which are kept out; `lists`: by whom else
- `login`: guessing passwords
- `csrf`: tokens for important actions
- `flows`: scraping, enumeration, hoarding, skipped steps
- `uploads`: files that visitors send
- `escaping`: what pages show of what they were told
- `declare`: how the above are spelled (timings, framework ids)

To add one: a `Promise` here and its name below, one line in `catalogue.py`, a probe, a judge, words
in four languages, a check in `enforce/`, and a liar in `tests/liars/` on which it turns red.
"""

from troth.promises.guard.promise.addresses import AUTO_RESPONSE, IP_FILTERING, RATE_LIMIT_IP
from troth.promises.guard.promise.csrf import CSRF_TOKEN
from troth.promises.guard.promise.escaping import XSS_OUTPUT_ESCAPING
from troth.promises.guard.promise.flows import BUSINESS_LOGIC_PROTECTION
from troth.promises.guard.promise.lists import IP_BLOCKLIST
from troth.promises.guard.promise.login import BRUTE_FORCE_BLOCKING, IP_BLOCK_AFTER_FAILURES
from troth.promises.guard.promise.origin import ORIGIN_CHECK
from troth.promises.guard.promise.uploads import UPLOADS_SCANNED
from troth.promises.guard.promise.waf import MALICIOUS_TRAFFIC_UPSTREAM, WAF_OWASP_TOP10

__all__ = [
    "AUTO_RESPONSE",
    "BRUTE_FORCE_BLOCKING",
    "BUSINESS_LOGIC_PROTECTION",
    "CSRF_TOKEN",
    "IP_BLOCKLIST",
    "IP_BLOCK_AFTER_FAILURES",
    "IP_FILTERING",
    "MALICIOUS_TRAFFIC_UPSTREAM",
    "ORIGIN_CHECK",
    "RATE_LIMIT_IP",
    "UPLOADS_SCANNED",
    "WAF_OWASP_TOP10",
    "XSS_OUTPUT_ESCAPING",
]
