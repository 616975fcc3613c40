"""Failed logins, from the request to the ban, through `decide`."""

from datetime import timedelta
from urllib.parse import urlencode

import pytest

from troth.promises.guard.enforce import login
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.settings.login import Lockout, LoginRoute, Outcome

DJANGO = LoginRoute(path="/login", preset="django")
MULTIPART = b"""--b\r
Content-Disposition: form-data; name="user[email]"\r
\r
ann@example.org\r
--b--\r
"""
OUT, IN = 200, 302  # of Django: the form again; a redirect


@pytest.fixture
def routes():
    return (DJANGO,)


@pytest.fixture
def lockout():
    return Lockout()


@pytest.fixture
def at_login(world, make, routes, lockout):
    """`at_login("ann", 200)`: an attempt and how the application answered; status, code, answer."""
    world.checks = login.checks(routes, lockout, make.secrets)
    world.looks = login.looks(routes, lockout, make.secrets)

    def attempt(name, status=OUT, word="guess", client="192.0.2.1", cookie=b"", target=b"/login"):
        more = ((b"cookie", cookie),) if cookie else ()
        body = urlencode({"username": name, "password": word}).encode()
        asked, answered = world.ask(
            make.post(target, body, *more, client=client), make.answer(status)
        )
        if asked.refusal is not None:
            return asked.refusal.status, asked.refusal.code
        return status, (answered.counted or ("",))[0]

    return attempt


def cookie_of(world, make, name="ann", client="192.0.2.99", cookie=b""):
    """What a browser keeps after a login that went well."""
    body = urlencode({"username": name, "password": "right"}).encode()
    more = ((b"cookie", cookie),) if cookie else ()
    _, answered = world.ask(make.post(b"/login", body, *more, client=client), make.answer(IN))
    ((name, value),) = answered.answer
    assert name == b"set-cookie"
    return value.partition(b";")[0]


def test_the_fifth_login_after_four_failures_is_refused_for_a_quarter_of_an_hour(world, at_login):
    for _ in range(4):
        assert at_login("ann") == (OUT, "login.failed")

    assert at_login("ann", IN, "right") == (403, "failures")
    assert at_login("ben", IN, "right") == (403, "failures")
    assert at_login("ann", IN, "right", client="198.51.100.7") == (IN, "login.fine")

    world.later(seconds=899)
    assert at_login("ann", IN, "right") == (403, "failures")
    world.later(seconds=2)
    assert at_login("ann", IN, "right") == (IN, "login.fine")


def test_a_refusal_says_for_how_long_and_for_which_promise(world, make, at_login):
    for _ in range(4):
        at_login("ann")
    world.later(seconds=100)
    refusal = world.judge(make.post(b"/login", b"username=a&password=b")).refusal

    assert refusal.slug == "ip-block-after-failures"
    assert dict(refusal.headers) == {b"retry-after": b"800"}


def test_other_routes_and_methods_are_not_asked(world, make, at_login):
    for _ in range(4):
        at_login("ann")

    assert world.judge(make.post(b"/book", b"username=a")).refusal is None
    assert world.judge(make.post(b"/login", method=b"GET")).refusal is None


@pytest.mark.parametrize(
    "target",
    [b"/login/", b"//login", b"/%6cogin", b"/LOGIN", b"/x/../login", b"/login;v=1", b"/%256cogin",
     b"/./login?next=/", b"\\login"],
)  # fmt: skip
def test_another_spelling_is_the_same_login(at_login, target):
    for _ in range(4):
        assert at_login("ann", target=target) == (OUT, "login.failed")

    assert at_login("ann") == (403, "failures")


def test_a_success_forgives_the_failures_of_that_account_from_there(at_login):
    for _ in range(3):
        at_login("ann")
    at_login("ann", IN)
    for _ in range(3):
        assert at_login("ann") == (OUT, "login.failed")


