import base64
import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.detect import layers

TAG = b"<script>alert(1)</script>"
WIDE = TAG.decode().encode("utf-16-le")
ONE = base64.b64encode(TAG)


def test_the_value_itself_comes_first():
    assert layers.unfold(b"Mario").forms == (layers.Form("", b"Mario"),)
    assert layers.unfold(b"a%41").forms[0] == layers.Form("", b"a%41")


@pytest.mark.parametrize(
    ("raw", "how", "text"),
    [
        (b"%3Cscript%3E", "url", b"<script>"),
        (b"%253Cscript%253E", "url+url", b"<script>"),
        (b"%u003cscript%u003E", "url", b"<script>"),
        (b"%uff1cscript%uff1e", "url", b"<script>"),
        (b"1+union+select+2", "url", b"1 union select 2"),
        (b"&lt;svg/onload&equals;a&gt;", "entity", b"<svg/onload=a>"),
        (b"j&#X41vascript", "entity", b"jAvascript"),
        (b"&#0000000060b&#62", "entity", b"<b>"),
        (b"&ltscript&gt", "entity", b"<script>"),
        (rb"\u003cscript\x3e\74", "script", b"<script><"),
        (rb"\u{03c}b", "script", b"<b"),
        (rb"\3c script\00003e", "style", b"<script>"),
        (b"\xc0\xae\xc0\xae\xc0\xaf", "overlong", b"../"),
        (b"\xe0\x80\xaf\xf0\x80\x80\xaf", "overlong", b"//"),
        ("\uff1cscript\uff1e".encode(), "wide", b"<script>"),
        ("\ufe64b\ufe65".encode(), "wide", b"<b>"),
        (b"\xff\xfe" + WIDE, "utf16", TAG),
        (b"\xfe\xff" + TAG.decode().encode("utf-16-be"), "utf16", TAG),
        (WIDE, "utf16", TAG),
        (b"+ADw-script+AD4-", "utf7", b"<script>"),
        (ONE, "base64", TAG),
        (ONE.rstrip(b"="), "base64", TAG),
        (base64.urlsafe_b64encode(b"<a>?~~~>>>b???"), "base64", b"<a>?~~~>>>b???"),
        (base64.encodebytes(TAG * 4), "base64", TAG * 4),
        (b"/" + ONE, "base64", TAG),
        (b"data:text/html;base64," + ONE, "base64", TAG),
        (base64.b64encode(WIDE), "base64+utf16", TAG),
        (base64.b64encode(ONE), "base64+base64", TAG),
        (TAG.hex().encode(), "hex", TAG),
        (b"0x" + TAG.hex().encode(), "hex", TAG),
        (b'{"a": ["x", {"b": "1\\u0027 or 1"}]}', "json", b"1' or 1"),
        (b'{"a": "{\\"b\\": \\"<i>\\"}"}', "json+json", b"<i>"),
    ],
)
def test_each_layer_comes_off(raw, how, text):
    assert layers.Form(how, text) in layers.unfold(raw).forms


@pytest.mark.parametrize(
    "raw",
    [
        b"550e8400-e29b-41d4-a716-446655440000",
        b"d41d8cd98f00b204e9800998ecf8427e",
        b"Donaudampfschifffahrtsgesellschaft",
        b"Let us meet at the restaurant, O'Brien",
        b"mario.rossi@example.org",
        "Perché no? L'estate è già finita".encode(),
        b"1234567890123456",
    ],
)
def test_what_holds_nothing_has_no_second_form(raw):
    assert len(layers.unfold(raw).forms) == 1


PIECES = rb"a DROP PHNj cmlwdD4 / - = 0x 3c2f 7363726970 %41 &lt; \x3c + \" [ { .".split()
RAW = (b" ", b"\0", b"\n", b"\xc0\xae", b"\xff\xfe", b"\xc3\xa9", "\uff1c".encode())
WHOLE = (ONE, TAG.hex().encode(), base64.b64encode(WIDE))
SPELT = st.lists(st.sampled_from([*PIECES, *RAW, *WHOLE]), max_size=6).map(b"".join)


@given(SPELT)
@settings(max_examples=400)
def test_whatever_has_another_form_has_the_sign_of_one(value):
    is_signed = re.search(layers.SIGN, value, re.DOTALL | re.MULTILINE) is not None

    assert is_signed or not layers.forms(value)


def test_ordinary_values_have_no_sign_of_another_form():
    for value in (b"mario.rossi@example.org", b"2026-11-23", b"json.rows.array_12.id", b"en-GB"):
        assert re.search(layers.SIGN, value, re.DOTALL | re.MULTILINE) is None


def test_a_bound_that_was_met_is_said():
    assert not layers.unfold(b"&lt;" * 1000).is_exhausted
    assert not layers.unfold(b"&" * 50_000).is_exhausted
    assert layers.unfold(b"&lt;" * 50_000).is_exhausted
    assert layers.unfold(b"\\x41" * 50_000).is_exhausted
    few = b"[" + b",".join(b'"v %d"' % number for number in range(1000)) + b"]"
    assert not layers.unfold(few).is_exhausted
    many = b"[" + b",".join(b'"v %d"' % number for number in range(5000)) + b"]"
    assert layers.unfold(many).is_exhausted
    assert len(layers.unfold(many).forms) == layers.MAX_FORMS


def test_a_detector_looks_through_the_layers_and_says_which():
    find = layers.through(lambda text: "tag" if b"<script" in text else None)

    assert find(TAG) == "tag"
    assert find(ONE) == "base64:tag"
    assert find(b"%253Cscript>") == "url+url:tag"
    assert find(b"nothing") is None
    assert find(b"nothing%41") is None


PIECES = (
    b'% 25 41 &# x3c; \\u00 \\ " [ { } +ADw- \0 \xc0\xae \xff\xfe \xef\xbc\x9c PHNj cmlw = a'.split(
        b" "
    )
)
NOTATIONS = st.lists(st.sampled_from(PIECES), max_size=60).map(b"".join)


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.binary(max_size=200), NOTATIONS))
def test_the_bounds_hold_whatever_comes(raw):
    forms, _ = layers.unfold(raw)

    assert forms[0].text == raw
    assert len(forms) <= layers.MAX_FORMS
    assert sum(len(text) for _, text in forms[1:]) <= 4 * len(raw) + layers.SPARE_BYTES
    assert len({text for _, text in forms}) == len(forms)
    assert all(how.count("+") < layers.DEPTH for how, _ in forms)
