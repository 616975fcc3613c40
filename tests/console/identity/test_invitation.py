"""The first administrator's link: once, in time, and never twice even at once."""

import threading
from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.hashers import check_password
from django.core.exceptions import ValidationError
from django.db import connections

from troth.adapters import chance
from troth.console.identity import invitation
from troth.console.identity.invitation import InvitationError
from troth.console.records.models import Invitation, Person
from troth.kernel.site import Site

pytestmark = pytest.mark.usefixtures("clean")
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
WORDS = "correct horse battery staple"
ADA = "ada@example.test"


def issue(email: str = ADA) -> str:
    return invitation.issue(email, now=NOON, rng=chance.system())


def test_the_token_is_not_in_the_database():
    token = issue()

    (kept,) = Invitation.objects.all()
    assert len(token) == 64
    assert token.encode() not in bytes(kept.token_sha256)
    assert bytes.fromhex(token) not in bytes(kept.token_sha256)


def test_it_makes_one_administrator():
    person = invitation.redeem(issue(), WORDS, now=NOON)

    kept = Person.objects.get()
    assert kept == person
    assert (kept.email, kept.is_administrator, kept.created) == (ADA, True, NOON)
    assert kept.password.startswith("scrypt$")
    assert check_password(WORDS, kept.password)


def test_it_works_once():
    token = issue()
    invitation.redeem(token, WORDS, now=NOON)

    with pytest.raises(InvitationError, match="not valid"):
        invitation.redeem(token, WORDS, now=NOON)


@pytest.mark.parametrize("late", [timedelta(hours=24), timedelta(days=400)])
def test_it_expires(late: timedelta):
    token = issue()
    invitation.look(token, now=NOON + timedelta(hours=24) - timedelta(seconds=1))

    with pytest.raises(InvitationError, match="not valid"):
        invitation.redeem(token, WORDS, now=NOON + late)
    assert not Person.objects.exists()


@pytest.mark.parametrize("token", ["", "0" * 64, "\udc80", "a" * 10_000])
def test_a_guess_is_refused(token: str):
    issue()

    with pytest.raises(InvitationError, match="not valid"):
        invitation.look(token, now=NOON)


def test_a_weak_passphrase_uses_nothing_up():
    token = issue()

    with pytest.raises(ValidationError):
        invitation.redeem(token, "passwordpassword", now=NOON)
    assert invitation.redeem(token, WORDS, now=NOON).pk


def test_a_new_one_ends_the_earlier():
    first, second = issue(), issue("grace@example.test")

    with pytest.raises(InvitationError):
        invitation.look(first, now=NOON)
    assert invitation.look(second, now=NOON).email == "grace@example.test"


def test_there_is_none_once_somebody_is_in_charge():
    invitation.redeem(issue(), WORDS, now=NOON)

    with pytest.raises(InvitationError, match="an administrator already"):
        issue("eve@example.test")


def test_what_is_no_address_is_refused():
    with pytest.raises(InvitationError, match="not a mail address"):
        issue("nobody")


def test_of_many_at_once_one_succeeds():
    token = issue()
    together = threading.Barrier(5)
    outcomes: list[str] = []

    def redeem() -> None:
        together.wait(10)
        try:
            invitation.redeem(token, WORDS, now=NOON)
            outcomes.append("in")
        except InvitationError:
            outcomes.append("out")
        finally:
            connections.close_all()

    threads = [threading.Thread(target=redeem) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)

    assert sorted(outcomes) == ["in", "out", "out", "out", "out"]
    assert Person.objects.count() == 1


def test_the_link_is_on_troths_own_host():
    site = Site(
        name="Demo",
        app="https://demo.localhost:8443",
        http="http://demo.localhost:8080",
        troth="https://troth.demo.localhost:8443",
        status="https://status.demo.localhost:8444",
    )

    assert (
        invitation.link(site, "abc") == "https://troth.demo.localhost:8443/account/setup?token=abc"
    )
