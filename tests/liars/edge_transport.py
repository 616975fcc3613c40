"""Liars about the way to the first encrypted byte, and about open ports."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from liars.liar import Liar, altered, without
from liars.listen import listening
from troth.kernel.site import Site

TO_APP = {"match": {"prefix": "/"}, "route": {"cluster": "app"}}


def _redirects(status: str, **more: object) -> dict[str, object]:
    redirect = {"https_redirect": True, "response_code": status, **more}
    return {"plain_routes": ({"match": {"prefix": "/"}, "redirect": redirect},)}


@contextmanager
def _undeclared(data: Path, _site: Site) -> Iterator[None]:
    with listening(data):
        yield


LIARS = (
    Liar(
        "tls-everywhere", "the TLS port speaks plaintext too", fragments=without("tls-everywhere")
    ),
    Liar("https-redirect", "a dead end", fragments=without("https-redirect")),
    Liar(
        "https-redirect",
        "only for the time being",
        fragments=altered("https-redirect", **_redirects("FOUND")),
    ),
    Liar(
        "https-redirect",
        "to another page",
        fragments=altered("https-redirect", **_redirects("MOVED_PERMANENTLY", path_redirect="/")),
    ),
    Liar(
        "https-redirect",
        "the application answers in plain",
        fragments=altered("https-redirect", plain_routes=(TO_APP,)),
    ),
    Liar("only-port-443", "a port that nobody declared", beside=_undeclared, is_slow=True),
)
