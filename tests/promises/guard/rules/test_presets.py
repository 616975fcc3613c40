"""What an answer is like."""

import pytest

from troth.kernel.request import Response
from troth.promises.guard.rules.presets import MAX_BODY_BYTES, is_like, is_like_any, shape
from troth.promises.guard.settings.login import LoginRoute, Outcome


@pytest.mark.parametrize(
    ("wanted", "location", "expected"),
    [
        ("/login", "/login", True),
        ("/login", "/login?x", False),
        ("/login*", "/login?x", True),
        ("*error*", "/a?error=1", True),
        ("*error*", "https://a.example/a?error=1", True),
        ("/a/*/c", "/a/b/c", True),
        ("/a/*/c", "/a/c", False),
        ("/a*a", "/a", False),
        ("/x*y*z", "/x1y2z", True),
        ("/x*y*z", "/xzy", False),
        ("/", "https://a.example", True),
        ("/home", "https://a.example/home", True),
        ("*a*b*c*", "/cba", False),
    ],
)
def test_a_redirect_by_path_and_query(wanted, location, expected):
    assert is_like(Outcome(location=wanted), 302, location, None) is expected


def test_everything_that_is_said_must_hold():
    outcome = Outcome(status=(200,), body="wrong")

    assert is_like(outcome, 200, "", "so wrong")
    assert not is_like(outcome, 201, "", "so wrong")
    assert not is_like(outcome, 200, "", "fine")
    assert not is_like(outcome, 200, "", None)
    assert not is_like(Outcome(), 200, "", "")


def test_only_the_beginning_of_a_body_is_looked_at():
    outcome = (Outcome(body="wrong"),)
    late = Response(status=200, headers=(), body=b"x" * MAX_BODY_BYTES + b"wrong")
    early = Response(status=200, headers=(), body=b"\xff wrong")

    assert not is_like_any(outcome, late)
    assert is_like_any(outcome, early)


def test_what_a_route_says_comes_before_its_preset():
    said = shape(
        LoginRoute(path="/l", preset="django", account="mail", failure=(Outcome(status=(418,)),))
    )

    assert (said.account, said.password) == ("mail", "password")
    assert said.failure == (Outcome(status=(418,)),)
    assert said.success == (Outcome(status=(302, 303)),)


def test_without_a_preset_a_success_is_what_was_said():
    said = shape(LoginRoute(path="/l", failure=(Outcome(status=(401,), body="no"),)))

    assert (said.account, said.success, said.reads_body) == ("username", (), True)
    assert not shape(LoginRoute(path="/l", preset="json")).reads_body
