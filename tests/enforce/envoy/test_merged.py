"""Many fragments as one."""

from hypothesis import given
from hypothesis import strategies as st

from troth.enforce.envoy.merged import headers, merge, on_plain_http
from troth.kernel.fragment import Fragment, Header

NAMES = st.sampled_from(["a", "b", "c"])
HEADERS = st.builds(
    Header,
    name=NAMES,
    value=st.sampled_from(["1", "2"]),
    action=st.sampled_from(["replace", "append", "if-absent"]),
    amends=st.booleans(),
)


def values(given):
    return {each.name: each.value for each in headers(given)}


def test_values_of_one_name_are_joined_in_order():
    both = [Header("csp", "a b"), Header("x", "1"), Header("csp", "c")]

    assert values(both) == {"csp": "a b; c", "x": "1"}


def test_an_amendment_takes_the_place_of_what_was_there():
    assert values([Header("hsts", "1"), Header("hsts", "2", amends=True)]) == {"hsts": "2"}


def test_an_amendment_of_nothing_is_nothing():
    assert values([Header("hsts", "2", amends=True)]) == {}


def test_what_one_must_replace_is_replaced():
    both = (Header("csp", "a", "append"), Header("csp", "b"))

    assert [each.action for each in headers(both)] == ["replace"]
    assert [each.action for each in headers(reversed(both))] == ["replace"]
    assert headers([both[0]])[0].action == "append"


def test_plain_http_gets_what_is_not_for_tls_only():
    both = (Header("hsts", "1", only_tls=True), Header("x", "1"))

    assert on_plain_http(both) == (both[1],)


@given(st.lists(HEADERS, max_size=8))
def test_a_name_stands_there_once(several):
    names = [each.name for each in headers(several)]

    assert len(names) == len(set(names))
    assert set(names) == {
        name
        for name in names
        if not next(each for each in several if each.name == name and not each.amends).amends
    }


@given(st.lists(HEADERS, max_size=8), NAMES)
def test_leaving_a_name_out_leaves_the_others_as_they_were(several, name):
    rest = [each for each in several if each.name != name]

    assert values(rest) == {key: value for key, value in values(several).items() if key != name}


def test_everything_is_gathered():
    one = Fragment(
        promise="one",
        removed=("x", "y"),
        routes=({"match": 1},),
        tls={"a": 1, "b": 1},
        cookie_lua="one",
    )
    two = Fragment(
        promise="two",
        removed=("y", "z"),
        plain_routes=({"match": 2},),
        tls={"b": 2},
        is_tls_only=True,
        request_lua="two",
        response_lua="three",
    )

    merged = merge((one, two))

    assert merged.removed == ("x", "y", "z")
    assert (merged.routes, merged.plain_routes) == (({"match": 1},), ({"match": 2},))
    assert merged.tls == {"a": 1, "b": 2}
    assert merged.is_tls_only
    assert (merged.cookie_lua, merged.request_lua, merged.response_lua) == (
        ("one",),
        ("two",),
        ("three",),
    )
    assert not merge((one,)).is_tls_only
