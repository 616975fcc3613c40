"""The guard's word and the limits, as a visitor meets them. Fails closed unless set otherwise."""

import socket
import ssl
import time
from contextlib import ExitStack

import pytest
from websockets.sync.client import connect

GUARD = ("guard-a", "guard-b")
DEADLINE_S = 20.0


@pytest.fixture
def guarded(edge, stand, sock):
    """`with guarded() as (first, second):` both guards stand and the edge asks them."""

    def enter(*names, **changes):
        stack = ExitStack()
        guards = [stack.enter_context(stand(name)) for name in names or GUARD]
        sockets = tuple(sock(name) for name in GUARD)
        stack.enter_context(edge.altered(guards=sockets, **changes))
        until(lambda: edge.ask("/up").status == 200 if names != ("none",) else True)
        return stack, guards

    return enter


def until(is_true):
    deadline = time.monotonic() + DEADLINE_S
    while not is_true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_the_first_guard_is_asked_with_everything(edge, guarded):
    stack, (first, second) = guarded()
    with stack:
        first.asked.clear()
        answer = edge.ask("/a/../b?c=d", method="PUT", body=b"hello", headers={"X-Odd": "1"})

    ((path, headers, body),) = first.asked
    assert answer.status == 200
    assert (path, body) == ("/b?c=d", b"hello")
    assert headers["x-odd"] == "1"
    assert headers["host"] == f"demo.localhost:{edge.plan.port}"
    assert headers["x-troth-client"] == "127.0.0.1"
    assert second.asked == []


def test_what_the_guard_adds_reaches_the_application(edge, guarded):
    stack, (first, _) = guarded()
    with stack:
        first.answer = lambda *_: (200, {"X-Troth-User": "anna", "X-Other": "no"}, b"")
        answer = edge.ask(headers={"X-Troth-User": "spoofed"})

    assert '["x-troth-user", "anna"]' in answer.text
    assert "spoofed" not in answer.text
    assert "x-other" not in answer.text


def test_a_refusal_keeps_the_guards_page_and_gets_the_own_set(edge, guarded):
    page = b"<!doctype html><title>No</title>"
    headers = {"Content-Type": "text/html; charset=utf-8", "Troth-Refused": "origin-check"}
    stack, (first, _) = guarded()
    with stack:
        first.answer = lambda *_: (403, headers, page)
        answer = edge.ask()

    assert answer.status == 403
    assert answer.body == page
    assert answer.one("content-type") == "text/html; charset=utf-8"
    assert answer.one("troth-refused") == "origin-check"
    assert answer.one("content-security-policy").startswith("default-src 'none'; style-src 'self'")
    for name in ("strict-transport-security", "x-frame-options", "cache-control"):
        assert len(answer.all(name)) == 1


def test_a_refusals_style_is_not_refused(edge, guarded):
    stack, (first, _) = guarded()
    with stack:
        first.answer = lambda *_: (403, {}, b"")
        assert edge.ask("/-/page.css").status == 200
        assert edge.ask("/").status == 403


def test_a_guard_that_fails_itself_is_no_guard(edge, guarded):
    stack, (first, second) = guarded()
    with stack:
        first.answer = second.answer = lambda *_: (503, {}, b"guard's own words")
        answer = edge.ask()

    assert answer.status == 503
    assert "<h1>Not available</h1>" in answer.text


def test_no_guard_no_answer(edge, sock):
    with edge.altered(guards=(sock("nobody-1"), sock("nobody-2"))):
        answer = edge.ask()

    assert answer.status == 503
    assert answer.one("retry-after") == "5"
    assert "<h1>Not available</h1>" in answer.text
    assert len(answer.all("strict-transport-security")) == 1


def test_the_standby_takes_over_and_gives_back(edge, guarded, stand):
    stack, guards = guarded("guard-b")
    with stack:
        assert edge.ask().status == 200
        with stand("guard-a") as first:
            until(lambda: edge.ask().status == 200 and first.asked)
        assert {edge.ask().status for _ in range(5)} == {200}
    assert guards[0].asked


