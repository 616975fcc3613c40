"""Tokens for important actions: given to our pages, asked of what changes something."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from troth.kernel.request import Known, Request
from troth.promises.guard.enforce import csrf
from troth.promises.guard.enforce.csrf_script import SCRIPT
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.csrf import fault, made
from troth.promises.guard.rules.tokens import Key, Keyring
from troth.promises.guard.settings.csrf import Csrf

ON = Csrf(paths=("/pay", "/admin/*"), lasts_s=600)
ASKS = (b"troth-csrf", b"ask")
FRESH = "0123456789abcdef" * 2


@pytest.fixture
def page(make):
    """A browser: `page()` loads a token as the script does; (cookie header, token)."""

    def load(*headers, now=make.start, fresh=FRESH, secrets=make.secrets, on=ON):
        asked = Request(
            method=b"GET", target=b"/-/csrf", host=b"app.example", headers=(ASKS, *headers)
        )
        given = csrf.own(on, secrets)["csrf"](asked, now, fresh)
        assert given.status == 200
        set_cookies = given.values(b"set-cookie")
        cookies = tuple((b"cookie", line.partition(b";")[0]) for line in set_cookies)
        return cookies, json.loads(given.body)["token"].encode()

    return load


@pytest.fixture
def asked(world, make):
    world.checks = csrf.checks(ON, make.site, make.secrets)

    def of(*headers, target=b"/pay", body=b"", method=b"POST", **more):
        refusal = world.judge(make.post(target, body, *headers, method=method, **more)).refusal
        assert refusal is None or (refusal.slug, refusal.status) == ("csrf-token", 403)
        return refusal.code if refusal else ""

    return of


def test_a_token_of_this_browser_passes_in_header_and_form(asked, page):
    cookie, token = page()
    multipart = b'--b\r\nContent-Disposition: form-data; name="troth-csrf"\r\n\r\n%b\r\n--b--\r\n'

    assert asked(*cookie, (b"troth-csrf", token)) == ""
    assert asked(*cookie, body=b"a=1&troth-csrf=" + token) == ""
    kind = b"multipart/form-data; boundary=b"
    assert asked(*cookie, body=multipart % token, kind=kind) == ""
    assert asked(*cookie, (b"troth-csrf", token), target=b"/ADMIN//x/") == ""


def test_without_it_is_refused(asked, page):
    cookie, token = page()

    assert asked(*cookie) == "missing"
    assert asked(*cookie, (b"troth-csrf", b"")) == "missing"
    assert asked((b"troth-csrf", token)) == "no-session"
    assert asked(*cookie, body=b"token=" + token) == "missing"
    assert asked(*cookie, target=b"/pay?troth-csrf=" + token) == "missing"
    body = b'{"troth-csrf":"' + token + b'"}'
    assert asked(*cookie, body=body, kind=b"application/json") == "missing"


def test_another_browsers_is_refused(asked, page):
    mine, _ = page()
    _, theirs = page(fresh="f" * 32)

    assert asked(*mine, (b"troth-csrf", theirs)) == "another-session"


def test_an_old_one_is_refused(world, asked, page):
    cookie, token = page()
    world.later(seconds=599)
    assert asked(*cookie, (b"troth-csrf", token)) == ""
    world.later(seconds=2)
    assert asked(*cookie, (b"troth-csrf", token)) == "expired"


def test_one_from_the_future_is_refused(asked, page, make):
    cookie, token = page(now=make.start + timedelta(seconds=5))

    assert asked(*cookie, (b"troth-csrf", token)) == "expired"


def test_one_that_is_not_ours_is_refused(asked, page, make):
    cookie, token = page()
    foreign = Secrets(ring=Keyring((Key("k1", b"9" * 32),)))
    _, strange = page(secrets=foreign)

    for wrong in (token[:-1], token + b"x", b"x", b"." * 9, strange, b"\xff", token.upper()):
        assert asked(*cookie, (b"troth-csrf", wrong)) == "forged"
    name, _, value = cookie[0][1].partition(b"=")
    assert asked((b"cookie", name + b"=x" + value), (b"troth-csrf", token)) == "no-session"


def test_two_that_differ_are_none(asked, page):
    cookie, token = page()

    assert asked(*cookie, (b"troth-csrf", token), (b"troth-csrf", b"x")) == "two"
    assert asked(*cookie, (b"troth-csrf", token), body=b"troth-csrf=x") == "two"
    assert asked(*cookie, (b"troth-csrf", token), body=b"troth-csrf=" + token) == ""
    assert asked(*cookie, *cookie, (b"troth-csrf", token)) == "no-session"


def test_it_is_bound_to_troths_session_where_there_is_one(asked, page):
    sid = (b"cookie", b"__Host-sid=one")
    cookies, token = page(sid)

    assert cookies == ()
    assert asked(sid, (b"troth-csrf", token)) == ""
    assert asked((b"cookie", b"__Host-sid=two"), (b"troth-csrf", token)) == "another-session"


def test_a_browser_keeps_its_cookie_and_gets_token_after_token(asked, page, world):
    cookie, first = page()
    world.later(seconds=300)
    again, second = page(*cookie, now=world.now)

    assert again == ()
    assert first != second
    assert asked(*cookie, (b"troth-csrf", first)) == ""
    assert asked(*cookie, (b"troth-csrf", second)) == ""


def test_keys_may_be_renewed_meanwhile(page, make, world):
    cookie, token = page()
    newer = Secrets(ring=Keyring((Key("k2", b"7" * 32), *make.secrets.ring.keys)))
    world.checks = csrf.checks(ON, make.site, newer)
    _, next_token = page(*cookie, secrets=newer)

    for each in (token, next_token):
        assert world.judge(make.post(b"/pay", b"", *cookie, (b"troth-csrf", each))).refusal is None


def test_other_routes_methods_and_hosts_are_not_asked(asked, make, world):
    assert asked(target=b"/other") == ""
    for method in (b"GET", b"HEAD", b"OPTIONS"):
        assert asked(method=method) == ""
    for method in (b"PUT", b"PATCH", b"DELETE", b"ANY"):
        assert asked(method=method) == "missing"
    elsewhere = Request(method=b"POST", target=b"/pay", host=b"troth.example", headers=())
    assert world.judge(elsewhere).refusal is None


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        (b"GET", ()),
        (b"GET", ((b"troth-csrf", b"other"),)),
        (b"GET", (ASKS, ASKS)),
        (b"POST", (ASKS,)),
        (b"GET", (ASKS, (b"sec-fetch-site", b"cross-site"))),
        (b"GET", (ASKS, (b"sec-fetch-site", b"same-site"))),
        (b"GET", (ASKS, (b"sec-fetch-site", b"none"))),
    ],
)
def test_a_token_is_given_to_our_own_pages_only(make, method, headers):
    request = Request(method=method, target=b"/-/csrf", host=b"app.example", headers=headers)
    given = csrf.own(ON, make.secrets)["csrf"](request, make.start, FRESH)

    assert (given.status, given.body, given.values(b"set-cookie")) == (403, b"{}", [])


def test_the_cookie_stays_in_this_browser_and_the_answer_is_kept_by_nobody(make):
    request = Request(method=b"GET", target=b"/-/csrf", host=b"a", headers=(ASKS,))
    given = csrf.own(ON, make.secrets)["csrf"](request, make.start, FRESH)
    (cookie,) = given.values(b"set-cookie")

    assert cookie.startswith(b"__Host-csrf=" + FRESH.encode())
    assert cookie.endswith(b"; Path=/; Secure; HttpOnly; SameSite=Strict")
    assert given.values(b"cache-control") == [b"no-store"]
    assert given.values(b"access-control-allow-origin") == []
    with pytest.raises(ValueError, match="128"):
        csrf.own(ON, make.secrets)["csrf"](request, make.start, "short")


def test_the_script_is_the_same_for_everybody(make):
    given = csrf.own(ON, make.secrets)["csrf.js"](make.post(), make.start, FRESH)

    assert given.body == SCRIPT.encode()
    assert given.values(b"content-type") == [b"text/javascript; charset=utf-8"]
    for danger in ("eval", "innerHTML", "document.write", "%NAME%", "Function("):
        assert danger not in SCRIPT


def test_off_means_off(make):
    assert csrf.checks(Csrf(), make.site, make.secrets) == ()
    assert csrf.own(Csrf(), make.secrets) == {}
    assert csrf.own(ON, Secrets()) == {}


def test_without_keys_nothing_is_right(world, make, page):
    cookie, token = page()
    (check,) = csrf.checks(ON, make.site, Secrets())
    request = make.post(b"/pay", b"", *cookie, (b"troth-csrf", token))

    assert check(request, Known(now=world.now)).refusal.code == "no-session"


RING = Keyring((Key("k1", b"1" * 32), Key("k0", b"0" * 32)))


@given(st.text(max_size=60), st.integers(0, 10**9))
def test_no_text_is_a_token_but_the_one_that_was_made(text, moment):
    now = datetime.fromtimestamp(moment, UTC)
    token = made(RING, "csrf a", now)

    assert fault(RING, token, "csrf a", now, timedelta(seconds=60)) == ""
    assert fault(RING, text, "csrf a", now, timedelta(seconds=60)) in {"missing", "forged"}
    assert fault(RING, token, "csrf " + text, now, timedelta(60)) != "" or text == "a"


def test_on_the_route_of_our_probes_a_token_soon_expires(world, asked, page):
    cookie, token = page(now=world.now)
    on_canary = {"target": b"/-/sink/token"}

    assert asked(*cookie, (b"troth-csrf", token), **on_canary) == ""
    assert asked(*cookie, **on_canary) == "missing"
    world.later(seconds=5)
    assert asked(*cookie, (b"troth-csrf", token), **on_canary) == "expired"
    assert asked(*cookie, (b"troth-csrf", token)) == ""
