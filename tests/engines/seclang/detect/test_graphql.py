import pytest
from harmless import ALL
from hypothesis import given
from hypothesis import strategies as st

from troth.engines.seclang.detect import graphql


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"{ __schema { types { name } } }", "introspection"),
        (b'query A { __type(name: "User") { fields { name } } }', "introspection"),
        (b"query { " + b"a { " * 20 + b"b" + b" }" * 21, "depth"),
        (b"{" + b" ".join(b"a%d: login(p: %d)" % (n, n) for n in range(60)) + b"}", "aliases"),
        (b"query { a " + b"@skip(if: false) " * 30 + b"}", "directives"),
        (b"query { ...A } fragment A on B { ...C } fragment C on B { ...A }", "circle"),
        (b" ".join(b"query Q%d { a }" % n for n in range(30)), "batch"),
        (b"{" + b"a " * 9000 + b"}", "flood"),
        (b'{"query": "{ __schema { types { name } } }"}', "json:introspection"),
    ],
)
def test_a_document_beyond_bounds_is_an_attack(value, reason):
    assert graphql.find(value) == reason


@pytest.mark.parametrize(
    "value",
    [
        *ALL,
        b"query Me($id: ID!) { user(id: $id) { name posts(first: 10) { title __typename } } }",
        b'mutation { book(in: {seats: 2, at: "20:00"}) { id } }',
        b"{ small: photo(size: 64) { url } large: photo(size: 1024) { url } }",
        b"query { a { ...F } } fragment F on A { b c { ...G } } fragment G on C { d }",
        b'{ a(text: "__schema is a word") { b } }',
        b"# __schema\nquery { a }",
        b"body { color: red; }",
        b"{ a: 1, b: [2] }",
        b"{{ name }}",
    ],
)
def test_what_clients_send_is_none(value):
    assert graphql.find(value) is None


@given(st.binary(max_size=99) | st.text('{}()[]:!@$.a_ "#\nquery', max_size=80).map(str.encode))
def test_nothing_raises(value):
    assert graphql.find(value) is None or isinstance(graphql.find(value), str)
