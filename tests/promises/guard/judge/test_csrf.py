"""Judge of tokens for important actions."""

import pytest

from troth.kernel.model import Verdict
from troth.promises.guard.judge.csrf import CASES, SLUG, refused
from troth.promises.guard.settings import GuardSettings
from troth.promises.guard.settings.csrf import Csrf

PASS, FAIL, ERROR = Verdict.PASS, Verdict.FAIL, Verdict.ERROR
SETTINGS = GuardSettings(csrf=Csrf(paths=("/pay",)))


def post(case, status=403, mark=SLUG, *, arrived=False):
    return {"case": case, "status": status, "mark": mark, "arrived": arrived}


TRIED = [post(case) for case in sorted(CASES)]
GOOD = [post("field", 200, "", arrived=True)]


@pytest.mark.parametrize(
    ("tried", "good", "verdict"),
    [
        (TRIED, GOOD, PASS),
        ([*TRIED, post("expired", 200, "", arrived=True)], GOOD, FAIL),
        ([*TRIED, post("declared", 404, "")], GOOD, FAIL),
        ([post("missing", 200, "", arrived=True)], [], FAIL),
        ([post("missing")], [], ERROR),
        (TRIED[1:], GOOD, ERROR),
        ([*TRIED, post("expired", 503, "")], GOOD, ERROR),
        ([*TRIED, post("forged", 403, "waf-owasp-top10")], GOOD, ERROR),
        (TRIED, [post("field")], ERROR),
        (None, GOOD, ERROR),
    ],
)
def test_only_a_good_token_passes(tried, good, verdict):
    facts = {"tried": tried, "good": good, "paths": ["/pay"]}

    assert refused(facts, SETTINGS).verdict is verdict


def test_where_nothing_is_named_nothing_is_known():
    facts = {"tried": TRIED, "good": GOOD, "paths": []}

    assert refused(facts, GuardSettings()).verdict is ERROR
