"""Limits through `decide`: who is counted, what is said, and that no counters means no."""

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from troth.adapters.counters import Memory
from troth.enforce.decide import decide
from troth.enforce.snapshot import Snapshot
from troth.kernel.request import Known, Request
from troth.kernel.site import Site
from troth.promises.guard.enforce import limits
from troth.promises.guard.enforce.secrets import Secrets
from troth.promises.guard.rules.ranges import Ranges
from troth.promises.guard.rules.tokens import Key, Keyring
from troth.promises.guard.settings.limits import Limits

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SITE = Site(name="n", app="https://a", http="http://a", troth="https://t", status="https://s")
DRILLS = ("127.66.0.0/16",)


class Play:
    """Requests one after another against one set of rules; time stands still unless told."""

    def __init__(self, *rules, secrets=None, **settings):
        self.ns = 10**18
        self.counters = Memory(now_ns=lambda: self.ns)
        chosen = msgspec.convert({"rules": rules, **settings} if rules else settings, Limits)
        asks, checks = limits.of(chosen, DRILLS, secrets or Secrets())
        self.snapshot = Snapshot(
            asks=asks, checks=checks, site=SITE, prefix="/-/", max_body_bytes=1, config="", made=NOW
        )
        self.lists, self.asked = {}, []

    def take(self, asks):
        self.asked.append(asks)
        return self.counters.take(asks)

    def ask(self, target="/", client="192.0.2.1", *headers, method="GET", take=None):
        request = Request(
            method=method.encode(), target=target.encode(), host=b"a", client=client,
            headers=headers,
        )  # fmt: skip
        return decide(request, self.snapshot, Known(now=NOW, lists=self.lists), take or self.take)

    def passed(self, count, *args, **more):
        """How many of so many pass."""
        return sum(self.ask(*args, **more).refusal is None for _ in range(count))


def rule(**said):
    return {"name": "r", "rate": "5/min", **said}


def test_who_asks_too_often_is_told_when_to_come_back():
    play = Play(rule())

    assert play.passed(5) == 5
    no = play.ask()

    assert (no.refusal.slug, no.refusal.code, no.refusal.status) == ("rate-limit-ip", "r", 429)
    assert no.refusal.headers == ((b"retry-after", b"12"),)
    assert no.strikes == ()
    assert play.passed(1, client="192.0.2.2") == 1
    play.ns += 12 * 10**9
    assert play.passed(2) == 1


def test_the_headers_of_the_draft():
    play = Play(rule(burst=3), rule(name="all", rate="100/h", by="route"))

    assert play.ask().answer == (
        (b"ratelimit-policy", b'"r";q=5;w=60, "all";q=100;w=3600'),
        (b"ratelimit", b'"r";r=2;t=12, "all";r=99;t=36'),
    )
    assert play.passed(3) == 2
    assert dict(play.ask().answer)[b"ratelimit"].startswith(b'"r";r=0;t=36')
    assert Play(rule(), headers=False).ask().answer == ()


def test_by_default_a_person_meets_no_limit():
    play = Play()

    for page in range(60):  # a page a second, twenty things on each, half of them files
        play.ns += 10**9
        assert play.passed(10, f"/page/{page}") == 10
        assert play.passed(10, f"/app/{page}.css?v=1") == 10
    assert play.passed(1000, client="192.0.2.9") == 200


def test_files_are_counted_where_the_rule_says_so_and_only_reading_is_free():
    assert Play(rule()).passed(9, "/a.PNG?x=1") == 9
    assert Play(rule()).passed(9, "/a.png", method="POST") == 5
    assert Play(rule()).passed(9, "/a?x=.png") == 5
    assert Play(rule(statics=True)).passed(9, "/a.png") == 5


