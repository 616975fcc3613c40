"""The promises of the edge. Read this first; the words stand in `sentences.toml`.

A promise here is one `Promise(...)`: its slug, the controls it supports, what it rests on, and its
checks. A check names its probe (`probe/`: look, bring facts), its judge (`judge/`: facts to
verdict, pure) and the one line with which a stranger repeats it.

- `transport`: TLS on every host, the redirect, open ports
- `headers`: what single header fields say: HSTS, CSP, framing, types, referrers
- `tls`: versions, certificates, named attacks, the grade; `grade`: that of the headers
- `inline`: nothing passes beside the edge, and floods do not pass it
- `sharing`: cookies and cross-origin calls
- `declare`: how the above are spelled (timings, framework ids, commands)

To add one: a `Promise` here and its name below, one line in `catalogue.py`, a probe, a judge, words
in four languages, a fragment in `enforce/`, and a liar in `tests/liars/` on which it turns red.
"""

from troth.promises.edge.promise.grade import HEADERS_GRADE_A
from troth.promises.edge.promise.headers import (
    BROWSER_XSS_FILTER_HEADER,
    CLICKJACKING,
    CONTENT_TYPE_NOSNIFF,
    CSP,
    HSTS,
    HSTS_LONG_LIFETIME,
    REFERRER_POLICY,
    SECURITY_HEADERS,
)
from troth.promises.edge.promise.inline import DDOS_MITIGATION, TRAFFIC_INSPECTED_INLINE
from troth.promises.edge.promise.sharing import (
    COOKIE_HTTPONLY_SECURE,
    COOKIE_SCOPE,
    CORS_POLICY,
)
from troth.promises.edge.promise.tls import (
    CERTIFICATE_TRANSPARENCY,
    TLS_GRADE_A_PLUS,
    TLS_KNOWN_ATTACKS,
    TLS_MODERN_VERSIONS,
    TLS_NO_SSL2_SSL3,
    TLS_STRONG_CERTIFICATE,
)
from troth.promises.edge.promise.transport import HTTPS_REDIRECT, ONLY_PORT_443, TLS_EVERYWHERE

__all__ = [
    "BROWSER_XSS_FILTER_HEADER",
    "CERTIFICATE_TRANSPARENCY",
    "CLICKJACKING",
    "CONTENT_TYPE_NOSNIFF",
    "COOKIE_HTTPONLY_SECURE",
    "COOKIE_SCOPE",
    "CORS_POLICY",
    "CSP",
    "DDOS_MITIGATION",
    "HEADERS_GRADE_A",
    "HSTS",
    "HSTS_LONG_LIFETIME",
    "HTTPS_REDIRECT",
    "ONLY_PORT_443",
    "REFERRER_POLICY",
    "SECURITY_HEADERS",
    "TLS_EVERYWHERE",
    "TLS_GRADE_A_PLUS",
    "TLS_KNOWN_ATTACKS",
    "TLS_MODERN_VERSIONS",
    "TLS_NO_SSL2_SSL3",
    "TLS_STRONG_CERTIFICATE",
    "TRAFFIC_INSPECTED_INLINE",
]
