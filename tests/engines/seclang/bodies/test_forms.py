"""Forms and query strings, as ModSecurity reads them."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.bodies import forms
from troth.engines.seclang.model import Limits, Pairs

FORM = b"application/x-www-form-urlencoded"


@pytest.mark.parametrize(
    ("text", "pairs"),
    [
        (b"", ()),
        (b"a=1&b=2", ((b"a", b"1"), (b"b", b"2"))),
        (b"a", ((b"a", b""),)),
        (b"=1", ((b"", b"1"),)),
        (b"=", ((b"", b""),)),
        (b"&", ((b"", b""),)),
        (b"&a", ((b"", b""), (b"a", b""))),
        (b"a=1&", ((b"a", b"1"),)),
        (b"a&&", ((b"a", b""), (b"", b""))),
        (b"a=1&a=2", ((b"a", b"1"), (b"a", b"2"))),
        (b"a+b=c+d", ((b"a b", b"c d"),)),
        (b"a=b=c&d==", ((b"a", b"b=c"), (b"d", b"="))),
        (b"%61=%41%00+&b=%3d%26&c", ((b"a", b"A\0 "), (b"b", b"=&"), (b"c", b""))),
        (b"a=1;b=2", ((b"a", b"1;b=2"),)),
        (b"a=%u0041", ((b"a", b"%u0041"),)),
        (b"a=%41&b=%zz", ((b"a", b"A"), (b"b", b"%zz"))),
        (b"a=%fe%FF&b=%41", ((b"a", b"\xfe\xff"), (b"b", b"A"))),
        (b"a=\xfe&b=%41", ((b"a", b"\xfe"), (b"b", b"A"))),
        (b"a=%\n&b=%\r", ((b"a", b"%\n"), (b"b", b"%\r"))),
    ],
)
def test_names_and_values(text: bytes, pairs: Pairs):
    assert forms.read(text, 100)[0] == pairs


@pytest.mark.parametrize(
    ("text", "is_valid"),
    [(b"a=%41", True), (b"a=%4", False), (b"%=1", False), (b"a=%zz&b=%41", False), (b"a", True),
     (b"a=%u0041", False), (b"a=%41&b=%4", False)],
)  # fmt: skip
def test_an_invalid_escape_is_flagged(text: bytes, is_valid: bool):
    assert forms.read(text, 100)[1] is is_valid
    assert forms.parse(text, FORM, Limits()).flags == (
        {} if is_valid else {"URLENCODED_ERROR": b"1"}
    )


def test_beyond_the_limit_the_rest_is_not_read():
    assert forms.read(b"a&b&c", 3) == (((b"a", b""), (b"b", b""), (b"c", b"")), True, "")
    assert forms.read(b"a&b&c&d", 3) == (
        ((b"a", b""), (b"b", b""), (b"c", b"")), True, "arguments",
    )  # fmt: skip


def test_another_separator():
    assert forms.read(b"a=1;b=2&c", 10, b";")[0] == ((b"a", b"1"), (b"b", b"2&c"))


@settings(max_examples=200, deadline=None)
@given(
    st.lists(
        st.sampled_from([b"a", b"&", b"=", b"%41", b"%", b"%fe", b"%FF", b"+", b"\xff", b"\n"]),
        max_size=12,
    )
)
def test_all_at_once_is_as_one_by_one(pieces: list[bytes]):
    text = b"".join(pieces)
    one_by_one = []
    for piece in text.removesuffix(b"&").split(b"&") if text else ():
        name, _, value = piece.partition(b"=")
        one_by_one.append((forms.decode(name)[0], forms.decode(value)[0]))

    assert forms.read(text, 100)[0] == tuple(one_by_one)
