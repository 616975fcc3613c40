"""The Observatory's score, test by test."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.edge.rules import observatory
from troth.promises.edge.rules.observatory import HEADERS, Page

STRICT = "default-src 'none'; script-src 'nonce-abc'; form-action 'self'; frame-ancestors 'none'"
RIGHT = dict.fromkeys(HEADERS, ()) | {
    "content-security-policy": (STRICT,),
    "content-type": ("text/html; charset=utf-8",),
    "cross-origin-resource-policy": ("same-origin",),
    "referrer-policy": ("strict-origin-when-cross-origin",),
    "set-cookie": ("__Host-sid=; Path=/; Secure; HttpOnly; SameSite=Lax",),
    "strict-transport-security": ("max-age=63072000",),
    "x-content-type-options": ("nosniff",),
    "x-frame-options": ("DENY",),
}
BEST = Page(
    url="https://a.example/",
    headers=RIGHT,
    is_verified=True,
    redirects=("http://a.example/", "https://a.example/"),
    allow_origin="",
    allow_credentials="",
    origin="https://stranger.example",
    scripts=(("/app.js", "sha256-abc"),),
)


def page(**headers):
    given = {
        name.replace("_", "-"): (v,) if isinstance(v, str) else v for name, v in headers.items()
    }
    return replace(BEST, headers=RIGHT | given)


def points(test, made):
    return observatory.score(made).tests[test][0]


def test_the_best_of_a_page_with_a_cookie_and_a_script_is_140():
    scored = observatory.score(BEST)

    assert (scored.grade, scored.score) == ("A+", 140)


def test_without_a_cookie_and_a_script_130():
    bare = replace(page(set_cookie=()), scripts=())

    assert observatory.score(bare).score == 130


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ((), -25),
        (STRICT, 10),
        (f"{STRICT}, default-src *", 10),
        ("default-src 'self'", 5),
        ("default-src 'none'; style-src 'unsafe-inline'", 0),
        ("default-src 'self'; script-src 'self' 'unsafe-eval'", -10),
        ("default-src 'self'; img-src http:", -10),
        ("default-src 'none'; img-src http://a.example", -10),
        ("default-src 'self'; script-src 'unsafe-inline'", -20),
        ("default-src 'self'; script-src 'unsafe-inline' 'nonce-abc'", 5),
        ("default-src 'self'; script-src https: 'nonce-abc' 'strict-dynamic'", 5),
        ("default-src 'self'; script-src 'strict-dynamic'", -25),
        ("img-src 'self'", -20),
        ("default-src 'self'; object-src *", -20),
        ("default-src 'self'; connect-src http://a.example", -20),
        ("default-src 'self'; script-src data:", -20),
    ],
)
def test_csp(value, expected):
    assert points("csp", page(content_security_policy=value)) == expected


def test_a_policy_on_trial_is_none():
    trial = page(content_security_policy=(), content_security_policy_report_only=STRICT)

    assert observatory.score(trial).tests["csp"] == (-25, "only on trial")


@pytest.mark.parametrize(
    ("cookie", "expected"),
    [
        ("a=; Secure; SameSite=Lax", 5),
        ("a=; Secure; SameSite=None", 5),
        ("a=; Secure", 0),
        ("a=; SameSite=Lax", -5),
        ("session=; Secure; SameSite=Lax", -30),
        ("session=; HttpOnly; SameSite=Lax", -10),
        ("csrftoken=; Secure", -20),
        ("a=; Secure; SameSite=Sometimes", -20),
        ("a=; SameSite=None", -20),
        ("=nameless", 0),
    ],
)
def test_cookies(cookie, expected):
    assert points("cookies", page(set_cookie=cookie)) == expected


def test_cookies_without_hsts():
    def bare(cookie):
        return points("cookies", page(set_cookie=cookie, strict_transport_security=()))

    assert bare("a=; SameSite=Lax") == -20
    assert bare("session=; HttpOnly; SameSite=Lax") == -40


def test_the_worst_cookie_counts():
    assert points("cookies", page(set_cookie=("a=; Secure; SameSite=Lax", "b=; Secure"))) == 0


@pytest.mark.parametrize(
    ("origin", "credentials", "expected"),
    [
        ("", "", 0),
        ("*", "", 0),
        ("https://other.example", "true", 0),
        ("https://stranger.example", "", 0),
        ("https://stranger.example", "True", -50),
    ],
)
def test_cors(origin, credentials, expected):
    asked = replace(BEST, allow_origin=origin, allow_credentials=credentials)

    assert points("cors", asked) == expected


@pytest.mark.parametrize(
    ("hops", "expected"),
    [
        ((), 0),
        (("http://a.example/", "https://a.example/"), 0),
        (("http://a.example/",), -20),
        (("http://a.example/", "http://b.example/"), -20),
        (("http://a.example/", "http://b.example/", "https://a.example/"), -10),
        (("http://a.example/", "https://b.example/"), -5),
    ],
)
def test_redirects(hops, expected):
    assert points("redirect", replace(BEST, redirects=hops)) == expected


def test_a_certificate_that_is_not_trusted():
    distrusted = observatory.score(replace(BEST, is_verified=False)).tests

    assert distrusted["redirect"][0] == distrusted["hsts"][0] == -20


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("referrer_policy", (), 0),
        ("referrer_policy", "no-referrer, unsafe-url", -5),
        ("referrer_policy", "unsafe-url, same-origin", 5),
        ("referrer_policy", "nonsense", -5),
        ("strict_transport_security", "max-age=15552000", 0),
        ("strict_transport_security", "max-age=300", -10),
        ("strict_transport_security", "nonsense", -20),
        ("strict_transport_security", (), -20),
        ("x_content_type_options", "NOSNIFF", 0),
        ("x_content_type_options", (), -5),
        ("cross_origin_resource_policy", "same-site", 10),
        ("cross_origin_resource_policy", "cross-origin", 0),
        ("cross_origin_resource_policy", (), 0),
        ("cross_origin_resource_policy", "nonsense", -5),
    ],
)
def test_single_fields(name, value, expected):
    short = {
        "referrer_policy": "referrer",
        "strict_transport_security": "hsts",
        "x_content_type_options": "types",
        "cross_origin_resource_policy": "corp",
    }

    assert points(short[name], page(**{name: value})) == expected


@pytest.mark.parametrize(
    ("options", "expected"), [("DENY", 0), ("allow-from https://b.example", 0), ("", -20)]
)
def test_frames_without_frame_ancestors(options, expected):
    made = page(content_security_policy="default-src 'none'", x_frame_options=options)

    assert points("frames", made) == expected
    assert points("frames", BEST) == 5


@pytest.mark.parametrize(
    ("scripts", "expected"),
    [
        ((), 0),
        ((("", ""),), 0),
        ((("/a.js", ""),), 0),
        ((("/a.js", "sha256-x"),), 5),
        ((("https://a.example/a.js", ""),), 0),
        ((("https://b.example/a.js", "sha256-x"),), 5),
        ((("https://b.example/a.js", ""),), -5),
        ((("http://b.example/a.js", "sha256-x"),), -20),
        ((("//b.example/a.js", "sha256-x"),), -20),
        ((("http://b.example/a.js", ""),), -50),
    ],
)
def test_scripts(scripts, expected):
    assert points("sri", replace(BEST, scripts=scripts)) == expected


def test_what_is_no_page_has_no_scripts():
    assert points("sri", page(content_type="application/json")) == 0


def test_bonuses_only_from_ninety():
    bad = page(content_security_policy=())

    assert observatory.score(bad).score == 75
    assert observatory.score(bad).grade == "B"


def test_it_never_goes_below_nothing():
    worst = replace(
        BEST,
        headers=dict.fromkeys(HEADERS, ()) | {"set-cookie": ("session=",)},
        is_verified=False,
        allow_origin=BEST.origin,
        allow_credentials="true",
    )

    assert observatory.score(worst).score == 0
    assert observatory.score(worst).grade == "F"


@given(
    st.dictionaries(st.sampled_from(HEADERS), st.lists(st.text(max_size=60), max_size=3)),
    st.lists(st.tuples(st.text(max_size=30), st.text(max_size=9)), max_size=4),
)
def test_whatever_is_served_has_a_score(headers, scripts):
    try:
        scored = observatory.score(
            replace(BEST, headers=dict.fromkeys(HEADERS, ()) | headers, scripts=tuple(scripts))
        )
    except ValueError:
        return  # an address of a script that nobody can read
    assert 0 <= scored.score <= 145
