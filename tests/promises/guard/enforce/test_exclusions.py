"""An exclusion holds on its route, and in the `Referer` that its page's own pictures send."""

from datetime import UTC, datetime
from urllib.parse import quote

import pytest

from troth.engines.seclang import Program, Source, compile, parse  # noqa: A004 -- its word
from troth.kernel.request import Known, Request
from troth.promises.guard.enforce import waf
from troth.promises.guard.settings.waf import Exclusion, Rules
from troth.roles import rules_load

KNOWN = Known(now=datetime(2026, 1, 1, tzinfo=UTC))
SET = r"""
SecRuleEngine On
SecRequestBodyAccess On
SecRule ARGS "@contains attack" "id:1,phase:2,deny,log,severity:2"
SecRule REQUEST_HEADERS|ARGS_NAMES "@contains attack" "id:2,phase:1,deny,log,severity:2"
SecRule ARGS|REQUEST_HEADERS "@contains other" "id:3,phase:1,deny,log,severity:2"
SecRule ARGS_NAMES "@contains name" "id:4,phase:2,deny,log,severity:2"
SecRule REQUEST_HEADERS "@contains name" "id:5,phase:1,deny,log,severity:2"
"""
HOST = "app.example:8443"
HERE = Exclusion(path="/search", parameter="ARGS:q", rule=1)
PAGE = f"https://{HOST}/search?q=attack"


@pytest.fixture(scope="module")
def program() -> Program:
    return compile(parse([Source("a.conf", SET)], {}))


def is_refused(program: Program, target: str, *referer: str, exclusions=(HERE,)) -> bool:
    headers = tuple((b"referer", each.encode()) for each in referer)
    request = Request(method=b"GET", target=target.encode(), host=HOST.encode(), headers=headers)
    return waf.check(program, Rules(exclusions=exclusions))(request, KNOWN).refusal is not None


def test_a_browser_loads_the_page_and_what_is_on_it(program: Program):
    assert not is_refused(program, "/search?q=attack")
    for own in ("/style.css", "/logo.png", "/api/hits?page=2", "/search?q=again"):
        assert not is_refused(program, own, PAGE)
    assert is_refused(program, "/style.css", PAGE, exclusions=())


@pytest.mark.parametrize(
    "referer",
    [
        f"https://{HOST}/other?q=attack",
        f"https://{HOST}/search?p=attack",
        f"https://{HOST}/search?q=fine&p=attack",
        f"https://{HOST}/search?q=attack&p=attack",
        f"https://{HOST}/search?q=other",
        f"https://{HOST}/search?q=attack+other",
        f"https://{HOST}/search/attack?q=attack",
        f"https://{HOST}/search;attack?q=attack",
        f"https://{HOST}/x/%2e%2e/search?q=attack",
        f"https://{HOST}/search?attack=q",
        f"https://{HOST}/search?q=attack#attack",
        "https://evil.example/search?q=attack",
        "https://app.example/search?q=attack",
        f"https://attack@{HOST}/search?q=attack",
        f"ftp://{HOST}/search?q=attack",
        "/search?q=attack",
        "attack",
    ],
    ids=str,
)
def test_all_else_in_a_referer_is_looked_at(program: Program, referer: str):
    """A fragment is of no Referer (RFC 9110, 10.1.3): it is a part of the value then."""
    is_value = referer.endswith("#attack")

    assert is_refused(program, "/logo.png", referer) is not is_value


def test_two_referers_are_none(program: Program):
    assert is_refused(program, "/logo.png", PAGE, PAGE)


def test_other_headers_are_looked_at(program: Program):
    request = Request(
        method=b"GET", target=b"/logo.png", host=HOST.encode(),
        headers=((b"referer", PAGE.encode()), (b"x-note", b"attack")),
    )  # fmt: skip

    assert waf.check(program, Rules(exclusions=(HERE,)))(request, KNOWN).refusal


def test_the_page_itself_may_be_asked_from_itself_only_with_the_same(program: Program):
    assert is_refused(program, "/other?q=attack", PAGE)
    assert is_refused(program, "/search?q=other", PAGE)


def test_two_parameters_with_two_rules_are_not_mixed(program: Program):
    both = (HERE, Exclusion(path="/search", parameter="ARGS:p", rule=3))

    def ask(query: str) -> bool:
        return is_refused(program, "/a.png", f"https://{HOST}/search?{query}", exclusions=both)

    assert not ask("q=attack&p=other")
    assert not ask("q=attack")
    assert ask("q=other&p=other")
    assert ask("q=attack&p=attack")
    assert ask("q=attack&p=other&r=attack")
    assert ask("q=attack&p=other&r=other")


def test_one_rule_may_be_excluded_for_two_parameters(program: Program):
    both = (HERE, Exclusion(path="/search", parameter="ARGS:p", rule=1))
    page = f"https://{HOST}/search?q=attack&p=attack"

    assert not is_refused(program, "/a.png", page, exclusions=both)
    assert is_refused(program, "/a.png", page + "&r=attack", exclusions=both)


def test_a_name_may_be_excluded_and_its_value_not(program: Program):
    away = (Exclusion(path="/search", parameter="ARGS_NAMES:a-name", rule=4),)

    def ask(query: str) -> bool:
        return is_refused(program, "/a.png", f"https://{HOST}/search?{query}", exclusions=away)

    assert not ask("a-name=1")
    assert ask("a-name=name")
    assert ask("other-name=1")


def test_with_our_own_rules():
    program = rules_load.program_of(Rules())
    assert program is not None
    value = quote("x' UNION SELECT name, price FROM court --", safe="")
    page = f"https://{HOST}/courts?message={value}"
    away = (Exclusion(path="/courts", parameter="ARGS:message", rule=9012001),)

    assert is_refused(program, "/style.css", page, exclusions=())
    assert not is_refused(program, "/style.css", page, exclusions=away)
    assert is_refused(program, "/style.css", page + "&other=" + value, exclusions=away)
    script = page + quote("<script>alert(1)</script>", safe="")
    assert is_refused(program, "/style.css", script, exclusions=away)