def test_logging_in_to_an_account_of_ones_own_forgives_no_guesses_at_others(at_login):
    for guess in range(4):
        assert at_login("victim", word=f"{guess}") == (OUT, "login.failed")
        if guess < 3:
            assert at_login("mallory", IN) == (IN, "login.fine")

    assert at_login("victim") == (403, "failures")


def test_a_hundred_at_once_get_no_more_guesses_than_one_by_one(world, make, at_login):
    body = b"username=ann&password=x"
    asked = [world.judge(make.post(b"/login", body)) for _ in range(100)]

    let = [one for one in asked if one.refusal is None]
    assert len(let) == 4
    assert {one.refusal.status for one in asked if one.refusal} == {429}
    for one in let:
        world.answer(make.post(), one, make.answer(OUT))
    assert at_login("ann") == (403, "failures")


def test_an_answer_that_never_comes_is_open_for_half_a_minute(world, make, at_login):
    for _ in range(4):
        world.judge(make.post(b"/login", b"username=ann&password=x"))
    assert at_login("ann") == (429, "address-busy")

    world.later(seconds=31)
    assert at_login("ann") == (OUT, "login.failed")


def test_guessing_from_everywhere_slows_down_and_never_locks(world, at_login):
    waits = []
    for number in range(40):
        client = f"198.51.{number // 200}.{number % 200}"
        status, code = at_login("ann", client=client)
        if status == 429:
            assert code == "account"
            refused_at = world.now
            while at_login("ann", client=f"203.0.113.{number}")[0] == 429:
                world.later(seconds=1)
            waits.append((world.now - refused_at).total_seconds())

    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert max(waits) == 60


def test_a_known_device_has_a_lane_of_its_own(world, make, at_login):
    mine = cookie_of(world, make)
    for number in range(30):
        at_login("ann", client=f"198.51.100.{number}")
    for _ in range(4):
        at_login("zoe", client="192.0.2.1")

    assert at_login("ann", client="198.51.100.99") == (429, "account")
    assert at_login("ann", client="192.0.2.1") == (403, "failures")
    assert at_login("ann", OUT, cookie=mine, client="192.0.2.1") == (OUT, "login.failed")
    assert at_login("ann", IN, cookie=mine, client="192.0.2.1") == (IN, "login.fine")
    assert at_login("ben", IN, cookie=mine, client="192.0.2.1") == (403, "failures")


def test_a_known_device_is_bounded_too(world, make, at_login):
    mine = cookie_of(world, make)
    for _ in range(5):
        assert at_login("ann", cookie=mine) == (OUT, "login.failed")
    assert at_login("ann", cookie=mine) == (429, "device")
    for _ in range(200):
        world.later(minutes=2)
        at_login("ann", cookie=mine)

    assert at_login("ann", cookie=mine) == (403, "failures"), "after 20 it is a stranger's"


def test_one_device_is_known_for_several_accounts(world, make, at_login):
    first = cookie_of(world, make, "ann")
    both = cookie_of(world, make, "ben", cookie=first)
    for _ in range(4):
        at_login("ann")

    assert at_login("ann", IN, cookie=both) == (IN, "login.fine")
    assert at_login("ben", IN, cookie=both) == (IN, "login.fine")
    assert at_login("ben", IN, cookie=first) == (403, "failures")


def test_a_cookie_that_is_not_ours_or_too_old_makes_a_stranger(world, make, at_login):
    mine = cookie_of(world, make)
    name, _, token = mine.partition(b"=")
    for _ in range(4):
        at_login("ann")
    for wrong in (
        name + b"=" + token[:-1] + (b"A" if token[-1:] != b"A" else b"B"),
        mine + b"; " + mine,
        name + b"=1.x.0.y.k1.AAAA",
        name + b"=",
        name + b"=\xff",
        name + b"=" + token.replace(b"k1", b"k2"),
    ):
        assert at_login("ann", cookie=wrong) == (403, "failures")
    assert at_login("ann", IN, cookie=mine) == (IN, "login.fine")

    world.later(days=180)
    for _ in range(4):
        at_login("ann")
    assert at_login("ann", IN, cookie=mine) == (403, "failures")


