"""The setup page over HTTP, with CSRF protection on."""

import re

import pytest
from django.test import Client

from troth.adapters import chance, clock
from troth.console.identity import invitation
from troth.console.records.models import Person

pytestmark = pytest.mark.usefixtures("clean")
WORDS = "correct horse battery staple"
SETUP = "/account/setup"
ORIGIN = "https://troth.demo.localhost:8443"


@pytest.fixture
def browser() -> Client:
    return Client(
        enforce_csrf_checks=True,
        HTTP_HOST="troth.demo.localhost:8443",
        HTTP_X_FORWARDED_PROTO="https",
        HTTP_ORIGIN=ORIGIN,
    )


@pytest.fixture
def token() -> str:
    return invitation.issue("ada@example.test", now=clock.now(), rng=chance.system())


def enter(browser: Client, token: str) -> str:
    """Open the link; returns the form's own token."""
    moved = browser.get(SETUP, {"token": token})
    assert moved.status_code == 303
    assert moved["Location"] == SETUP
    page = browser.get(SETUP)
    assert page.status_code == 200
    found = re.search(rb'name="csrfmiddlewaretoken" value="(\w+)"', page.content)
    assert found
    return found.group(1).decode()


def send(browser: Client, csrf: str, passphrase: str = WORDS, again: str = WORDS):
    form = {"csrfmiddlewaretoken": csrf, "passphrase": passphrase, "again": again}
    return browser.post(SETUP, form)


def test_the_token_leaves_the_address_for_a_cookie(browser: Client, token: str):
    moved = browser.get(SETUP, {"token": token})

    cookie = moved.cookies["__Host-troth-setup"]
    assert (moved.status_code, moved["Location"]) == (303, SETUP)
    assert cookie["secure"]
    assert cookie["httponly"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert "no-store" in moved["Cache-Control"]


def test_a_passphrase_makes_the_account_and_ends_the_link(browser: Client, token: str):
    done = send(browser, enter(browser, token))

    assert done.status_code == 200
    assert b"ada@example.test" in done.content
    assert done.cookies["__Host-troth-setup"].value == ""
    assert done.cookies["__Host-troth-setup"]["secure"]
    assert Person.objects.get().is_administrator
    assert browser.get(SETUP, {"token": token}).status_code == 410


def test_looking_uses_nothing_up(browser: Client, token: str):
    for _ in range(3):
        enter(browser, token)
    assert browser.head(SETUP, {"token": token}).status_code == 303

    assert send(browser, enter(browser, token)).status_code == 200


@pytest.mark.parametrize(
    ("passphrase", "again", "says"),
    [
        (WORDS, "something else entirely", b"not the same"),
        ("tooshort1", "tooshort1", b"at least 15"),
        ("passwordpassword", "passwordpassword", b"repeat itself"),
        ("ab cd" * 60, "ab cd" * 60, b"At most 256"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_lost(
    browser: Client, token: str, passphrase: str, again: str, says: bytes
):
    answer = send(browser, enter(browser, token), passphrase, again)

    assert answer.status_code == 422
    assert says in answer.content
    assert passphrase.encode() not in answer.content
    assert not Person.objects.exists()
    assert send(browser, enter(browser, token)).status_code == 200


def test_a_form_from_elsewhere_is_refused(browser: Client, token: str):
    csrf = enter(browser, token)

    assert send(browser, "0" * 64).status_code == 403
    browser.defaults["HTTP_ORIGIN"] = "https://demo.localhost:8443"
    assert send(browser, csrf).status_code == 403
    assert not Person.objects.exists()


@pytest.mark.parametrize("given", ["", "0" * 64, "<script>alert(1)</script>"])
def test_unknown_used_and_missing_look_the_same(browser: Client, given: str):
    answer = browser.get(SETUP, {"token": given} if given else {})

    assert answer.status_code == 410
    assert b"not valid" in answer.content
    assert b"<script" not in answer.content


def test_pages_have_headers_of_their_own(browser: Client):
    answer = browser.get(SETUP)

    assert answer["Referrer-Policy"] == "same-origin"
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert answer["X-Frame-Options"] == "DENY"


def test_the_style_sheet_is_served(browser: Client):
    answer = browser.get("/account/style.css")

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/css; charset=utf-8"


def test_a_big_body_is_refused(browser: Client, token: str):
    csrf = enter(browser, token)

    assert send(browser, csrf, "x" * 100_000, "x").status_code == 400
