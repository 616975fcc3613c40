"""The guard's checks: where a request comes from, and who it claims to be."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from troth.kernel.request import FINE, Known, Request
from troth.kernel.site import Site
from troth.promises.guard.enforce.origin import (
    Policy,
    checks,
    identity_opinion,
    origin_opinion,
)
from troth.promises.guard.settings import GuardSettings, OriginCheck

HOST, OWN, STRANGER = b"app.example", b"https://app.example", b"https://stranger.example"
POLICY = Policy(
    scheme="https",
    app=HOST,
    troth=b"troth.example",
    named=frozenset({b"https://pay.example"}),
    exempt=(b"/api/",),
)
NOW = datetime(2026, 1, 1, tzinfo=UTC)
WEBSOCKET = (b"upgrade", b"h2c, WebSocket")
COOKIE = (b"cookie", b"sid=1")


def request(*headers, method=b"POST", host=HOST, target=b"/book"):
    return Request(method=method, target=target, host=host, headers=headers)


def code(asked, policy=POLICY):
    opinion = origin_opinion(asked, policy)
    return opinion.refusal.code if opinion.refusal else opinion.counted or "fine"


def site(value):
    return (b"sec-fetch-site", value)


def origin(value):
    return (b"origin", value)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((site(b"same-origin"),), "fine"),
        ((site(b"same-origin"), origin(OWN)), "fine"),
        ((site(b"same-origin"), origin(b"null")), "fine"),
        ((site(b"same-origin"), origin(STRANGER)), "contradiction"),
        ((site(b"none"),), "fine"),
        ((site(b"none"), origin(OWN)), "fine"),
        ((site(b"none"), origin(b"null")), "contradiction"),
        ((site(b"same-site"), origin(b"https://pay.example")), "fine"),
        ((site(b"same-site"), origin(OWN)), "same-site"),
        ((site(b"same-site"),), "same-site"),
        ((site(b"cross-site"), origin(b"https://pay.example")), "fine"),
        ((site(b"cross-site"), origin(OWN)), "cross-site"),
        ((site(b""), origin(OWN)), "unknown-site"),
        ((site(b"same-origin"), site(b"same-origin")), "twice"),
        ((origin(OWN), origin(OWN)), "twice"),
        ((origin(OWN),), "fine"),
        ((origin(b"https://pay.example"),), "fine"),
        ((origin(STRANGER),), "foreign-origin"),
        ((origin(b"null"),), "null-origin"),
        (((b"sec-fetch-mode", b"cors"),), "half-fetch-metadata"),
        ((COOKIE,), "no-origin"),
        (((b"authorization", b"Negotiate abc"),), "no-origin"),
        (((b"authorization", b"  basic abc"),), "no-origin"),
        (((b"authorization", b"Bearer abc"),), "origin.nothing-to-forge"),
        ((), "origin.nothing-to-forge"),
    ],
)
def test_a_change(headers, expected):
    assert code(request(*headers)) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ((origin(OWN), COOKIE), "fine"),
        ((origin(OWN), site(b"cross-site"), COOKIE), "fine"),
        ((origin(b"https://pay.example"), COOKIE), "fine"),
        ((origin(STRANGER), COOKIE), "websocket"),
        ((COOKIE,), "websocket"),
        ((origin(STRANGER),), "origin.nothing-to-forge"),
        ((origin(OWN), origin(OWN)), "twice"),
    ],
)
def test_a_handshake(headers, expected):
    assert code(request(WEBSOCKET, *headers, method=b"GET")) == expected


def test_what_changes_nothing_is_not_asked():
    foreign = (origin(STRANGER), COOKIE)

    assert origin_opinion(request(*foreign, method=b"GET"), POLICY) is FINE
    assert origin_opinion(request(*foreign, WEBSOCKET, method=b"HEAD"), POLICY) is FINE
    assert origin_opinion(request(*foreign, (b"upgrade", b"h2c"), method=b"GET"), POLICY) is FINE


def test_exempt_and_named_count_for_the_application_alone():
    foreign = (origin(STRANGER), COOKIE)

    assert code(request(*foreign, target=b"/api/x?y")) == "origin.exempt"
    assert code(request(*foreign, target=b"/api/x", host=b"troth.example")) == "foreign-origin"
    assert code(request(origin(b"https://pay.example"), host=b"troth.example")) == "foreign-origin"
    assert code(request(*foreign, target=b"/api/x", host=b"app.example:x")) == "foreign-origin"


@pytest.mark.parametrize("host", [b"other.example", b"app.example:", b"app.example:8x", b""])
def test_a_host_that_is_not_ours_owns_nothing(host):
    assert POLICY.own(host) is None
    assert code(request(site(b"same-origin"), host=host)) == "unknown-host"
    assert code(request(origin(b"https://" + host), host=host)) == "foreign-origin"


def test_the_visitors_port_counts():
    assert POLICY.own(b"app.example:443") == OWN
    assert POLICY.own(b"app.example:8443") == OWN + b":8443"
    assert code(request(origin(OWN + b":8443"), host=b"app.example:8443")) == "fine"
    assert code(request(origin(OWN + b":8443"))) == "foreign-origin"


def test_identity_headers_are_taken_away_unless_trusted():
    asked = request((b"remote-user", b"x"), (b"x_remote_user", b"x"), (b"accept", b"x"))

    assert identity_opinion(asked, frozenset()).remove == (b"remote-user", b"x_remote_user")
    assert identity_opinion(asked, frozenset({b"remote-user"})).remove == (b"x_remote_user",)
    assert identity_opinion(request((b"accept", b"x")), frozenset()) is FINE


def test_identity_headers_are_taken_away_each_time():
    where = Site(name="n", app=OWN.decode(), http="http://x", troth="https://t", status="https://s")
    identity = checks(GuardSettings(), where)[1]
    long = b"x-" + b"a" * 5000
    for _ in range(3):
        for names, removed in (
            ((b"accept", long), ()),
            ((b"accept", b"remote-user", b"x-troth-client", b"x-troth-other"),
             (b"remote-user", b"x-troth-other")),
            ((b"x-client-dn",), (b"x-client-dn",)),
        ):  # fmt: skip
            asked = request(*((name, b"x") for name in names))

            assert identity(asked, Known(now=NOW)).remove == removed


def test_checks_are_made_from_settings_and_site():
    where = Site(
        name="n",
        app="https://App.example:8443",
        http="http://app.example",
        troth="https://troth.example",
        status="https://status.example",
    )
    settings = GuardSettings(
        trusted_headers=("Remote-User",), origin=OriginCheck(origins=("https://pay.example",))
    )
    by_origin, by_identity = checks(settings, where)
    asked = request(
        origin(b"https://pay.example"), (b"remote-user", b"x"), (b"x-troth-client", b"192.0.2.1")
    )

    assert by_origin(asked, Known(now=NOW)) is FINE
    assert by_identity(asked, Known(now=NOW)) is FINE
    assert (
        by_origin(replace(asked, headers=(origin(STRANGER),)), Known(now=NOW)).refusal.slug
        == "origin-check"
    )


# Hypothesis: a browser that is made to ask by a foreign page never gets through.

METHODS = st.sampled_from([b"POST", b"PUT", b"PATCH", b"DELETE", b"MKCOL", b"post", b"TRACE"])
NOISE = st.lists(
    st.tuples(
        st.sampled_from(
            [b"accept", b"referer", b"content-type", b"x-requested-with", b"x-forwarded-host",
             b"x-http-method-override", b"authorization", b"sec-fetch-mode", b"sec-fetch-dest"]
        ),
        st.sampled_from([OWN, b"same-origin", b"Bearer x", b"cors", b"POST", b"", b"*/*"]),
    ),
    max_size=6,
)  # fmt: skip
FOREIGN = st.one_of(
    st.sampled_from([STRANGER, b"null", OWN + b".", OWN + b":443", b"http://app.example", b""]),
    st.binary(max_size=40),
)


@given(METHODS, FOREIGN, st.sampled_from([None, b"same-site", b"cross-site"]), NOISE, st.randoms())
def test_a_cross_site_change_with_a_cookie_never_passes(method, foreign, where, noise, rng):
    assume(foreign not in {OWN, b"https://pay.example"})
    headers = [origin(foreign), COOKIE, *noise]
    if where is not None:
        headers.append(site(where))
    rng.shuffle(headers)

    opinion = origin_opinion(request(*headers, method=method), POLICY)

    assert opinion.refusal is not None


@given(st.binary(max_size=40), NOISE, st.randoms())
def test_a_foreign_handshake_with_a_cookie_never_passes(foreign, noise, rng):
    assume(foreign not in {OWN, b"https://pay.example"})
    headers = [origin(foreign), COOKIE, WEBSOCKET, *noise]
    rng.shuffle(headers)

    assert origin_opinion(request(*headers, method=b"GET"), POLICY).refusal is not None


HEADER = st.one_of(
    st.builds(origin, st.sampled_from([OWN, STRANGER, b"null", b"https://pay.example"])),
    st.builds(site, st.sampled_from([b"same-origin", b"none", b"cross-site", b"same-site", b"x"])),
    st.just(COOKIE),
    st.just((b"sec-fetch-mode", b"cors")),
    st.just((b"authorization", b"Basic x")),
)
ANY = st.one_of(HEADER, st.tuples(st.binary(min_size=1, max_size=12), st.binary(max_size=12)))


@given(METHODS, st.lists(HEADER, max_size=5), ANY)
def test_one_more_header_turns_a_refusal_into_a_pass_only_if_it_says_where_from(
    method, headers, more
):
    before = origin_opinion(request(*headers, method=method), POLICY)
    after = origin_opinion(request(*headers, more, method=method), POLICY)

    if before.refusal is not None and after.refusal is None:
        assert more[0] in {b"origin", b"sec-fetch-site"}


@given(METHODS, st.lists(HEADER, max_size=5), st.randoms())
def test_the_order_of_headers_does_not_matter(method, headers, rng):
    shuffled = [*headers]
    rng.shuffle(shuffled)

    assert code(request(*headers, method=method)) == code(request(*shuffled, method=method))
