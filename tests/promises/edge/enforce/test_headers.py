"""Header sets on what the application answers: written once, whatever it said itself."""

import socketserver
import threading

import pytest

from troth.enforce.envoy import Upstream
from troth.promises.edge.enforce import headers

ONCE = (
    "strict-transport-security",
    "content-security-policy",
    "x-content-type-options",
    "x-frame-options",
    "referrer-policy",
    "permissions-policy",
    "cross-origin-opener-policy",
    "cross-origin-resource-policy",
    "cross-origin-embedder-policy",
    "x-permitted-cross-domain-policies",
    "cache-control",
)
RUDE = tuple(f"{name}: application's own" for name in ONCE)


@pytest.mark.parametrize("status", [200, 204, 302, 304, 404, 500, 503])
def test_every_header_once_whatever_the_application_said(told, status):
    answer = told(*RUDE, "Location: /", status=status)

    assert answer.status == status
    assert {name: len(answer.all(name)) for name in ONCE} == dict.fromkeys(ONCE, 1)
    assert "application's own" not in str(answer.headers)


def test_leaks_are_removed(told):
    leaky = (*headers.LEAKY, "x-xss-protection", "troth-refused", "troth-event")
    answer = told(*(f"{name}: 1.2.3" for name in leaky))

    assert [name for name in leaky if answer.all(name)] == []


def test_what_the_application_says_else_stays(told):
    answer = told("X-Custom: yes", "ETag: x", "Link: </a>; rel=preload")

    assert answer.one("x-custom") == "yes"
    assert answer.one("etag") == "x"
    assert answer.one("link") == "</a>; rel=preload"


def test_enforced_policy_with_frame_ancestors_and_report(told):
    answer = told()

    assert answer.one("content-security-policy") == (
        "default-src 'none'; script-src 'self'; report-uri /-/csp; report-to csp; "
        "frame-ancestors 'none'"
    )
    assert answer.one("reporting-endpoints") == 'csp="/-/csp"'


def test_report_only_leaves_the_applications_own_policies(told, with_settings):
    with with_settings():
        answer = told(
            "Content-Security-Policy: script-src 'self'",
            "Content-Security-Policy-Report-Only: img-src 'self'",
        )

    assert answer.all("content-security-policy") == ("script-src 'self'", "frame-ancestors 'none'")
    own, ours = answer.all("content-security-policy-report-only")
    assert own == "img-src 'self'"
    assert ours.startswith(headers.FIRST_POLICY)


def test_policy_off_still_forbids_framing(told, with_settings):
    with with_settings(csp={"mode": "off"}, headers={"frame_ancestors": "self"}):
        answer = told()

    assert answer.one("content-security-policy") == "frame-ancestors 'self'"
    assert answer.one("x-frame-options") == "SAMEORIGIN"


def test_what_may_break_an_application_is_off_until_turned_on(told, with_settings):
    with with_settings():
        answer = told("Cache-Control: max-age=60")

    assert answer.one("cache-control") == "max-age=60"
    for name in ("opener", "resource", "embedder"):
        assert answer.one(f"cross-origin-{name}-policy") is None
    assert answer.one("referrer-policy") == "strict-origin-when-cross-origin"


@pytest.mark.parametrize(
    ("slug", "gone", "left"),
    [
        ("hsts", "strict-transport-security", "x-frame-options"),
        ("content-type-nosniff", "x-content-type-options", "x-frame-options"),
        ("clickjacking", "x-frame-options", "content-security-policy"),
        ("referrer-policy", "referrer-policy", "permissions-policy"),
        ("security-headers", "permissions-policy", "referrer-policy"),
        ("csp", "reporting-endpoints", "x-frame-options"),
    ],
)
def test_leaving_one_out_breaks_that_alone(told, edge, without, slug, gone, left):
    with without(slug):
        answers = told(), edge.ask(headers={"Host": "evil.example"})

    for answer in answers:
        assert answer.one(gone) is None
    assert all(answer.one(left) for answer in answers)


def test_without_csp_framing_is_still_forbidden(told, without):
    with without("csp"):
        assert told().one("content-security-policy") == "frame-ancestors 'none'"


def test_without_clickjacking_the_policy_stays(told, without):
    with without("clickjacking"):
        assert "frame-ancestors" not in told().one("content-security-policy")


def test_xss_filter_passes_without_its_fragment(told, without):
    with without("browser-xss-filter-header"):
        assert told("X-XSS-Protection: 1").one("x-xss-protection") == "1"


@pytest.fixture
def typeless(edge, open_place):
    """An application that sends no Content-Type; ask it for a whole answer."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(server.answer)

    path = open_place / "typeless.sock"
    path.unlink(missing_ok=True)
    with socketserver.ThreadingUnixStreamServer(str(path), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()

        def ask(answer):
            server.answer = answer
            return edge.ask()

        with edge.altered(upstream=Upstream(socket=str(path))):
            yield ask
        server.shutdown()
        thread.join()
    path.unlink()


@pytest.mark.parametrize(
    ("head", "kind"),
    [
        (b"200 OK\r\nContent-Length: 1\r\n\r\nx", "application/octet-stream"),
        (b"200 OK\r\n\r\nx", "application/octet-stream"),
        (b"200 OK\r\nContent-Length: 1\r\nContent-Type: a/b\r\n\r\nx", "a/b"),
        (b"200 OK\r\nContent-Length: 0\r\n\r\n", None),
        (b"204 No Content\r\n\r\n", None),
        (b"304 Not Modified\r\n\r\n", None),
    ],
)
def test_what_has_a_body_has_a_type(typeless, head, kind):
    assert typeless(b"HTTP/1.1 " + head).one("content-type") == kind


def test_without_the_fragment_it_has_none(typeless, without):
    with without("content-type-nosniff"):
        answer = typeless(b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nx")

    assert answer.one("content-type") is None


class TestHsts:
    """hsts and hsts-long-lifetime."""

    def test_ramp(self, told, with_settings):
        for age in (300, 86_400):
            with with_settings(hsts={"max_age_s": age}):
                assert told().one("strict-transport-security") == f"max-age={age}"

    def test_long(self, told, with_settings):
        with with_settings(
            hsts={"max_age_s": 63_072_000, "include_subdomains": True, "preload": True}
        ):
            value = told().one("strict-transport-security")

        assert value == "max-age=63072000; includeSubDomains; preload"

    def test_without_the_long_lifetime_a_short_one_stays(self, told, without):
        with without("hsts-long-lifetime"):
            assert told().one("strict-transport-security") == "max-age=31535999"


def test_a_feature_that_the_application_uses_stays_its_own(told, with_settings):
    with with_settings(headers={"features": ["geolocation", "payment"]}):
        value = told().one("permissions-policy")

    assert "geolocation=(self)" in value
    assert "payment=(self)" in value
    assert "camera=()" in value
