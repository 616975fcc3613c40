"""Named uploads through a real Envoy: to the desk, back in, and what happens without one."""

import json
import time

import pytest

BODY = b"x" * 5000
DEADLINE_S = 20.0


@pytest.fixture
def named(edge, sock):
    """`with named():` an upload route is named, its desk is at `desk.sock`."""

    def enter(**changes):
        ways = {"desk": sock("desk"), "released": sock("back")}
        return edge.altered(upload_paths=("/up/",), **ways, **changes)

    return enter


def test_uploads_go_to_the_desk_and_its_word_reaches_the_visitor(edge, named, stand):
    with stand("desk") as desk, named():
        desk.answer = lambda *_: (403, {"troth-refused": "uploads-scanned"}, b"no")
        refused = edge.ask("/up/x?y", method="POST", body=BODY)
        read = edge.ask("/up/x")
        other = edge.ask("/x", method="POST", body=b"x")

    assert (refused.status, refused.one("troth-refused")) == (403, "uploads-scanned")
    ((path, headers, body),) = desk.asked
    assert (path, body) == ("/up/x?y", BODY)
    assert headers["x-troth-client"] == "127.0.0.1"
    assert (read.status, other.status) == (200, 200)


def test_without_a_desk_nothing_passes(edge, named):
    with named():
        assert edge.ask("/up/x", method="POST", body=BODY).status == 503


def test_by_the_operators_choice_it_does_and_nothing_is_rewritten_on_the_way(edge, named):
    with named(is_desk_passable=True):
        deadline = time.monotonic() + DEADLINE_S
        while (answer := edge.ask("/up/x?a=b", method="POST", body=BODY)).status != 200:
            assert time.monotonic() < deadline
        direct = edge.ask("/x?a=b", method="POST", body=b"x" * 500)

    seen, plain = json.loads(answer.text), json.loads(direct.text)
    unlike = {"content-length", "transfer-encoding", "x-request-id"}
    kept = [pair for pair in seen["headers"] if pair[0].lower() not in unlike]
    assert sorted(kept) == sorted(p for p in plain["headers"] if p[0].lower() not in unlike)


def test_what_the_application_says_in_our_name_is_taken_off(edge, named):
    with named(is_desk_passable=True):
        deadline = time.monotonic() + DEADLINE_S
        address = "/up/x?header=Troth-Refused:waf&header=X-Own:1"
        while (answer := edge.ask(address, method="POST", body=BODY)).status != 200:
            assert time.monotonic() < deadline

    assert answer.one("x-own") == "1"
    assert not answer.all("troth-refused")
