"""Cookies as the probes bring them: without their values."""

import msgspec

from troth.promises.edge.probe import cookies
from troth.promises.edge.settings import EdgeSettings

FORM = {"path": "/login", "fields": {"email": "canary@example.org", "password": "x{random}"}}


def settings(**probe) -> EdgeSettings:
    return msgspec.convert({"probe": probe}, EdgeSettings)


def test_the_form_is_posted_as_from_our_own_page(played, plain):
    given = ("Set-Cookie", "sid=very-secret; Path=/; Secure")
    vantage = played(
        {"POST https://app.example/login": plain(303, b"", given, ("set-cookie", "b"))}
    )

    seen = cookies.one(vantage, settings(cookie=FORM))

    assert seen.facts == {
        "set_cookie": ["sid=; Path=/; Secure", "b"],
        "asked": 1,
        "cookies_seen": 2,
    }
    assert seen.public == {"cookies_seen"}
    (sent,) = vantage.sent
    assert ("Origin", "https://app.example") in sent["headers"]
    assert sent["body"].startswith(b"email=canary%40example.org&password=x")
    assert len(sent["body"].rpartition(b"=x")[2]) == 24


def test_without_a_form_nothing_is_asked(played):
    vantage = played()

    assert cookies.one(vantage, settings()).facts["asked"] == 0
    assert vantage.asked == []


def test_every_form_and_every_page(played, html):
    vantage = played(
        {
            "GET https://app.example/": html("<a href=/a>", ("Set-Cookie", "one=1")),
            "GET https://app.example/a": html("", ("Set-Cookie", "two=2; Secure")),
        }
    )

    seen = cookies.every(vantage, settings(cookie=FORM, forms=[FORM]))

    assert seen.facts["set_cookie"] == ["one=", "two=; Secure"]
    assert vantage.asked.count("POST https://app.example/login") == 2
