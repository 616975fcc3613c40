"""Bodies, field by field; what cannot be read is said to be unread."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.promises.guard.rules import fields
from troth.promises.guard.rules.fields import EMPTY, UNREAD, Fields, read

FORM, JSON = b"application/x-www-form-urlencoded", b"application/json"
PART = b'--b\r\nContent-Disposition: form-data; name="%b"\r\n\r\n%b\r\n'


def pairs(kind, body):
    found = read(kind, body)
    assert found.is_whole
    return list(found.pairs)


def test_forms():
    assert pairs(FORM, b"a=1&b=%32+x&a=3&&c") == [("a", "1"), ("b", "2 x"), ("a", "3"), ("c", "")]
    assert read(FORM, b"a=1&a=2").values("a") == ("1", "2")
    assert read(b"text/plain", b"a=1").pairs == (("a", "1"),)
    assert fields.urlencoded(b"") is EMPTY


def test_json():
    body = b'{"u":{"e":"x"},"n":[1,{"y":2.50}],"t":true,"z":null,"u":{"e":"y"}}'

    assert pairs(JSON, body) == [
        ("u.e", "x"), ("n.0", "1"), ("n.1.y", "2.50"), ("t", "true"), ("u.e", "y"),
    ]  # fmt: skip
    assert pairs(b"application/vnd.api+json; charset=utf-8", b'"x"') == [("", "x")]
    assert pairs(b"", b' {"a":1}') == [("a", "1")]
    assert pairs(JSON, b"\xef\xbb\xbf[1]") == [("0", "1")]


@pytest.mark.parametrize(
    "body", [b"{", b"\xff", b'{"a":1}x', b"[" * 100_000, b'{"a":' * 40 + b"1" + b"}" * 40]
)
def test_json_that_is_none_or_too_deep(body):
    assert not read(JSON, body).is_whole


def test_multipart():
    kind = b'multipart/form-data; boundary="b"'
    file = b'--b\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\nsecret\r\n'
    body = PART % (b"a", b"1") + file + PART % (b"a", b"2\r\n3") + b"--b--\r\n"

    assert pairs(kind, body) == [("a", "1"), ("a", "2\r\n3")]
    bare = b"--b\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--b--"
    assert pairs(kind, bare) == [("a", "1")]


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"multipart/form-data", b"--b--"),
        (b"multipart/form-data; boundary=b; boundary=c", PART % (b"a", b"1") + b"--b--"),
        (b"multipart/form-data; boundary=b", b"x"),
        (b"multipart/form-data; boundary=b", PART % (b"a", b"1")),
        (b"multipart/form-data; boundary=b", b"--b\r\nno head\r\n--b--\r\n"),
        (b"multipart/form-data; boundary=b", b"--b\r\nX: y\r\n\r\n1\r\n--b--\r\n"),
        (b"text/plain", b"words"),
    ],
)
def test_what_cannot_be_read_is_said_to_be_unread(kind, body):
    assert not read(kind, body).is_whole


def test_there_is_an_end_to_everything():
    many = fields.MAX_PAIRS + 5
    assert not read(FORM, b"&".join([b"a=1"] * many)).is_whole
    assert not read(JSON, json.dumps([1] * many).encode()).is_whole
    assert not read(JSON, json.dumps([[1] * 1500] * 2).encode()).is_whole
    whole = PART % (b"a", b"1")
    kind = b"multipart/form-data; boundary=b"
    assert not read(kind, whole * (many + 2) + b"--b--").is_whole
    assert read(b"", b"") is EMPTY
    assert Fields(is_whole=False) == UNREAD


@given(st.sampled_from([FORM, JSON, b"multipart/form-data; boundary=b", b"", b"x/y"]),
       st.binary(max_size=200))  # fmt: skip
def test_nothing_breaks_it(kind, body):
    found = read(kind, body)

    assert all(isinstance(name, str) and isinstance(value, str) for name, value in found.pairs)
    assert len(found.pairs) <= fields.MAX_PAIRS
