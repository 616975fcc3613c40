"""Set-Cookie as a browser stores it."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.promises.edge.rules.cookies import is_named, parse_cookie


def test_name_and_attributes():
    cookie = parse_cookie("sid=a=b; Path=/x; SECURE; HttpOnly ;SameSite=Lax; ; path=/y")

    assert cookie is not None
    assert cookie.name == "sid"
    assert cookie.attributes == {"path": "/y", "secure": "", "httponly": "", "samesite": "Lax"}
    assert cookie.path == "/y"
    assert cookie.is_host_only


@pytest.mark.parametrize("value", ["", "novalue", "=value", " =x; Secure"])
def test_what_no_browser_stores_under_a_name(value):
    assert parse_cookie(value) is None


@pytest.mark.parametrize(
    ("value", "is_host_only"),
    [("a=1", True), ("a=1; Domain=", True), ("a=1; Domain=b.example", False)],
)
def test_a_domain_makes_it_wider(value, is_host_only):
    cookie = parse_cookie(value)

    assert cookie is not None
    assert cookie.is_host_only is is_host_only


def test_a_path_that_is_none_is_not_kept():
    cookie = parse_cookie("a=1; Path=relative")

    assert cookie is not None
    assert cookie.path == ""


def test_names_and_stems():
    assert is_named("csrf", ["csrf"])
    assert is_named("wp-settings-1", ["x", "wp-settings-*"])
    assert not is_named("wp", ["wp-settings-*", "w"])
    assert not is_named("anything", [])


@settings(deadline=None)
@given(st.text(max_size=200))
def test_any_text_is_read_or_dropped(value):
    cookie = parse_cookie(value)

    assert cookie is None or cookie.name
