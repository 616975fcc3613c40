"""What an installation promises at all."""

import msgspec

from troth.promises.guard.rules.applies import not_applicable
from troth.promises.guard.settings import GuardSettings


def test_without_a_login_route_nobody_guesses():
    slugs = {"brute-force-blocking", "ip-block-after-failures"}
    named = {"login": [{"path": "/login", "preset": "django"}]}

    assert slugs <= set(not_applicable(GuardSettings()))
    assert not slugs & set(not_applicable(msgspec.convert(named, GuardSettings)))


def test_without_a_list_nobody_is_on_one():
    named = {"lists": [{"name": "own", "source": "file:/l"}]}

    assert "ip-blocklist" in not_applicable(GuardSettings())
    assert "ip-blocklist" not in not_applicable(msgspec.convert(named, GuardSettings))
