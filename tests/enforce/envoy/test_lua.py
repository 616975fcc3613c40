"""What is generated; what it does is seen with the fragments that need it."""

import pytest

from troth.enforce.envoy.lua import MAX_LINES, script
from troth.enforce.envoy.merged import merge
from troth.kernel.fragment import Fragment
from troth.promises.edge.enforce import fragments
from troth.promises.edge.settings import Cookies, Cors, EdgeSettings


def of(**lua):
    return script(merge((Fragment(promise="x", **lua),)))


def test_nothing_needs_no_script():
    assert script(merge(())) == ""
    assert script(merge((Fragment(promise="x"),))) == ""


def test_each_part_stands_alone():
    assert of(request_lua="a()").endswith(
        "local function on_request_0(handle, headers) a() end\n"
        "function envoy_on_request(handle)\n"
        "  local headers = handle:headers()\n"
        "  try(handle, headers, on_request_0)\n"
        "end\n"
    )
    assert "envoy_on_request" not in of(response_lua="a()")
    assert "set-cookie" not in of(response_lua="a()")
    assert "function envoy_on_response" in of(cookie_lua="a()")


def test_statements_of_several_fragments_stand_in_order():
    text = script(
        merge(
            (
                Fragment(promise="x", response_lua="first()"),
                Fragment(promise="y", response_lua="second()\n"),
            )
        )
    )

    assert text.index("first()") < text.index("second()")


def test_it_stays_short_with_everything_turned_on():
    everything = EdgeSettings(
        cors=Cors(origins=("https://a.example", "https://b.example"), credentials=True),
        cookies=Cookies(readable=("a", "b"), cross_site=("c",)),
        service_worker_scopes=("/a/", "/b/"),
    )

    assert script(merge(fragments(everything))).count("\n") <= MAX_LINES


def test_too_much_is_refused():
    with pytest.raises(ValueError, match="60 at most"):
        of(response_lua="a()\n" * MAX_LINES)


def test_each_statement_runs_by_itself_and_cookies_are_out_before_they_are_repaired():
    text = of(cookie_lua="a()", response_lua="b()")

    assert text.index('headers:remove("set-cookie")') < text.index("text = cookie(text)")
    assert text.count("try(handle, headers, on_response_") == 2


def test_no_answer_makes_a_function():
    text = of(cookie_lua="a()", response_lua="b()")

    assert "function" not in text[text.index("function envoy_on_response") :][len("function") :]
