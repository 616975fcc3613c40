"""A policy from what was seen: it lets pass exactly that, and nothing that nobody used."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.edge.rules.csp import parse_csp
from troth.promises.edge.rules.learn import FALLBACK, FIRST, allows, compose, missing, uses_of

DIRECTIVES = sorted({*FALLBACK, "img-src", "connect-src", "font-src", "form-action", "object-src"})
SOURCES = ["self", "inline", "eval", "data", "https://cdn.example", "wss://live.example:8443"]
USES = st.sets(st.tuples(st.sampled_from(DIRECTIVES), st.sampled_from(SOURCES)), max_size=8)


def parsed(policy: str):
    return parse_csp([policy])[0]


@given(USES)
def test_what_was_seen_passes(uses):
    assert missing(parsed(compose(uses, {})), uses) == ()


@given(USES)
def test_what_no_page_used_does_not(uses):
    policy = parsed(compose(uses, {}))

    for directive in DIRECTIVES:
        assert not allows(policy, directive, "https://never.example")


@given(USES, USES)
def test_what_stood_before_stays(first, more):
    before = parsed(compose(first, {}))

    assert missing(parsed(compose(more, before)), first | more) == ()


@given(USES)
def test_composing_again_changes_nothing(uses):
    once = compose(uses, {})

    assert compose(uses, parsed(once)) == once


def test_nothing_seen_is_the_first_policy():
    assert compose((), {}) == "; ".join(f"{name} {words[0]}" for name, words in FIRST.items())


def test_the_plain_network_is_never_allowed():
    assert "http:" not in compose([("img-src", "http://a.example")], {})


@pytest.mark.parametrize(
    ("policy", "use", "is_fine"),
    [
        ("default-src 'self'", ("img-src", "self"), True),
        ("default-src 'self'", ("img-src", "data"), False),
        ("default-src 'self'", ("form-action", "https://a.example"), True),
        (
            "default-src 'none'; script-src 'nonce-abc' 'unsafe-inline'",
            (
                "script-src-elem",
                "inline",
            ),
            False,
        ),
        ("script-src https:", ("script-src-elem", "https://a.example"), True),
        ("worker-src 'none'", ("worker-src", "blob"), False),
        ("child-src blob:", ("worker-src", "blob"), True),
        ("default-src *", ("img-src", "https://a.example"), True),
        ("default-src *", ("img-src", "data"), False),
    ],
)
def test_what_a_policy_lets_pass(policy, use, is_fine):
    assert allows(parsed(policy), *use) is is_fine


def test_what_a_page_itself_uses():
    page = """<base href="/in/"><script src="a.js"></script><script>1</script>
    <script type="application/ld+json">{}</script><style>p{}</style><p style="x" onclick="y">
    <img src="https://pics.example/a.png"><img src="data:image/png;base64,AA">
    <iframe src="//v.example/x">
    <link rel="stylesheet" href="s.css"><link rel="shortcut icon" href="/i.ico">
    <link rel="canonical" href="https://elsewhere.example/"><form action="https://pay.example/go">
    <a href="https://link.example/">x</a><object data="o.svg"></object><img src="http://[::bad">"""

    assert uses_of(page, "https://me.example/x") == {
        ("base-uri", "self"),
        ("script-src-elem", "self"),
        ("script-src-elem", "inline"),
        ("script-src-attr", "inline"),
        ("style-src-elem", "inline"),
        ("style-src-elem", "self"),
        ("style-src-attr", "inline"),
        ("img-src", "https://pics.example"),
        ("img-src", "data"),
        ("img-src", "self"),
        ("frame-src", "https://v.example"),
        ("form-action", "https://pay.example"),
        ("object-src", "self"),
    }
