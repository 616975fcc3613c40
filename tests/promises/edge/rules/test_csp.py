"""Content-Security-Policy as a browser reads it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.promises.edge.rules.csp import (
    frame_ancestors,
    is_strict,
    names_scripts,
    parse_csp,
)

HASH = "'sha256-uEWSRe4dbLR2nZf1HmU7yQFzwmrk3nJ3E91ZATnOc5o='"
TAIL = "; object-src 'none'; base-uri 'none'"


def one(value: str):
    (policy,) = parse_csp([value])
    return policy


def test_several_fields_and_lists_are_several_policies():
    found = parse_csp(["default-src 'none', img-src *", "", "script-src a.example"])

    assert [list(policy) for policy in found] == [["default-src"], ["img-src"], ["script-src"]]


def test_of_a_directive_given_twice_the_first_counts():
    assert one("script-src 'none'; SCRIPT-SRC *") == {"script-src": ("'none'",)}


@pytest.mark.parametrize(
    "scripts",
    [
        "default-src 'none'",
        "script-src 'none'",
        "script-src",
        f"script-src {HASH}",
        f"script-src 'self' {HASH} https://cdn.example",
        "script-src 'nonce-abc123' 'strict-dynamic'",
        f"default-src 'none'; script-src {HASH}; script-src-elem {HASH}; script-src-attr 'none'",
    ],
)
def test_strict_policies(scripts):
    assert is_strict(one(scripts + TAIL))


@pytest.mark.parametrize(
    "scripts",
    [
        "img-src 'none'",
        "script-src 'self'",
        "script-src https://cdn.example",
        f"script-src {HASH} 'unsafe-inline'",
        f"script-src {HASH} 'unsafe-eval'",
        f"script-src {HASH} 'unsafe-hashes'",
        f"script-src {HASH} *",
        f"script-src {HASH} https:",
        f"script-src {HASH} data:",
        f"script-src {HASH} *.example",
        "script-src 'nonce-'",
        f"script-src {HASH}; script-src-elem 'unsafe-inline'",
        f"script-src {HASH}; script-src-attr 'unsafe-inline'",
    ],
)
def test_policies_that_let_injected_script_run(scripts):
    assert not is_strict(one(scripts + TAIL))


@pytest.mark.parametrize(
    "tail",
    ["; base-uri 'none'", "; object-src 'self'; base-uri 'none'", "; object-src 'none'"],
)
def test_a_policy_that_leaves_objects_or_the_base_open(tail):
    assert not is_strict(one(f"script-src {HASH}{tail}"))


def test_without_an_own_directive_the_default_counts_for_objects_and_not_for_the_base():
    assert is_strict(one("default-src 'none'; base-uri 'none'"))
    assert not is_strict(one("default-src 'none'"))


def test_whether_a_policy_speaks_of_scripts():
    assert names_scripts(one("script-src *"))
    assert names_scripts(one("default-src *"))
    assert not names_scripts(one("img-src *"))


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ([], None),
        (["default-src 'none'"], None),
        (["frame-ancestors 'none'"], set()),
        (["frame-ancestors"], set()),
        (["frame-ancestors 'SELF'"], {"'self'"}),
        (["frame-ancestors 'self' https://a.example"], {"'self'", "https://a.example"}),
        (["frame-ancestors 'self'", "frame-ancestors 'none'"], set()),
        (["frame-ancestors 'self' https://a.example, frame-ancestors 'self'"], {"'self'"}),
    ],
)
def test_who_may_frame_after_all_policies(values, named):
    assert frame_ancestors(parse_csp(values)) == named


@settings(deadline=None)
@given(st.lists(st.text(max_size=80), max_size=4))
def test_any_text_is_read(values):
    for policy in parse_csp(values):
        assert isinstance(is_strict(policy), bool)
        assert isinstance(names_scripts(policy), bool)
