"""What the edge does to keep each promise: pure fragments, one function a promise.

A promise without a fragment is kept by none: it is probed only (`only-port-443`), or Envoy cannot
break it (`tls-no-ssl2-ssl3`), or it rests on a file (`tls-strong-certificate`).
"""

from troth.kernel.fragment import Fragment
from troth.promises.edge.enforce import cookies, cors, headers, hsts, tls, workers
from troth.promises.edge.settings import EdgeSettings


def fragments(settings: EdgeSettings, *, prefix: str = "/-/") -> tuple[Fragment, ...]:
    """All fragments of the area under these settings; `prefix` is where Troth's own paths are."""
    return (
        tls.everywhere(),
        tls.redirect(),
        *hsts.fragments(settings.hsts),
        tls.modern_versions(),
        tls.known_attacks(),
        tls.grade(),
        headers.security_headers(settings.headers),
        headers.csp(settings.csp, prefix),
        headers.nosniff(),
        headers.clickjacking(settings.headers),
        headers.xss_filter(),
        headers.referrer_policy(settings.headers),
        cors.policy(settings.cors),
        cookies.flags(settings.cookies),
        cookies.scope(),
        workers.scopes(settings.service_worker_scopes),
    )