@pytest.mark.parametrize(
    "spelled",
    ["/login", "/Login/", "//login", "/%6cogin", "/x/../login;v=1", "/login/x", "/login?a"],
)
def test_a_route_is_counted_however_it_is_spelled(spelled):
    play = Play(rule(path="/login", methods=["POST"]))

    assert play.passed(5, "/login", method="POST") == 5
    assert play.passed(1, spelled, method="POST") == 0
    assert play.passed(9, "/logins", method="POST") == 9
    assert play.passed(9, spelled) == 9


def test_an_ipv6_client_is_its_64():
    play = Play(rule())

    assert sum(play.passed(1, client=f"2001:db8:1:2::{n:x}") for n in range(9)) == 5
    assert play.passed(1, client="2001:db8:1:3::1") == 1
    assert play.passed(1, client="::ffff:192.0.2.1") == 1
    assert play.passed(9, client="192.0.2.1") == 4


def test_strangers_without_an_address_share_one_counter():
    play = Play(rule())

    assert play.passed(4, client="") + play.passed(4, client="nonsense") == 5


def test_exempt_networks_and_allowed_addresses_but_never_our_own_attackers():
    play = Play(rule(), exempt=["10.0.0.0/8", "127.0.0.0/8"])
    play.lists = {"allowed": Ranges(["192.0.2.7", "127.66.0.1"])}

    assert play.passed(9, client="10.1.2.3") == 9
    assert play.passed(9, client="127.0.0.1") == 9
    assert play.passed(9, client="192.0.2.7") == 9
    assert play.passed(9, client="127.66.0.1") == 5


def test_tokens_and_accounts_are_counted_without_being_kept():
    ring = Secrets(ring=Keyring((Key("k", b"1" * 32),)))
    token, cookie = (b"authorization", b"Bearer s3cret"), (b"cookie", b"a=1; sid=s3cret; b")

    play = Play(rule(by="token"), secrets=ring)
    assert sum(play.passed(1, "/", f"192.0.2.{n}", token) for n in range(9)) == 5
    assert play.passed(9) == 9
    assert play.passed(1, "/", "192.0.2.1", (b"x-api-key", b"other")) == 1
    assert "s3cret" not in repr(play.asked)

    play = Play(rule(by="account"), secrets=ring, account_cookie="sid")
    assert sum(play.passed(1, "/", f"192.0.2.{n}", cookie) for n in range(9)) == 5
    assert play.passed(9) == 9
    assert "s3cret" not in repr(play.asked)

    play = Play(rule(by="account"), secrets=ring, account_header="X-Forwarded-User")
    assert sum(play.passed(1, "/", "192.0.2.1", (b"x-forwarded-user", b"a")) for n in range(9)) == 5


def test_guards_that_share_a_ring_count_alike():
    one, other = (Play(rule(by="token"), secrets=Secrets(ring=Keyring((Key("k", b"1" * 32),))))
                  for _ in range(2))  # fmt: skip
    other.counters = one.counters

    assert one.passed(9, "/", "", (b"authorization", b"x")) == 5
    assert other.passed(9, "/", "", (b"authorization", b"x")) == 0


def test_without_an_answer_of_the_counters_nothing_passes():
    no = Play(rule()).ask(take=lambda _: {})

    assert (no.refusal.status, no.refusal.code) == (503, "no-counters")
    assert Play(rule(), exempt=["0.0.0.0/0"]).ask(take=lambda _: {}).refusal is None


def test_everybody_who_goes_on_is_struck():
    play = Play(rule(), ban_after=3)
    play.passed(5)

    (strike,) = play.ask().strikes

    assert (strike.subject, strike.cause) == ("192.0.2.1", "rate-limit-ip:r")
    assert (strike.ask.limit, strike.ask.key) == (3, "over:192.0.2.1")
    assert strike.length == timedelta(minutes=10)


def test_no_rules_no_counters():
    asks, checks = limits.of(Limits(rules=()), DRILLS, Secrets())

    assert (asks, checks) == ((), ())


def test_two_rules_of_one_name_are_an_error():
    with pytest.raises(msgspec.ValidationError, match="same name"):
        Play(rule(), rule())