def test_the_cookie_tells_nothing_and_goes_nowhere_else(world, make, at_login):
    body = b"username=ann%40example.org&password=right"
    _, answered = world.ask(make.post(b"/login", body), make.answer(IN))
    ((_, value),) = answered.answer

    assert value.startswith(b"__Host-known=1.")
    assert value.endswith(b"; Path=/; Max-Age=15552000; Secure; HttpOnly; SameSite=Lax")
    assert b"ann" not in value
    assert b"right" not in value


def test_without_keys_nobody_is_known_and_all_else_holds(world, make, at_login, routes, lockout):
    world.checks = login.checks(routes, lockout, Secrets())
    world.looks = login.looks(routes, lockout, Secrets())
    _, answered = world.ask(make.post(b"/login", b"username=a&password=b"), make.answer(IN))

    assert answered.answer == ()
    for _ in range(4):
        at_login("ann")
    assert at_login("ann") == (403, "failures")


@pytest.mark.parametrize("lockout", [Lockout(failures=200)])
def test_one_password_at_many_accounts_slows_down(world, at_login, lockout):
    for number in range(10):
        assert at_login(f"user{number}", word="Spring2026", client=f"192.0.2.{number}")[0] == OUT

    assert at_login("user10", word="Spring2026", client="198.51.100.1") == (429, "spraying")
    assert at_login("user10", word="another", client="198.51.100.1") == (OUT, "login.failed")
    world.later(hours=2)
    assert at_login("user10", word="Spring2026", client="198.51.100.1") == (OUT, "login.failed")


@pytest.mark.parametrize("lockout", [Lockout(failures=200)])
def test_many_accounts_from_one_address_with_few_successes_is_stuffing(world, at_login, lockout):
    for number in range(10):
        assert at_login(f"user{number}", word=f"{number}")[0] == OUT

    assert at_login("user11", IN) == (403, "stuffing")


@pytest.mark.parametrize("lockout", [Lockout(failures=200)])
def test_an_office_where_most_get_in_is_no_stuffing(at_login, lockout):
    for number in range(40):
        at_login(f"user{number}", word=f"{number}")
        at_login(f"user{number}", IN)

    assert at_login("user99") == (OUT, "login.failed")


@pytest.mark.parametrize("lockout", [Lockout(scope="all")])
def test_an_operator_may_keep_the_address_out_of_everything(world, at_login, lockout):
    for _ in range(4):
        at_login("ann")

    (strike,) = world.strikes
    assert strike.subject == "192.0.2.1"
    assert strike.cause == "ip-block-after-failures:failures"
    assert strike.length == timedelta(minutes=15)


def test_an_ipv6_customer_is_one_address(at_login):
    for number in range(4):
        at_login("ann", client=f"2001:db8::{number + 1}")

    assert at_login("ann", client="2001:db8::ffff") == (403, "failures")
    assert at_login("ann", client="2001:db8:0:1::1") == (OUT, "login.failed")


@pytest.mark.parametrize(
    ("kind", "body", "code"),
    [
        (b"application/x-www-form-urlencoded", b"username=a&username=b", "two-accounts"),
        (b"application/json", b'{"username":"a","username":"b"}', "two-accounts"),
        (b"application/json", b'{"username":"a"', "unreadable"),
        (b"multipart/form-data; boundary=x", b"--x\r\n\r\n", "unreadable"),
        (b"text/plain", b"x" * 70_000, "long"),
        (b"text/plain", b"nothing", "unreadable"),
    ],
)
def test_what_the_application_might_read_otherwise_is_refused(
    world, make, at_login, kind, body, code
):
    refusal = world.judge(make.post(b"/login", body, kind=kind)).refusal

    assert (refusal.status, refusal.code) == (400, code)


