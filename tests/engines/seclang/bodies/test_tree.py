"""JSON as names and values, as ModSecurity names them."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from troth.engines.seclang.bodies import tree
from troth.engines.seclang.model import Limits, Pairs

JSON = b"application/json"


@pytest.mark.parametrize(
    ("body", "pairs"),
    [
        (b"", ()),
        (b'{"a":1}', ((b"json.a", b"1"),)),
        (b' {"a" : "x"} ', ((b"json.a", b"x"),)),
        (
            b'{"a":{"b":[1,"x",null,true,1.50,{"c":2}]}}',
            (
                (b"json.a.b.array_0", b"1"), (b"json.a.b.array_1", b"x"),
                (b"json.a.b.array_2", b""), (b"json.a.b.array_3", b"true"),
                (b"json.a.b.array_4", b"1.50"), (b"json.a.b.array_5.c", b"2"),
            ),
        ),
        (b"[[1],[2]]", ((b"json.array_0.array_0", b"1"), (b"json.array_1.array_0", b"2"))),
        (b'"x"', ((b"json", b"x"),)),
        (b"null", ((b"json", b""),)),
        (b"false", ((b"json", b"false"),)),
        (b'{"":1}', ((b"json.empty-key", b"1"),)),
        (b'{"a":1,"a":2}', ((b"json.a", b"1"), (b"json.a", b"2"))),
        (b'{"a":[],"b":{}}', ()),
        (b'{"a":"\\u0041\\ud83d\\ude00\\u0000"}', ((b"json.a", "A\N{GRINNING FACE}\0".encode()),)),
        (b'{"a":"\\ud800"}', ((b"json.a", b"?"),)),
        (b'{"a":-0,"b":1e5,"c":12345678901234567890123}',
         ((b"json.a", b"-0"), (b"json.b", b"1e5"), (b"json.c", b"12345678901234567890123"))),
        (b"1" * 5000, ((b"json", b"1" * 5000),)),  # no number is ever computed
        (b'\xef\xbb\xbf{"a":1}', ((b"json.a", b"1"),)),
        ('{"ä":"<é>"}'.encode("utf-16"), (("json.ä".encode(), "<é>".encode()),)),
        ('{"a":"é"}'.encode("utf-16-be"), ((b"json.a", "é".encode()),)),
        ('{"a":"é"}'.encode("utf-32-le"), ((b"json.a", "é".encode()),)),
    ],
)  # fmt: skip
def test_leaves(body: bytes, pairs: Pairs):
    parts = tree.parse(body, JSON, Limits())

    assert parts.arguments == pairs
    assert not parts.error
    assert not parts.limit


@pytest.mark.parametrize(
    "body",
    [b'{"a":1', b'{"a":1}x', b'{"a":1}{"b":2}', b'{"a":"\xff"}', b'{"a":"x\x01y"}', b'{"a":NaN}',
     b'{"a":1,}', b'/*c*/{"a":1}', b'{"a":01}', b"x", b"{'a':1}", b'{"a":Infinity}', b"{a:1}",
     b"\x00\x01\x00\x02", b"\xff\xfe{"],
)  # fmt: skip
def test_what_is_no_json_is_an_error(body: bytes):
    assert tree.parse(body, JSON, Limits()).error.startswith("JSON: ")


def test_what_a_broken_text_says_is_looked_at_all_the_same():
    parts = tree.parse(b'{"a":"1 \\u0027 or 1","b":[x,"c', JSON, Limits())

    assert parts.error
    assert parts.arguments == (
        (b"json.broken", b"a"), (b"json.broken", b"1 ' or 1"), (b"json.broken", b"b"),
        (b"json.broken", b'"c'),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("body", "limit"),
    [
        (b"[" * 100_000, "depth"),
        (b"[" * 65 + b"1" + b"]" * 65, "depth"),
        (b'{"a":' * 65 + b"1" + b"}" * 65, "depth"),
        (b"[" + b"1," * 1000 + b"1]", "arguments"),
        (b'{"' + b"k" * 60_000 + b'":[' + b"1," * 900 + b"1]}", "value"),
    ],
)
def test_limits_are_named(body: bytes, limit: str):
    assert tree.parse(body, JSON, Limits()).limit == limit


def test_commas_in_text_are_no_elements():
    body = json.dumps({"text": "a, b, " * 5000, "n": [1] * 900}).encode()

    parts = tree.parse(body, JSON, Limits())

    assert len(parts.arguments) == 901
    assert not parts.limit


def test_the_deepest_that_is_read():
    parts = tree.parse(b"[" * 64 + b"1" + b"]" * 64, JSON, Limits())

    assert parts.arguments == ((b"json" + b".array_0" * 64, b"1"),)


LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=8)
TREES = st.recursive(
    LEAVES,
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(), below, max_size=4),
)


@settings(max_examples=50, deadline=None)
@given(TREES)
def test_every_leaf_is_found_whatever_the_encoding(whole: object):
    def leaves(node: object) -> list[bytes]:
        if isinstance(node, dict):
            return [leaf for child in node.values() for leaf in leaves(child)]
        if isinstance(node, list):
            return [leaf for child in node for leaf in leaves(child)]
        text = node if isinstance(node, str) else "" if node is None else json.dumps(node)
        return [text.encode()]

    for ascii_only in (True, False):
        text = json.dumps(whole, ensure_ascii=ascii_only)
        for encoding in ("utf-8", "utf-16"):
            parts = tree.parse(text.encode(encoding), JSON, Limits())
            assert [value for _, value in parts.arguments] == leaves(whole)
