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


def test_without_an_important_action_no_token_is_promised():
    named = {"csrf": {"paths": ["/pay"]}}

    assert "csrf-token" in not_applicable(GuardSettings())
    assert "csrf-token" not in not_applicable(msgspec.convert(named, GuardSettings))


def test_without_a_declared_flow_no_abuse_is_stopped():
    named = {"flows": [{"name": "hold", "kind": "count", "path": "/hold"}]}

    assert "business-logic-protection" in not_applicable(GuardSettings())
    assert "business-logic-protection" not in not_applicable(msgspec.convert(named, GuardSettings))


def test_without_a_form_to_write_in_nothing_is_planted():
    named = {"escaping": {"reflected": ["/search?q={plant}"]}}

    assert "xss-output-escaping" in not_applicable(GuardSettings())
    assert "xss-output-escaping" not in not_applicable(msgspec.convert(named, GuardSettings))


def test_without_an_upload_route_no_file_is_looked_at():
    assert "uploads-scanned" in not_applicable(GuardSettings())
    assert "uploads-scanned" not in not_applicable(GuardSettings(), ("/up/",))
