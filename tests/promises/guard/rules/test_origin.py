"""The guard's arithmetic: what changes state, what is exempt beyond doubt, who vouches for whom."""

from posixpath import normpath
from urllib.parse import quote, unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules import is_exempt, is_identity, is_plain, is_safe


@pytest.mark.parametrize("method", [b"GET", b"HEAD", b"OPTIONS"])
def test_what_asks_for_nothing_to_change(method):
    assert is_safe(method)


@pytest.mark.parametrize(
    "method", [b"POST", b"PUT", b"PATCH", b"DELETE", b"TRACE", b"CONNECT", b"get", b"", b"FOO"]
)
def test_all_else_may_change_anything(method):
    assert not is_safe(method)


@pytest.mark.parametrize(
    ("path", "prefix"),
    [
        (b"/api", b"/api"),
        (b"/api/", b"/api"),
        (b"/api/x", b"/api"),
        (b"/api/x", b"/api/"),
        (b"/api/", b"/api/"),
        (b"/api/a%20b/c", b"/api/"),
        (b"/api/v1.2/x~y", b"/api/"),
    ],
)
def test_below_the_prefix_is_exempt(path, prefix):
    assert is_exempt(path, (b"/other", prefix))


@pytest.mark.parametrize(
    "path",
    [
        b"/apis",
        b"/api",
        b"/",
        b"",
        b"/API/x",
        b"/api//x",
        b"/api/./x",
        b"/api/../x",
        b"/api/..",
        b"/api/%2e%2e/x",
        b"/api/.%2E/x",
        b"/api/..%2fx",
        b"/api/..%5cx",
        b"/api/..\\x",
        b"/api/%252e%252e/x",
        b"/api/..;/x",
        b"/api/x;y=1",
        b"/api/%3b",
        b"/api/%00",
        b"/api/%0a",
        b"/api/%c0%ae%c0%ae/x",
        b"/api/\xc0\xae/x",
        b"/api/%ef%bc%8e%ef%bc%8e/x",
        b"/api/%",
        b"/api/%zz",
        b"/x/../api/y",
        b"//api/x",
        b"/%61pi/x",
    ],
)
def test_doubt_is_not_exempt(path):
    assert not is_exempt(path, (b"/api/",))


@given(st.lists(st.text("abz09-_~", min_size=1), max_size=5))
def test_plain_words_are_plain(words):
    assert is_plain(("/" + "/".join(words)).encode())


@given(st.binary(max_size=30))
def test_an_exempt_path_stays_below_its_prefix_however_it_is_decoded(tail):
    for path in (b"/api/" + tail, b"/api/" + quote(tail).encode()):
        if is_exempt(path, (b"/api/",)):
            once = unquote_to_bytes(path)
            twice = unquote_to_bytes(once)
            assert once == twice
            assert normpath(once).startswith(b"/api")
            assert b"\\" not in once


@pytest.mark.parametrize(
    "name",
    [b"x-forwarded-user", b"remote-user", b"remote_user", b"x-troth-session", b"troth-probe",
     b"x_troth_session", b"x-auth-request-email", b"x-original-url"],
)  # fmt: skip
def test_names_that_claim_an_identity(name):
    assert is_identity(name)


@pytest.mark.parametrize(
    "name", [b"cookie", b"authorization", b"x-forwarded-for", b"x-forwarded-proto", b"x-trothful"]
)
def test_names_that_do_not(name):
    assert not is_identity(name)