def test_a_guard_that_hangs_is_put_aside_and_nobody_notices(edge, guarded):
    # Half of it is the standby's share: enough for a machine that is busy with other tests.
    stack, (first, second) = guarded(guard_timeout_ms=3000)
    with stack:
        first.answer = lambda *_: time.sleep(3) or (200, {}, b"")
        statuses = [edge.ask().status for _ in range(5)]
        first.answer = lambda *_: (200, {}, b"")

    assert set(statuses) == {200}
    assert second.asked


def test_a_slow_decision_is_waited_for(edge, guarded):
    stack, (first, second) = guarded(guard_timeout_ms=1000)
    with stack:
        first.asked.clear()
        first.answer = lambda *_: time.sleep(0.2) or (200, {}, b"")
        assert edge.ask().status == 200

    assert (len(first.asked), second.asked) == (1, [])


def test_fail_open_only_where_named(edge, sock):
    with edge.altered(guards=(sock("nobody-1"),), fail_open_paths=("/open/",)):
        assert edge.ask("/open/x").status == 200
        assert edge.ask("/x").status == 503


def test_fail_open_still_obeys_a_guard_that_is_there(edge, guarded):
    stack, (first, _) = guarded(fail_open_paths=("/open/",))
    with stack:
        first.answer = lambda *_: (403, {}, b"no")
        assert edge.ask("/open/x").status == 403


def test_troths_readable_pages_do_not_wait_for_a_guard(edge, sock, stand):
    with (
        stand("status") as status,
        edge.altered(guards=(sock("nobody-1"),), status=sock("status"), console=sock("console")),
    ):
        assert edge.ask("/trust/", host=edge.plan.troth_host).status == 200
        assert edge.ask("/.well-known/security.txt").status == 200
        assert edge.ask("/account/", host=edge.plan.troth_host).status == 503
    assert [path for path, _, _ in status.asked] == ["/trust/", "/.well-known/security.txt"]


def test_a_websocket_is_asked_about_once_and_passes(edge, guarded):
    stack, (first, _) = guarded(is_body_inspected=True)
    with stack:
        first.asked.clear()
        door = socket.create_connection(("127.0.0.1", edge.plan.port), timeout=20)
        context = ssl.create_default_context(cafile=edge.ca_file)
        url = f"wss://{edge.plan.app_host}:{edge.plan.port}/ws"
        with connect(url, sock=door, ssl=context, proxy=None) as client:
            client.send("hello")
            assert client.recv(timeout=20) == "hello"

    assert [path for path, _, _ in first.asked] == ["/ws"]


class TestLimits:
    """Bodies: inspected whole or refused; on named paths larger ones, which nobody inspects."""

    def test_a_body_up_to_the_limit_reaches_guard_and_application(self, edge, guarded):
        size = 3 * 1024**2
        stack, (first, _) = guarded(
            max_body_bytes=size, inspected_bytes=size, guard_timeout_ms=5000
        )
        with stack:
            first.asked.clear()
            answer = edge.ask(method="POST", body=b"x" * size, timeout_s=20)

        assert answer.status == 200
        assert f'"bytes": {size}' in answer.text
        assert [len(body) for _, _, body in first.asked] == [size]

    def test_one_byte_more_is_refused_unseen(self, edge, guarded):
        stack, (first, _) = guarded(max_body_bytes=4096)
        with stack:
            first.asked.clear()
            assert edge.ask(method="POST", body=b"x" * 4097).status == 413
        assert first.asked == []

    def test_uploads(self, edge, guarded):
        changes = {"upload_paths": ("/up/",), "max_body_bytes": 2048, "max_upload_bytes": 8192}
        stack, (first, _) = guarded(**changes)
        with stack:
            first.asked.clear()
            assert edge.ask("/up/x", method="POST", body=b"x" * 8192).status == 200
            assert first.asked[0][2] == b""
            assert edge.ask("/up/x", method="POST", body=b"x" * 8193).status == 413
            assert edge.ask("/x", method="POST", body=b"x" * 4096).status == 413

    def test_streams_have_no_limit(self, edge, guarded):
        stack, (first, _) = guarded(stream_paths=("/events",), max_body_bytes=2048)
        with stack:
            first.asked.clear()
            assert edge.ask("/events", method="POST", body=b"x" * 50_000).status == 200
        assert first.asked[0][2] == b""
