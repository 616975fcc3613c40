"""The application's cookies on their way out: by Envoy's own Lua, not by a model of it."""

import pytest

from troth.promises.edge.enforce.cookies import quoted


def cookies(answer) -> list[str]:
    return list(answer.all("set-cookie"))


@pytest.mark.parametrize(
    ("sent", "repaired"),
    [
        ("a=b", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; Secure; HttpOnly; SameSite=Strict", "a=b; secure; httponly; samesite=Strict"),
        ("a=b; samesite=lax", "a=b; secure; httponly; samesite=lax"),
        ("a=b; SameSite=None; Secure", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; SameSite=Nonsense", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; SameSite", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; Path=/x", "a=b; path=/x; secure; httponly; samesite=Lax"),
        ("a=b;Path=/x;HttpOnly", "a=b; path=/x; secure; httponly; samesite=Lax"),
        ("a=b; Path=/x; Path=/y", "a=b; path=/y; secure; httponly; samesite=Lax"),
        ("a=b; Domain=localhost", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; domain=demo.localhost", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; DOMAIN = .localhost ; Path=/", "a=b; path=/; secure; httponly; samesite=Lax"),
        (
            "a=b; Expires=Wed, 01 Jan 2031 00:00:00 GMT; Max-Age=5",
            "a=b; expires=Wed, 01 Jan 2031 00:00:00 GMT; max-age=5; secure; httponly; samesite=Lax",
        ),
        ("a=", "a=; secure; httponly; samesite=Lax"),
        ("a=b=c==", "a=b=c==; secure; httponly; samesite=Lax"),
        ('a="b c, d"', 'a="b c, d"; secure; httponly; samesite=Lax'),
        ("a=b; Priority=High; Partitioned", "a=b; priority=High; partitioned; secure; httponly;"),
        ("a=b; ; ;", "a=b; secure; httponly; samesite=Lax"),
        ("a=b; Secure=no", "a=b; secure; httponly; samesite=Lax"),
    ],
)
def test_a_cookie_is_repaired(told, sent, repaired):
    (got,) = cookies(told(f"Set-Cookie: {sent}"))

    assert got.startswith(repaired) if repaired.endswith(";") else got == repaired


def test_several_cookies_stay_several_and_in_order(told):
    names = [f"c{number}" for number in range(20)]

    got = cookies(told(*(f"Set-Cookie: {name}=1, 2; Domain=localhost" for name in names)))

    assert got == [f"{name}=1, 2; secure; httponly; samesite=Lax" for name in names]


@pytest.mark.parametrize(
    "sent",
    [
        "__Host-sid=evil; Path=/; Secure",
        "__host-SID=evil",
        " __Host-sid =evil",
        "__Host-csrf=evil",
        "__Host-known=evil",
        "__Host-troth-login=evil",
        "=__Host-sid=evil",
        "__Host-sid",
        "; Path=/",
    ],
)
def test_troths_names_and_nameless_cookies_are_dropped(told, sent):
    got = cookies(told("Set-Cookie: before=1", f"Set-Cookie: {sent}", "Set-Cookie: after=1"))

    assert [one.partition("=")[0] for one in got] == ["before", "after"]


@pytest.mark.parametrize("name", ["__Host-session", "__Host-sid2", "x__Host-sid", "sid"])
def test_names_that_only_look_alike_stay(told, name):
    (got,) = cookies(told(f"Set-Cookie: {name}=1; Path=/"))

    assert got.startswith(f"{name}=1; path=/")


@pytest.mark.parametrize("status", [302, 404, 500])
def test_whatever_the_status(told, status):
    (got,) = cookies(told("Set-Cookie: a=b; Domain=localhost", "Location: /", status=status))

    assert got == "a=b; secure; httponly; samesite=Lax"


def test_settings_name_the_exceptions(told, with_settings):
    with with_settings(
        cookies={"readable": ["XSRF-TOKEN"], "cross_site": ["embed"], "same_site": "Strict"}
    ):
        got = cookies(
            told(
                "Set-Cookie: XSRF-TOKEN=1",
                "Set-Cookie: embed=1; SameSite=None",
                "Set-Cookie: other=1; SameSite=None",
            )
        )

    assert got == [
        "XSRF-TOKEN=1; secure; samesite=Strict",
        "embed=1; secure; httponly; samesite=None",
        "other=1; secure; httponly; samesite=Strict",
    ]


def test_without_the_flags_the_scope_is_still_kept(told, without):
    with without("cookie-httponly-secure"):
        assert cookies(told("Set-Cookie: a=b; Domain=localhost; Path=/")) == ["a=b; path=/"]


def test_without_the_scope_the_flags_are_still_kept(told, without):
    with without("cookie-scope"):
        got = told("Set-Cookie: a=b; Domain=localhost", "Clear-Site-Data: *")

    assert cookies(got) == ["a=b; domain=localhost; secure; httponly; samesite=Lax"]
    assert got.one("clear-site-data") == "*"


def test_without_both_cookies_pass_untouched(told, without):
    with without("cookie-scope"), without("cookie-httponly-secure"):
        assert cookies(told("Set-Cookie: a=b; Domain=localhost")) == ["a=b; Domain=localhost"]


def test_clearing_is_refused(told):
    assert told('Clear-Site-Data: "cookies"').one("clear-site-data") is None


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a]]b", "a\nb", "ä", "a--b"])
def test_no_name_leaves_its_lua_string(name):
    text = quoted(name)

    assert text.isascii()
    assert "\n" not in text
    assert text[1:-1].count('"') == 0


def test_what_scripts_read_may_be_named_by_its_beginning(told, with_settings):
    with with_settings(cookies={"readable": ["wp-settings-*", "csrftoken"]}):
        got = cookies(
            told(
                *("Set-Cookie: wp-settings-time-1=5", "Set-Cookie: csrftoken=t"),
                *("Set-Cookie: csrftoken2=t", "Set-Cookie: wp-setting=1"),
            )
        )

    assert got == [
        "wp-settings-time-1=5; secure; samesite=Lax",
        "csrftoken=t; secure; samesite=Lax",
        "csrftoken2=t; secure; httponly; samesite=Lax",
        "wp-setting=1; secure; httponly; samesite=Lax",
    ]