def test_an_account_in_the_query_is_an_account(world, make, at_login):
    asked = make.post(b"/login?username=ann", b"username=%20ANN&password=x")
    twice = make.post(b"/login?username=ann", b"username=ben&password=x")

    assert world.judge(asked).refusal is None
    assert world.judge(twice).refusal.code == "two-accounts"


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (b"application/json", b'{"user":{"email":"Ann@Example.org"},"x":[1,{"y":null}]}'),
        (b"application/x-www-form-urlencoded", b"+user%5Bemail%5D=ann%40example.org"),
        (b"multipart/form-data; boundary=b", MULTIPART),
        (b"", b'{"user":{"email":"ann@example.org"}}'),
    ],
)  # fmt: skip
def test_an_account_is_found_wherever_it_stands(world, make, kind, body):
    route = LoginRoute(path="/login", preset="devise")
    world.checks = login.checks((route,), Lockout(failures=100), make.secrets)
    world.looks = login.looks((route,), Lockout(failures=100), make.secrets)
    for number in range(5):
        asked = make.post(b"/login", body, kind=kind, client=f"192.0.2.{number}")
        world.ask(asked, make.answer(422))

    assert world.judge(make.post(b"/login", body, kind=kind)).refusal.code == "account"


@pytest.mark.parametrize(
    ("route", "failed", "fine"),
    [
        (LoginRoute(path="/login", preset="laravel"), (302, "/login"), (302, "/home")),
        (LoginRoute(path="/login", preset="laravel"), (302, "https://a.example/login"), (204, "")),
        (LoginRoute(path="/login", preset="spring"), (302, "/login?error"), (302, "/")),
        (LoginRoute(path="/login", preset="json"), (401, ""), (200, "")),
        (LoginRoute(path="/login", preset="wordpress"), (200, ""), (302, "/wp-admin/")),
        (LoginRoute(path="/login", failure=(Outcome(status=(418,)),),
                    success=(Outcome(location="/in/*/now"),)), (418, ""), (303, "/in/x/now")),
    ],
)  # fmt: skip
def test_frameworks_are_told_apart(world, make, route, failed, fine):
    world.checks = login.checks((route,), Lockout(), make.secrets)
    world.looks = login.looks((route,), Lockout(), make.secrets)
    for (status, place), code in ((failed, "login.failed"), (fine, "login.fine")):
        headers = ((b"location", place.encode()),) if place else ()
        _, answered = world.ask(make.post(b"/login", b"a=b"), make.answer(status, *headers))
        assert answered.counted == (code,)
    _, answered = world.ask(make.post(b"/login", b"a=b"), make.answer(500))
    assert answered.counted == ("login.unclear",)


def test_an_outcome_may_stand_in_the_body(world, make):
    route = LoginRoute(
        path="/login",
        failure=(Outcome(status=(200,), body='"ok":false'),),
        success=(Outcome(status=(200,), body='"ok":true'),),
    )
    world.checks = login.checks((route,), Lockout(), make.secrets)
    world.looks = login.looks((route,), Lockout(), make.secrets)
    asked = world.judge(make.post(b"/login", b"username=ann"))

    assert asked.awaits[0].reads_body
    assert asked.remove == (b"accept-encoding",)
    for body, code in ((b'{"ok":false}', "failed"), (b'{"ok":true}', "fine"), (None, "unclear")):
        _, answered = world.ask(make.post(b"/login", b"a=b"), make.answer(200, body=body))
        assert answered.counted == (f"login.{code}",)


def test_no_routes_no_check(make):
    assert login.checks((), Lockout(), make.secrets) == ()


def test_a_route_says_what_a_failure_looks_like():
    with pytest.raises(ValueError, match="what a failure looks like"):
        LoginRoute(path="/login")
