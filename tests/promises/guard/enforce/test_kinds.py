"""Parameters with a kind are checked by it, where the operator turned it on."""

from datetime import UTC, datetime

import pytest

from troth.kernel.request import FINE, Known, Request
from troth.promises.guard.enforce import kinds
from troth.promises.guard.settings.learn import Learn, Parameter

KNOWN = Known(now=datetime(2026, 1, 1, tzinfo=UTC))
PARAMETERS = (
    Parameter(path="/courts/{id}", name="hour", kind="integer", max_length=2),
    Parameter(path="/api/*", name="items.*.id", kind="uuid", max_length=36),
    Parameter(path="/login", name="password", kind="slug"),
)
UUID = b"123e4567-e89b-12d3-a456-426614174000"


def ask(target: bytes, body: bytes | None = None, kind: bytes = b"", check: str = "block"):
    headers = ((b"content-type", kind),) if kind else ()
    request = Request(method=b"POST", target=target, host=b"a", headers=headers, body=body)
    (asked,) = kinds.checks(Learn(check=check, parameters=PARAMETERS))
    return asked(request, KNOWN)


@pytest.mark.parametrize(
    ("target", "is_fine"),
    [
        (b"/courts/3?hour=17", True), (b"/courts/3?hour=", True), (b"/courts/3?other=x", True),
        (b"/courts/3?hour=17;ls", False), (b"/courts/3?hour=170", False),
        (b"/courts/3?hour=1&hour=x", False), (b"/COURTS//3/?hour=x", False),
        (b"/elsewhere?hour=x", True),
    ],
)  # fmt: skip
def test_query(target: bytes, is_fine: bool):
    opinion = ask(target)

    assert (opinion is FINE) == is_fine
    if not is_fine:
        assert (opinion.refusal.code, opinion.refusal.status) == ("type", 400)
        assert opinion.hits[0].message == "is no integer"


def test_members_of_lists():
    good = b'{"items":[{"id":"%b"},{"id":"%b"}]}' % (UUID, UUID)
    bad = b'{"items":[{"id":"%b"},{"id":"1"}]}' % UUID

    assert ask(b"/api/x", good, b"application/json") is FINE
    assert ask(b"/api/x", bad, b"application/json").hits[0].place == "ARGS:items.*.id"


def test_watching_only_tells():
    opinion = ask(b"/courts/3?hour=x", check="watch")

    assert opinion.refusal is None
    assert opinion.counted == "type.watched"


def test_a_secret_is_not_told():
    assert ask(b"/login?password=a+b").hits[0].value == b""


def test_off_is_nothing():
    assert kinds.checks(Learn(parameters=PARAMETERS)) == ()
    assert kinds.checks(Learn(check="block")) == ()
